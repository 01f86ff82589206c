"""One recurrent layer, forward and backward: ours and Flax's, as the benchmarks run it."""

from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from benchmarks.timing import Way, compiled
from seqjax.cells.cell import Cell
from seqjax.unroll.unroll import UnrollMethod, unroll


class Ours(nn.Module):
    """A cell under `unroll`; it begins with zeros of the inputs' dtype."""

    cell: Cell
    method: UnrollMethod = "auto"
    keep_every: int | None = None

    def __call__(self, inputs, lengths):
        carry = self.cell.initial_carry(inputs.shape[0])
        carry = jax.tree.map(lambda leaf: leaf.astype(inputs.dtype), carry)
        choices: Any = {"method": self.method, "keep_every": self.keep_every}
        return unroll(self.cell, carry, inputs, lengths, **choices)[1]


class Flax(nn.Module):
    """A Flax cell under `nn.RNN`."""

    cell: Any

    @nn.compact
    def __call__(self, inputs, lengths):
        return nn.RNN(self.cell)(inputs, seq_lengths=lengths)


def gradient_fn(module: nn.Module) -> Callable[[Any, Any, Any], Any]:
    """Returns `(variables, inputs, lengths) -> gradients to variables and inputs`."""

    def loss(variables, inputs, lengths):
        outputs: Any = module.apply(variables, inputs, lengths)
        if outputs.dtype != inputs.dtype:
            raise TypeError(f"{module}: {inputs.dtype} in, {outputs.dtype} out")
        return jnp.sum(jnp.square(outputs.astype(jnp.float32)))

    return jax.grad(loss, (0, 1))


def gradient(module: nn.Module, inputs: Any, lengths: Any) -> Way:
    """Returns a forward and backward pass with all weights in the dtype of the inputs."""
    single = inputs.astype(jnp.float32)
    variables = jax.jit(module.init)(jax.random.key(0), single, lengths)
    variables = jax.tree.map(lambda leaf: leaf.astype(inputs.dtype), variables)
    gradients = gradient_fn(module)
    return compiled(lambda v, x: gradients(v, x, lengths), variables, inputs)

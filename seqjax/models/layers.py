"""A recurrent layer, and layers stacked: what encoder, decoder and language model are made of."""

from collections.abc import Callable, Sequence
from typing import Literal

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from seqjax.cells.lstm import LSTMCarry, LSTMCell
from seqjax.unroll.unroll import unroll

UnrollMethod = Literal["auto", "scan", "fused"]
DropFn = Callable[[Array], Array]
"""Dropout that already knows whether it is on."""


class BidirectionalLayer(nn.Module):
    """Two cells that read a sequence from either end; their outputs stand side by side.

    Attributes:
      forward_cell: Reads from the first step.
      backward_cell: Reads from each row's own last valid step.
      method: How `unroll` runs.
    """

    forward_cell: LSTMCell
    backward_cell: LSTMCell
    method: UnrollMethod = "auto"

    def __call__(
        self, inputs: Float[Array, "batch time features"], lengths: Int[Array, " batch"]
    ) -> tuple[LSTMCarry, Float[Array, "batch time hidden"]]:
        directions = [(self.forward_cell, False), (self.backward_cell, True)]
        carries, outputs = zip(
            *(
                unroll(
                    cell,
                    cell.initial_carry(inputs.shape[0]),
                    inputs,
                    lengths,
                    reverse=reverse,
                    method=self.method,
                )
                for cell, reverse in directions
            ),
            strict=True,
        )
        hidden, cell = (jnp.concatenate(halves, axis=-1) for halves in zip(*carries, strict=True))
        return LSTMCarry(hidden, cell), jnp.concatenate(outputs, axis=-1)


class ForwardLayer(nn.Module):
    """One cell that reads a sequence from its first step. Attributes as above."""

    cell: LSTMCell
    method: UnrollMethod = "auto"

    def __call__(
        self, inputs: Float[Array, "batch time features"], lengths: Int[Array, " batch"]
    ) -> tuple[LSTMCarry, Float[Array, "batch time hidden"]]:
        carry = self.cell.initial_carry(inputs.shape[0])
        return unroll(self.cell, carry, inputs, lengths, method=self.method)


def stack_step(
    cells: Sequence[LSTMCell],
    drop_fn: DropFn,
    carries: tuple[LSTMCarry, ...],
    inputs: Float[Array, "rows features"],
) -> tuple[tuple[LSTMCarry, ...], Float[Array, "rows hidden"]]:
    """Runs stacked cells for one time step, with dropout between them."""
    after = []
    for depth, (cell, carry) in enumerate(zip(cells, carries, strict=True)):
        carry, inputs = cell(carry, drop_fn(inputs) if depth else inputs)
        after.append(carry)
    return tuple(after), inputs


def stack_unroll(
    cells: Sequence[LSTMCell],
    drop_fn: DropFn,
    carries: tuple[LSTMCarry, ...],
    inputs: Float[Array, "batch time features"],
    lengths: Int[Array, " batch"],
    method: UnrollMethod,
) -> tuple[tuple[LSTMCarry, ...], Float[Array, "batch time hidden"]]:
    """Runs stacked cells over whole sequences, layer by layer: `stack_step` at every time."""
    after = []
    for depth, (cell, carry) in enumerate(zip(cells, carries, strict=True)):
        layer_inputs = drop_fn(inputs) if depth else inputs
        carry, inputs = unroll(cell, carry, layer_inputs, lengths, method=method)
        after.append(carry)
    return tuple(after), inputs

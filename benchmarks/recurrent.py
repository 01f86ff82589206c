"""One recurrent layer, forward and backward: ours beside PyTorch's (oneDNN) and Flax's.

    seqjax bench recurrent [--runs 7] [--json] [--size 64x50x512]

PyTorch is compared with where it is installed, with as many threads as JAX has.
"""

import importlib.util
import os
from collections.abc import Iterator
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.timing import Way, compiled, interleaved, product_rate, rows
from seqjax.cells.cell import Cell
from seqjax.cells.gru import GRUCell
from seqjax.cells.lstm import LSTMCell
from seqjax.unroll.unroll import UnrollMethod, unroll

SIZES = ((64, 50, 512), (32, 30, 256), (16, 100, 128), (1, 50, 512), (128, 200, 256))
"""Batch, time, input = hidden."""
GATES = {"lstm": 4, "gru": 3}


class Ours(nn.Module):
    """A cell under `unroll`."""

    cell: Cell
    method: UnrollMethod

    def __call__(self, inputs, lengths):
        carry = self.cell.initial_carry(inputs.shape[0])
        return unroll(self.cell, carry, inputs, lengths, method=self.method)[1]


class Flax(nn.Module):
    """A Flax cell under `nn.RNN`."""

    cell: Any

    @nn.compact
    def __call__(self, inputs, lengths):
        return nn.RNN(self.cell)(inputs, seq_lengths=lengths)


def _gradient(module: nn.Module, inputs: Any, lengths: Any) -> Way:
    """Returns a forward and backward pass, to the weights and to the inputs."""
    variables = module.init(jax.random.key(0), inputs, lengths)

    def loss(variables, inputs):
        outputs: Any = module.apply(variables, inputs, lengths)
        return jnp.sum(outputs**2)

    return compiled(jax.grad(loss, (0, 1)), variables, inputs)


def _torch_gradient(kind: str, inputs: np.ndarray) -> Way:
    """The same with `torch.nn`; no lengths, for packing would slow it down."""
    import torch  # pyright: ignore[reportMissingImports]

    torch.set_num_threads(len(os.sched_getaffinity(0)))
    size = inputs.shape[-1]
    layer = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[kind](size, size, batch_first=True)
    x = torch.tensor(inputs, requires_grad=True)

    def run():
        layer.zero_grad(set_to_none=True)
        x.grad = None
        (layer(x)[0] ** 2).sum().backward()

    return run


def measure(kind: str, size: tuple[int, ...], runs: int, ceiling: float) -> list[dict]:
    """Returns a row for each peer."""
    batch, steps, hidden = size
    values = np.random.default_rng(0).normal(size=size).astype(np.float32)
    inputs, lengths = jnp.asarray(values), jnp.full((batch,), steps)
    if kind == "lstm":
        ways = {
            "seqjax": _gradient(Ours(LSTMCell(hidden, hidden), "auto"), inputs, lengths),
            "seqjax scan": _gradient(Ours(LSTMCell(hidden, hidden), "scan"), inputs, lengths),
            "flax LSTMCell": _gradient(Flax(nn.LSTMCell(hidden)), inputs, lengths),
            "flax OptimizedLSTMCell": _gradient(
                Flax(nn.OptimizedLSTMCell(hidden)), inputs, lengths
            ),
        }
    else:
        ways = {
            "seqjax": _gradient(Ours(GRUCell(hidden, hidden), "auto"), inputs, lengths),
            "flax GRUCell": _gradient(Flax(nn.GRUCell(hidden)), inputs, lengths),
        }
    if importlib.util.find_spec("torch"):
        ways["torch"] = _torch_gradient(kind, values)
    gflop = 3 * 2 * batch * steps * GATES[kind] * hidden * 2 * hidden / 1e9
    case = f"{kind} {batch} x {steps} x {hidden}"
    return rows(case, "seqjax", interleaved(ways, runs), gflop=gflop, ceiling=ceiling)


def measurements(*, runs: int, sizes: list[tuple[int, ...]]) -> Iterator[dict[str, Any]]:
    """Yields the rows of every kind and size; of `SIZES`, if none are given."""
    ceiling = product_rate()
    for kind in GATES:
        for size in sizes or SIZES:
            yield from measure(kind, size, runs, ceiling)

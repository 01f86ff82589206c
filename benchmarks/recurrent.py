"""One recurrent layer, forward and backward: ours beside PyTorch's (oneDNN) and Flax's.

    seqjax bench recurrent [--runs 7] [--json] [--size 64x50x512]

PyTorch is compared with where it is installed, with as many threads as JAX has.
"""

import importlib.util
from collections.abc import Iterator
from typing import Any

import flax.linen as nn
import jax.numpy as jnp
import numpy as np

from benchmarks.layer import Flax, Ours, gradient
from benchmarks.timing import interleaved, product_rate, rows
from seqjax.cells.gru import GRUCell
from seqjax.cells.lstm import LSTMCell

SIZES = ((64, 50, 512), (32, 30, 256), (16, 100, 128), (1, 50, 512), (128, 200, 256))
"""Batch, time, input = hidden."""
GATES = {"lstm": 4, "gru": 3}


def measure(kind: str, size: tuple[int, ...], runs: int, ceiling: float) -> list[dict]:
    """Returns a row for each peer."""
    batch, steps, hidden = size
    values = np.random.default_rng(0).normal(size=size).astype(np.float32)
    inputs, lengths = jnp.asarray(values), jnp.full((batch,), steps)
    if kind == "lstm":
        ways = {
            "seqjax": gradient(Ours(LSTMCell(hidden, hidden), "auto"), inputs, lengths),
            "seqjax scan": gradient(Ours(LSTMCell(hidden, hidden), "scan"), inputs, lengths),
            "flax LSTMCell": gradient(Flax(nn.LSTMCell(hidden)), inputs, lengths),
            "flax OptimizedLSTMCell": gradient(Flax(nn.OptimizedLSTMCell(hidden)), inputs, lengths),
        }
    else:
        ways = {
            "seqjax": gradient(Ours(GRUCell(hidden, hidden), "auto"), inputs, lengths),
            "flax GRUCell": gradient(Flax(nn.GRUCell(hidden)), inputs, lengths),
        }
    if importlib.util.find_spec("torch"):
        from benchmarks import torch_layer

        ways["torch"] = torch_layer.gradient(kind, values)
    gflop = 3 * 2 * batch * steps * GATES[kind] * hidden * 2 * hidden / 1e9
    case = f"{kind} {batch} x {steps} x {hidden}"
    return rows(case, "seqjax", interleaved(ways, runs), gflop=gflop, ceiling=ceiling)


def measurements(*, runs: int, sizes: list[tuple[int, ...]]) -> Iterator[dict[str, Any]]:
    """Yields the rows of every kind and size; of `SIZES`, if none are given."""
    ceiling = product_rate()
    for kind in GATES:
        for size in sizes or SIZES:
            yield from measure(kind, size, runs, ceiling)

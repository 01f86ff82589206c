"""One LSTM layer, forward and backward: our ways through time beside Flax's own.

    python -m benchmarks.unroll [--runs 5] [--json]

All are timed in turn in the same process, several times over; what counts is the ratio of medians,
not the seconds of one machine. `ratio` is the peer's time over ours (`fused`).
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from seqjax.cells.lstm import LSTMCell
from seqjax.unroll.unroll import unroll

SIZES = ((64, 50, 512), (32, 30, 256), (16, 100, 128))
"""Batch, time, input = hidden."""


class Ours(nn.Module):
    """`LSTMCell` under `unroll`."""

    hidden: int
    method: str

    def setup(self):
        self.cell = LSTMCell(self.hidden, self.hidden)

    def __call__(self, inputs, lengths):
        carry = self.cell.initial_carry(inputs.shape[0])
        return unroll(self.cell, carry, inputs, lengths, method=self.method)[1]  # pyright: ignore


class Flax(nn.Module):
    """A Flax cell under `nn.RNN`."""

    hidden: int
    optimized: bool

    @nn.compact
    def __call__(self, inputs, lengths):
        kind = nn.OptimizedLSTMCell if self.optimized else nn.LSTMCell
        return nn.RNN(kind(self.hidden))(inputs, seq_lengths=lengths)


def gradient_of(module: nn.Module, inputs: Any, lengths: Any) -> Callable[[], Any]:
    """Returns a compiled forward and backward pass, warmed up."""
    variables = module.init(jax.random.key(0), inputs, lengths)

    def loss(variables, inputs):
        outputs: Any = module.apply(variables, inputs, lengths)
        return jnp.sum(outputs**2)

    compiled = jax.jit(jax.grad(loss, (0, 1))).lower(variables, inputs).compile()
    jax.block_until_ready(compiled(variables, inputs))
    return lambda: jax.block_until_ready(compiled(variables, inputs))


def measure(size: tuple[int, int, int], runs: int) -> list[dict[str, Any]]:
    """Returns a row for each peer: medians in seconds, and the ratio to ours."""
    batch, steps, hidden = size
    inputs = jnp.asarray(np.random.default_rng(0).normal(size=size), jnp.float32)
    lengths = jnp.full((batch,), steps)
    ways = {
        "fused": gradient_of(Ours(hidden, "fused"), inputs, lengths),
        "scan": gradient_of(Ours(hidden, "scan"), inputs, lengths),
        "flax LSTMCell": gradient_of(Flax(hidden, False), inputs, lengths),
        "flax OptimizedLSTMCell": gradient_of(Flax(hidden, True), inputs, lengths),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(runs):
        for name, way in ways.items():
            started = time.perf_counter()
            way()
            seconds[name].append(time.perf_counter() - started)
    ours = statistics.median(seconds.pop("fused"))
    flops = 3 * 2 * batch * steps * 4 * hidden * 2 * hidden
    return [
        {
            "case": f"{batch} x {steps} x {hidden}",
            "ours_s": round(ours, 5),
            "peer": name,
            "peer_s": round(statistics.median(times), 5),
            "ratio": round(statistics.median(times) / ours, 2),
            "gflops": round(flops / ours / 1e9, 1),
        }
        for name, times in seconds.items()
    ]


def main() -> None:
    """Prints the table, or one JSON object for each row."""
    parser = argparse.ArgumentParser(description="One LSTM layer, forward and backward.")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    for size in SIZES:
        for row in measure(size, arguments.runs):
            if arguments.json:
                print(json.dumps(row), flush=True)
            else:
                print("  ".join(f"{name} {value}" for name, value in row.items()), flush=True)


if __name__ == "__main__":
    main()

"""How much memory a training step takes: ours beside PyTorch's.

    seqjax bench memory [--runs 7] [--json]

The step of `benchmarks/seq2seq.py`, and one LSTM layer over a long sequence, forward and backward:
with one state in `KEEP_EVERY` kept for the gradient, and with every one. Each measurement is a
process of its own, on Linux. It imports its library and lets it do a sum; what is resident then is
the library's. Then it builds weights and optimizer, compiles, and makes `UPDATES` updates.

`ours_mb` and `peer_mb` are how far resident memory has risen above the library's at the peak of all
this (weights, moments of Adam, gradients, activations, compiler); `ours_peak_mb` and `peer_peak_mb`
are the peak itself. 1 MB is 1e6 bytes. `ratio` is the peer's rise over ours, above 1 we need less.
"""

import json
import re
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks import seq2seq
from benchmarks.timing import Way, in_turn_processes

STEP = ("seqjax", "seqjax, memory given back")
"""Ways of a seq2seq step besides those of PyTorch; the first is ours."""
LAYER = ("seqjax, keep_every", "seqjax")
"""The same of a layer."""
KEEP_EVERY = 32
UPDATES = 12


class Length(NamedTuple):
    """A long sequence: rows, time steps, input = hidden."""

    rows: int = 32
    time: int = 1_000
    width: int = 256


class Memory(NamedTuple):
    """Resident memory of a process in MB, now and at its highest so far."""

    now: float
    highest: float


def resident() -> Memory:
    """Returns the memory of this process.

    Not that of `getrusage`, whose maximum a process inherits from the one that started it.
    """
    status = Path("/proc/self/status").read_text()
    found = (re.findall(rf"{name}:\s*(\d+) kB", status)[0] for name in ("VmRSS", "VmHWM"))
    return Memory(*(int(kilobytes) * 1_024 / 1e6 for kilobytes in found))


def one_process(kind: str, input_feeding: bool | None, numbers: tuple[int, ...]) -> Memory:
    """Returns how far resident memory has risen above the library's, and its peak, in MB.

    Args:
      kind: One of `STEP`, of `LAYER`, or of `seq2seq.TORCH`.
      input_feeding: Of the seq2seq; None measures the layer in its place.
      numbers: A `Size`, or a `Length`.
    """
    _wake(kind)
    library = resident().now
    if input_feeding is None:
        way = _layer_gradient(kind, Length(*numbers))
    else:
        way = seq2seq.training_step(kind, seq2seq.Size(*numbers), input_feeding)
    for _ in range(UPDATES):
        way()
    highest = resident().highest
    return Memory(highest - library, highest)


def _wake(kind: str) -> None:
    if kind.startswith("torch"):
        import torch  # pyright: ignore[reportMissingImports]

        torch.ones(3).sum().item()
    else:
        import jax.numpy as jnp

        import benchmarks.seqjax_seq2seq  # noqa: F401

        jnp.ones(3).sum().block_until_ready()


def _layer_gradient(kind: str, length: Length) -> Way:
    """Returns a forward and backward pass of one LSTM layer, to the weights and to the inputs."""
    values = np.random.default_rng(0).normal(size=length).astype(np.float32)
    if kind.startswith("torch"):
        from benchmarks import torch_layer

        return torch_layer.gradient("lstm", values)
    import jax.numpy as jnp

    from benchmarks.layer import Ours, gradient
    from seqjax.cells.lstm import LSTMCell
    from seqjax.train.allocator import keep_freed_memory

    keep_freed_memory()
    cell = LSTMCell(length.width, length.width)
    layer = Ours(cell, keep_every=KEEP_EVERY if kind == LAYER[0] else None)
    return gradient(layer, jnp.asarray(values), jnp.full((length.rows,), length.time))


def measurements(
    *, runs: int, size: seq2seq.Size | None = None, length: Length | None = None
) -> Iterator[dict[str, Any]]:
    """Yields a row for every peer: of the seq2seq without and with input feeding, and of a layer.

    Args:
      runs: Processes of each; the median counts.
      size: Of the seq2seq; `Size()` if it is not given.
      length: Of the layer's sequence; `Length()` if it is not given.
    """
    size, length, torch = size or seq2seq.Size(), length or Length(), seq2seq.peers_here()
    for input_feeding in (False, True):
        case, kinds = seq2seq.case_of(input_feeding), (*STEP, *torch)
        yield from _rows(case, kinds, runs, input_feeding, size)
    case = f"lstm {length.rows} x {length.time} x {length.width}, every {KEEP_EVERY}"
    yield from _rows(case, (*LAYER, *torch[:1]), runs, None, length)


def _rows(
    case: str,
    kinds: tuple[str, ...],
    runs: int,
    input_feeding: bool | None,
    numbers: tuple[int, ...],
) -> list[dict[str, Any]]:
    arguments = {kind: (kind, json.dumps(input_feeding), *numbers) for kind in kinds}
    said = in_turn_processes("benchmarks.memory", arguments, runs)
    medians = {
        kind: Memory(*(statistics.median(values) for values in zip(*found, strict=True)))
        for kind, found in said.items()
    }
    mine = medians.pop(kinds[0])
    return [
        {
            "case": case,
            "ours_mb": round(mine.now, 1),
            "peer": kind,
            "peer_mb": round(peer.now, 1),
            "ratio": round(peer.now / mine.now, 2),
            "ours_peak_mb": round(mine.highest, 1),
            "peer_peak_mb": round(peer.highest, 1),
        }
        for kind, peer in medians.items()
    ]


def line_of(row: dict[str, Any]) -> str:
    """Returns a row as a line of a table."""
    return (
        f"{row['case']:<30} {row['ours_mb']:>8.1f} MB (peak {row['ours_peak_mb']:.1f}) "
        f"{row['ratio']:>6.2f} x {row['peer']} ({row['peer_mb']:.1f} MB, "
        f"peak {row['peer_peak_mb']:.1f})"
    )


if __name__ == "__main__":
    kind, input_feeding, *numbers = sys.argv[1:]
    print(json.dumps(one_process(kind, json.loads(input_feeding), tuple(map(int, numbers)))))

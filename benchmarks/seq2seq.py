"""A whole training step of a seq2seq: ours beside the same model in plain PyTorch.

    seqjax bench seq2seq [--runs 7] [--json]

Forward, backward, clipping at the global norm, Adam, new weights. Bidirectional LSTM encoder of two
layers, LSTM decoder of two layers that starts from the encoder's states, general attention, tanh
readout, output layer of its own; every row is full, and there is no dropout. Without input feeding,
and with it, where each step of the decoder waits for the readout of the one before.

Each measurement is a process of its own, for how the C library deals with memory is of a process:
ours keeps what is freed, as `seqjax train` does. PyTorch is measured as it comes, and once more
with that setting. Ours also reports token accuracy, and leaves out updates that are not finite.
"""

import importlib.util
import json
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from benchmarks.timing import (
    Way,
    in_turn_processes,
    line,
    median_of_runs,
    product_rate,
    rounded,
    rows,
    timing,
)

OURS = ("seqjax", "seqjax scan")
TORCH = ("torch", "torch, memory kept")
KEEP_MEMORY = (*OURS, "torch, memory kept")
"""Ways that run with `keep_freed_memory`."""
LEARNING_RATE, CLIP_NORM, BOS_ID, LAYERS = 2e-3, 1.0, 1, 2
STEPS, WARM_UP = 10, 2
"""Updates in one process that are timed, and those before them that are not."""


class Size(NamedTuple):
    """How much there is to do.

    Attributes:
      rows: Sentences of a batch.
      source, target: Tokens of each.
      vocabulary: Ids on either side.
      width: Of embeddings, readout and decoder layers; each direction of the encoder has half.
    """

    rows: int = 64
    source: int = 25
    target: int = 25
    vocabulary: int = 8_000
    width: int = 512

    def draw(self) -> tuple[np.ndarray, np.ndarray]:
        """Returns random ids of source and target."""
        draw = np.random.default_rng(0).integers
        shapes = ((self.rows, self.source), (self.rows, self.target))
        source, target = (draw(4, self.vocabulary, shape).astype(np.int32) for shape in shapes)
        return source, target

    def gflop(self, input_feeding: bool) -> float:
        """Returns the matrix products of a step, backward twice forward, in 1e9 operations."""
        width, half = self.width, self.width // 2
        encoder = LAYERS * 2 * 4 * half * (width + half)
        decoder = LAYERS * 4 * width * 2 * width + input_feeding * 4 * width * width
        attention = 2 * self.source * width + 2 * width * width
        source = self.source * (encoder + width * width)
        target = self.target * (decoder + attention + width * self.vocabulary)
        return 3 * 2 * self.rows * (source + target) / 1e9


def training_step(kind: str, size: Size, input_feeding: bool) -> Way:
    """Returns one update, of a model that the process keeps, as a way."""
    if kind in KEEP_MEMORY:
        from seqjax.train.allocator import keep_freed_memory

        keep_freed_memory()
    if kind in OURS:
        from benchmarks import seqjax_seq2seq

        unroll = "scan" if kind == "seqjax scan" else "auto"
        return seqjax_seq2seq.training_step(size, input_feeding, unroll)
    from benchmarks import torch_seq2seq

    return torch_seq2seq.training_step(size, input_feeding)


def peers_here() -> tuple[str, ...]:
    """Returns the peers from outside that are installed."""
    return TORCH if importlib.util.find_spec("torch") else ()


def case_of(input_feeding: bool) -> str:
    return "seq2seq step, input feeding" if input_feeding else "seq2seq step"


def measurements(*, runs: int, size: Size | None = None) -> Iterator[dict[str, Any]]:
    """Yields a row for every peer, without input feeding and with it; `tokens_per_s` is of targets.

    Args:
      runs: Processes of each.
      size: What is to be done; the whole `Size()` if it is not given.
    """
    size, ceiling = size or Size(), product_rate()
    for input_feeding in (False, True):
        seconds = in_turn_processes(
            "benchmarks.seq2seq",
            {kind: (kind, int(input_feeding), *size) for kind in (*OURS, *peers_here())},
            runs,
        )
        found = rows(
            case_of(input_feeding),
            "seqjax",
            {kind: timing(taken) for kind, taken in seconds.items()},
            gflop=size.gflop(input_feeding),
            ceiling=ceiling,
        )
        tokens = size.rows * size.target
        for row in found:
            yield row | {
                "tokens_per_s": rounded(tokens / row["ours_s"]),
                "peer_tokens_per_s": rounded(tokens / row["peer_s"]),
            }


def line_of(row: dict[str, Any]) -> str:
    """Returns a row as a line of a table."""
    return f"{line(row)}  {row['tokens_per_s']:.0f} target tokens/s"


if __name__ == "__main__":
    kind, input_feeding, *numbers = sys.argv[1:]
    way = training_step(kind, Size(*map(int, numbers)), input_feeding == "1")
    print(json.dumps(median_of_runs(way, STEPS, warm_up=WARM_UP)))

"""What batches of given lengths will be like: shapes, rows, padding and compilations."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from seqjax.config import DataConfig
from seqjax.data.planning import Shape, histogram, plan_shapes, shape_counts
from seqjax.errors import InputError


class PlanReport(NamedTuple):
    """How examples become batches.

    Attributes:
      shapes: Cheap to dear.
      examples: How many go to each.
      batches: In an epoch.
      tokens: Of source and target, in an epoch.
      padding: Share of the positions of all examples that hold no token.
      padding_and_filling: The same of all batches, with rows that only fill up a batch.
    """

    shapes: tuple[Shape, ...]
    examples: tuple[int, ...]
    batches: int
    tokens: int
    padding: float
    padding_and_filling: float

    @property
    def compilations(self) -> int:
        """How often the training step is compiled: once a shape."""
        return len(self.shapes)

    def document(self) -> dict[str, Any]:
        """Returns the report as plain JSON."""
        return {
            "shapes": [list(shape) for shape in self.shapes],
            "shape_examples": list(self.examples),
            "batches": self.batches,
            "padding_share": round(self.padding, 4),
            "padding_share_with_filling_rows": round(self.padding_and_filling, 4),
            "compilations": self.compilations,
        }

    def line(self) -> str:
        """Returns the report in one line."""
        rooms = " ".join(f"{s}x{t}·{rows}" for s, t, rows in self.shapes)
        return (
            f"{self.batches:,} an epoch in {self.compilations} shapes (source x target · rows), "
            f"each compiled once: {rooms} · {100 * self.padding:.1f}% padding, "
            f"{100 * self.padding_and_filling:.1f}% with filling rows"
        )


def rows_of(data: DataConfig, source: int, target: int) -> int:
    """Returns the rows of a batch of one shape: `batch_size`, or what `batch_tokens` has room for,
    which may be none.

    >>> rows_of(DataConfig(batch_tokens=1_000), 20, 22), rows_of(DataConfig(batch_tokens=64), 5, 5)
    (16, 0)
    """
    if data.batch_tokens is None:
        return data.batch_size
    return data.batch_tokens // (source + target) // data.batch_multiple * data.batch_multiple


def plan_report(
    source_lengths: Sequence[int] | np.ndarray,
    target_lengths: Sequence[int] | np.ndarray,
    data: DataConfig,
) -> PlanReport:
    """Returns how pairs of these lengths would be batched; needs the lengths alone.

    Args:
      source_lengths: Tokens of every source.
      target_lengths: Tokens of every target, EOS counted.
      data: Its buckets, batch size or token budget, and the weight of a target position.

    Raises:
      InputError: If a shape that is needed has no room in the token budget.
    """
    shapes = plan_shapes(
        source_lengths,
        target_lengths,
        data.buckets,
        lambda source, target: rows_of(data, source, target),
        data.target_weight,
    )
    if not shapes:
        longest = int(np.max(source_lengths)) + int(np.max(target_lengths))
        raise InputError(
            f"--data.batch-tokens {data.batch_tokens} has no room for {data.batch_multiple} rows "
            f"(--data.batch-multiple) of the longest pairs; {data.batch_multiple * longest} are "
            f"enough, or leave long pairs out with --data.max-source and --data.max-target"
        )
    counts = shape_counts(histogram(source_lengths, target_lengths), shapes).tolist()
    batches = [-(-count // shape.rows) for count, shape in zip(counts, shapes, strict=True)]
    tokens = int(np.sum(source_lengths, dtype=np.int64) + np.sum(target_lengths, dtype=np.int64))
    rooms = [shape.source + shape.target for shape in shapes]
    held = sum(count * room for count, room in zip(counts, rooms, strict=True))
    whole = sum(n * s.rows * room for n, s, room in zip(batches, shapes, rooms, strict=True))
    return PlanReport(
        shapes, tuple(counts), sum(batches), tokens, 1 - tokens / held, 1 - tokens / whole
    )

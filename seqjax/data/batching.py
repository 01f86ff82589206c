"""Examples into batches of few shapes, in an order that is a function of seed and epoch alone."""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from seqjax.types import WHOLE, Batch, Padded, Part

MOST_CUTS = 160
"""Distinct lengths that the planner chooses from; more are thinned out."""


class Examples(NamedTuple):
    """Encoded pairs. Sources are ids, `[time]` or (see `PairCoder`) `[time, 2]`; targets end with
    EOS."""

    sources: list[np.ndarray]
    targets: list[np.ndarray]


class Shape(NamedTuple):
    """Room for `source` and `target` tokens."""

    source: int
    target: int


def plan_shapes(
    source_lengths: Sequence[int], target_lengths: Sequence[int], max_shapes: int
) -> tuple[Shape, ...]:
    """Returns at most `max_shapes` shapes, small to large, that together waste the least padding.

    Examples are put in order of the sum of their lengths; a shape holds a stretch of that order,
    and is as long on each side as the longest example in it or before it. Where to cut is found by
    dynamic programming over the cost: padded positions of both sides.

    Args:
      source_lengths: Of every example; 0 is allowed.
      target_lengths: In the same order.
      max_shapes: Each costs a compilation.
    """
    lengths = np.stack([np.asarray(source_lengths), np.asarray(target_lengths)], axis=1)
    lengths = lengths[np.argsort(lengths.sum(axis=1), kind="stable")]
    longest = np.maximum(np.maximum.accumulate(lengths, axis=0), 1)
    ends = np.unique(np.linspace(0, len(lengths), MOST_CUTS + 1).astype(int)[1:])
    widths = longest[ends - 1].sum(axis=1)
    starts = np.concatenate([[0], ends])
    # cost[k] is the least cost of covering the examples up to each cut with k + 1 shapes.
    cost, choices = ends * widths, []
    for _ in range(max_shapes - 1):
        rows = ends[None, :] - ends[:, None]  # examples between cut i and cut j
        through = np.where(rows > 0, cost[:, None] + rows * widths[None], np.iinfo(np.int64).max)
        alone = ends * widths
        before = through.argmin(axis=0)
        better = through.min(axis=0) < alone
        choices.append(np.where(better, before, -1))
        cost = np.where(better, through.min(axis=0), alone)
    shapes, cut = [], len(ends) - 1
    while cut >= 0:
        shapes.append(Shape(*(int(side) for side in longest[starts[cut + 1] - 1])))
        cut = int(choices.pop()[cut]) if choices else -1
    return tuple(reversed(shapes))


def assign_shapes(examples: Examples, shapes: Sequence[Shape]) -> np.ndarray:
    """Returns the index of the first shape that each example fits into.

    Raises:
      ValueError: If one fits none.
    """
    lengths = np.array([(len(s), len(t)) for s, t in zip(*examples, strict=True)]).reshape(-1, 2)
    fits = (lengths[:, None] <= np.array(shapes)[None]).all(axis=-1)
    homeless = np.flatnonzero(~fits.any(axis=-1))
    if homeless.size:
        raise ValueError(f"example {homeless[0]} fits none of the shapes")
    return fits.argmax(axis=1)


def fit_shapes(shapes: Sequence[Shape], examples: Examples) -> tuple[Shape, ...]:
    """Returns the shapes, and one larger one if some example fits none of them."""
    source = max((len(source) for source in examples.sources), default=0)
    target = max((len(target) for target in examples.targets), default=0)
    largest = shapes[-1]
    if source <= largest.source and target <= largest.target:
        return tuple(shapes)
    return (*shapes, Shape(max(source, largest.source), max(target, largest.target)))


@dataclasses.dataclass(frozen=True)
class BatchPlan:
    """The batches of a set of examples.

    A batch holds examples of one shape and always `batch_size` rows; the last one of a shape is
    filled up with rows of length 0. Every example comes exactly once an epoch.

    Attributes:
      examples: What is batched.
      shapes: Small to large; see `fit_shapes`.
      batch_size: Rows.
      pad_id: What padding is filled with.
      seed: Of the order.
      shuffled: Else examples and batches stay in their order within each shape.
    """

    examples: Examples
    shapes: tuple[Shape, ...]
    batch_size: int
    pad_id: int
    seed: int = 0
    shuffled: bool = True

    def __post_init__(self):
        object.__setattr__(self, "_shape_of", assign_shapes(self.examples, self.shapes))

    @property
    def batches_per_epoch(self) -> int:
        """Batches in any epoch."""
        counts = np.bincount(self._shape_of, minlength=len(self.shapes))  # pyright: ignore
        return int(np.sum(-(-counts // self.batch_size)))

    def padding_share(self) -> float:
        """Returns the share of positions of an epoch that hold no token, filling rows included."""
        used = sum(len(tokens) for side in self.examples for tokens in side)
        counts = np.bincount(self._shape_of, minlength=len(self.shapes))  # pyright: ignore
        rows = -(-counts // self.batch_size) * self.batch_size
        return 1 - used / float(rows @ np.array(self.shapes).sum(axis=1))

    def batches(self, epoch: int, start: int = 0, part: Part = WHOLE) -> Iterator[Batch]:
        """Yields the batches of an epoch from number `start` on.

        Args:
          epoch: Passes before this one.
          start: Batches to leave out.
          part: Which rows of each to build; what is in the whole batch does not depend on it.
        """
        mine = part.rows(self.batch_size)
        for shape, indices in self._order(epoch)[start:]:
            yield self._batch(shape, indices[mine], mine.stop - mine.start)

    def _order(self, epoch: int) -> list[tuple[Shape, np.ndarray]]:
        generator = np.random.default_rng((self.seed, epoch))
        order = np.arange(len(self.examples.sources))
        if self.shuffled:
            order = generator.permutation(order)
        shape_of = self._shape_of[order]  # pyright: ignore[reportAttributeAccessIssue]
        batches = []
        for number, shape in enumerate(self.shapes):
            members = order[shape_of == number]
            cuts = range(0, len(members), self.batch_size)
            batches += [(shape, members[cut : cut + self.batch_size]) for cut in cuts]
        if self.shuffled:
            batches = [batches[number] for number in generator.permutation(len(batches))]
        return batches

    def _batch(self, shape: Shape, indices: np.ndarray, rows: int) -> Batch:
        return Batch(
            *(
                # With filling rows only, an empty row shows what a position holds.
                pad([side[index] for index in indices] or [side[0][:0]], rows, width, self.pad_id)
                for side, width in zip(self.examples, shape, strict=True)
            )
        )


def pad(rows: Sequence[Sequence[int] | np.ndarray], height: int, width: int, pad_id: int) -> Padded:
    """Returns rows `[time, ...]` of ids, right-padded; rows that are missing have length 0."""
    each = np.shape(rows[0])[1:] if len(rows) else ()
    values = np.full((height, width, *each), pad_id, np.int32)
    lengths = np.zeros(height, np.int32)
    for number, tokens in enumerate(rows):
        values[number, : len(tokens)] = tokens
        lengths[number] = len(tokens)
    return Padded(values, lengths)

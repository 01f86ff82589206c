"""Examples into batches of few shapes, in an order that is a function of seed and epoch alone."""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from seqjax.data.planning import Shape
from seqjax.data.ragged import Ragged
from seqjax.types import WHOLE, Batch, Padded, Part


class Examples(NamedTuple):
    """Encoded pairs. Sources are ids, `[time]` or (see `PairCoder`) `[time, 2]`; targets end with
    EOS."""

    sources: Ragged
    targets: Ragged


def assign_shapes(examples: Examples, shapes: Sequence[Shape]) -> np.ndarray:
    """Returns the index of the first shape that each example fits into; cheap ones come first.

    Raises:
      ValueError: If one fits none.
    """
    sources, targets = (side.lengths for side in examples)
    homes = np.full(len(sources), -1, np.int32)
    for number in reversed(range(len(shapes))):
        homes[(sources <= shapes[number].source) & (targets <= shapes[number].target)] = number
    homeless = np.flatnonzero(homes < 0)
    if homeless.size:
        raise ValueError(f"example {homeless[0]} fits none of the shapes")
    return homes


def fit_shapes(shapes: Sequence[Shape], examples: Examples) -> tuple[Shape, ...]:
    """Returns the shapes, and a larger one if an example fits none: of as few rows as any has."""
    sources, targets = (side.lengths for side in examples)
    homeless = np.ones(len(sources), bool)
    for shape in shapes:
        homeless &= (sources > shape.source) | (targets > shape.target)
    if not homeless.any():
        return tuple(shapes)
    source = max(int(sources[homeless].max()), *(shape.source for shape in shapes))
    target = max(int(targets[homeless].max()), *(shape.target for shape in shapes))
    return (*shapes, Shape(source, target, rows=min(shape.rows for shape in shapes)))


@dataclasses.dataclass(frozen=True)
class BatchPlan:
    """The batches of a set of examples.

    A batch holds examples of one shape and always as many rows as the shape says; the last one of
    a shape is filled up with rows of length 0. Every example comes exactly once an epoch. Which
    examples are in batch n of an epoch is a function of seed and epoch: nothing is kept between two
    batches, so that to go on anywhere takes no more than the number of the batch.

    Attributes:
      examples: What is batched.
      shapes: Cheap to dear; see `fit_shapes`.
      pad_id: What padding is filled with.
      seed: Of the order.
      shuffled: Else examples and batches stay in their order within each shape.
    """

    examples: Examples
    shapes: tuple[Shape, ...]
    pad_id: int
    seed: int = 0
    shuffled: bool = True

    def __post_init__(self):
        object.__setattr__(self, "_shape_of", assign_shapes(self.examples, self.shapes))

    @property
    def batches_per_epoch(self) -> int:
        """Batches in any epoch."""
        counts = np.bincount(self._shape_of, minlength=len(self.shapes))  # pyright: ignore
        return sum(-(-int(n) // shape.rows) for n, shape in zip(counts, self.shapes, strict=True))

    def batches(self, epoch: int, start: int = 0, part: Part = WHOLE) -> Iterator[Batch]:
        """Yields the batches of an epoch from number `start` on.

        Args:
          epoch: Passes before this one.
          start: Batches to leave out.
          part: Which rows of each to build; what is in the whole batch does not depend on it.
        """
        for shape, numbers in self._order(epoch)[start:]:
            mine = part.rows(shape.rows)
            height = mine.stop - mine.start
            yield Batch(
                *(
                    side.padded(numbers[mine], height, width, self.pad_id)
                    for side, width in zip(self.examples, shape[:2], strict=True)
                )
            )

    def _order(self, epoch: int) -> list[tuple[Shape, np.ndarray]]:
        generator = np.random.default_rng((self.seed, epoch))
        order = np.arange(len(self.examples.sources))
        if self.shuffled:
            order = generator.permutation(order)
        shape_of = self._shape_of[order]  # pyright: ignore[reportAttributeAccessIssue]
        batches = []
        for number, shape in enumerate(self.shapes):
            members = order[shape_of == number]
            cuts = range(0, len(members), shape.rows)
            batches += [(shape, members[cut : cut + shape.rows]) for cut in cuts]
        if self.shuffled:
            batches = [batches[number] for number in generator.permutation(len(batches))]
        return batches


def pad(rows: Sequence[Sequence[int] | np.ndarray], height: int, width: int, pad_id: int) -> Padded:
    """Returns rows `[time, ...]`, right-padded; rows that are missing have length 0."""
    vectors = any(isinstance(row, np.ndarray) and row.dtype == np.float32 for row in rows)
    ragged = Ragged.of(rows, np.float32 if vectors else np.int32)
    return ragged.padded(np.arange(len(rows)), height, width, pad_id)

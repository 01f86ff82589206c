"""Which few shapes of batches waste the least work, found from how often each pair of lengths is.

A shape is a room for source and target tokens. An example goes to the cheapest shape that it fits
into, so that the work of a choice of shapes is a sum over the histogram of lengths, and each choice
can be priced exactly. Shapes need not hold one another: a long source with a short target may have
a shape of its own.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

MOST_CELLS = 400_000
"""Cells of the histogram times different prices that are looked at together; with more, lengths
are thinned out before the search and shapes are mended by single tokens after it."""
THINNED = 30
"""Lengths of a side that are left then."""
MOST_WORK = 80_000_000
"""Cells looked at in the whole search, which bounds its time (1 to 2 s) and not by a clock."""

SMALL = 40
"""Cells up to which two shapes are looked for together, wherever the first may be."""
PROMISING = 1.01
"""Work, in shares of the best so far, up to which a change is worth being polished."""

Spot = tuple[int, int]
"""Row and column of the histogram: a shape, as numbers of a source and a target length."""


class Shape(NamedTuple):
    """Room for `source` and `target` tokens in each of `rows` rows."""

    source: int
    target: int
    rows: int


class Histogram(NamedTuple):
    """How often lengths occur together.

    Attributes:
      sources: `[s]` lengths that occur, ascending.
      targets: `[t]` the same of targets.
      counts: `[s, t]` examples of each pair of them.
      prices: `[s, t]` work of one row of a shape that size.
    """

    sources: np.ndarray
    targets: np.ndarray
    counts: np.ndarray
    prices: np.ndarray


def histogram(
    source_lengths: Sequence[int] | np.ndarray,
    target_lengths: Sequence[int] | np.ndarray,
    target_weight: float = 1.0,
) -> Histogram:
    """Returns how often each pair of lengths occurs; a length of 0 needs room for one token."""
    sources, source_numbers = np.unique(np.maximum(source_lengths, 1), return_inverse=True)
    targets, target_numbers = np.unique(np.maximum(target_lengths, 1), return_inverse=True)
    cells = source_numbers.astype(np.int64) * len(targets) + target_numbers
    counts = np.bincount(cells, minlength=len(sources) * len(targets))
    prices = sources[:, None] + target_weight * targets[None].astype(np.float64)
    return Histogram(sources, targets, counts.reshape(prices.shape), prices)


def plan_shapes(
    source_lengths: Sequence[int] | np.ndarray,
    target_lengths: Sequence[int] | np.ndarray,
    max_shapes: int,
    rows_fn: Callable[[int, int], int],
    target_weight: float = 1.0,
) -> tuple[Shape, ...]:
    """Returns at most `max_shapes` shapes, cheap to dear, that together waste little.

    From a greedy choice, one shape after the other is replaced by the best one beside the rest, as
    long as that helps; then several are added and as many dropped, and pairs are chosen anew. Of
    all numbers of shapes up to `max_shapes` that one is taken for which an epoch has the least
    work, rows that only fill up the last batch of a shape included. The same lengths always give
    the same shapes.

    Args:
      source_lengths: Of every example; 0 is allowed.
      target_lengths: In the same order.
      max_shapes: Each costs a compilation.
      rows_fn: `(source, target) -> rows` of a batch of that shape; 0 where it must not be.
      target_weight: What a target position costs where a source position costs 1.

    Returns:
      The shapes; none if all choices that were looked at need one that must not be.
    """
    if not len(source_lengths):
        raise ValueError("lengths must be those of one example at least, got none")
    whole = histogram(source_lengths, target_lengths, target_weight)
    search = _Search(_thinned(whole))
    thinned = search.table
    spots, best, least = search.run(max_shapes), (), np.inf
    while spots:
        shapes = [Shape(int(thinned.sources[s]), int(thinned.targets[t]), 0) for s, t in spots]
        shapes = _mended(whole, shapes, target_weight) if thinned is not whole else shapes
        shapes = [shape._replace(rows=rows_fn(shape.source, shape.target)) for shape in shapes]
        shapes = sorted(shapes, key=lambda shape: _price(shape, target_weight))
        counts = shape_counts(whole, shapes)
        shapes = [shape for shape, count in zip(shapes, counts, strict=True) if count]
        work = sum(
            -(-count // max(shape.rows, 1)) * shape.rows * _price(shape, target_weight)
            for shape, count in zip(shapes, counts[counts > 0].tolist(), strict=True)
        )
        if work < least and all(shape.rows for shape in shapes):
            best, least = tuple(shapes), work
        spots = search.polished(search.dropped(spots, len(spots) - 1)) if len(spots) > 1 else []
    return best


def shape_counts(table: Histogram, shapes: Sequence[Shape]) -> np.ndarray:
    """Returns `[shapes]`, how many examples go to each; the first of `shapes` that fits has them.

    Raises:
      ValueError: If one fits none.
    """
    homes = np.full(table.counts.shape, -1)
    for number in reversed(range(len(shapes))):
        fits = [
            np.searchsorted(lengths, room, side="right")
            for lengths, room in zip(table[:2], shapes[number][:2], strict=True)
        ]
        homes[: fits[0], : fits[1]] = number
    if np.any(table.counts[homes < 0]):
        raise ValueError(f"shapes must have room for every example, got {list(shapes)}")
    taken = homes >= 0
    return np.bincount(
        homes[taken], weights=table.counts[taken].astype(np.float64), minlength=len(shapes)
    ).astype(np.int64)


def _price(shape: Shape, target_weight: float) -> float:
    return shape.source + target_weight * shape.target


class _Search:
    """Choices of spots, priced on one histogram. What fits none of them costs more than anything,
    so that whatever helps makes room for everybody first."""

    def __init__(self, table: Histogram):
        self.table = table
        self._counts = table.counts.astype(np.float64)
        self._levels, levels = np.unique(table.prices, return_inverse=True)
        self._level_of = levels.reshape(-1)
        self._far = 2 * float(self._levels[-1] * self._counts.sum())
        self._looks = max(MOST_WORK // (len(self._levels) * table.counts.size), 20)

    def run(self, size: int) -> list[Spot]:
        """Returns at most `size` spots of little work."""
        spots = self.polished(self._grown([], size))
        better = True
        while better and self._looks > 0:
            better = False
            for other in self._neighbours(spots, size):
                if self.work(other) < self.work(spots):
                    spots, better = other, True
                    break
        return spots

    def work(self, spots: Sequence[Spot]) -> float:
        """Returns the work of all examples, each at the cheapest spot that holds it."""
        return float(np.sum(self._counts * self._cheapest(spots)))

    def polished(self, spots: list[Spot]) -> list[Spot]:
        """Replaces spots one by one by the best beside the others until none can be bettered, and
        however little may still be looked at, until every example has room."""
        spots, number, settled = list(spots), 0, 0
        while settled < len(spots) and (self._looks > 0 or self.work(spots) >= self._far):
            others = spots[:number] + spots[number + 1 :]
            found = [*spots[:number], self._best_beside(others), *spots[number + 1 :]]
            settled += 1
            if self.work(found) < self.work(spots):
                spots, settled = found, 1
            number = (number + 1) % len(spots)
        return spots

    def dropped(self, spots: list[Spot], size: int) -> list[Spot]:
        """Leaves out, one after the other, the spot that is missed least."""
        while len(spots) > size:
            rests = [spots[:number] + spots[number + 1 :] for number in range(len(spots))]
            spots = min(rests, key=self.work)
        return spots

    def _neighbours(self, spots: list[Spot], size: int) -> Iterator[list[Spot]]:
        """Yields choices with two spots found anew, neighbours in price first; then such for which
        there were some more spots for a while."""
        ordered = sorted(spots, key=lambda spot: (self.table.prices[spot], spot))
        for apart in range(1, len(ordered)):
            for first in range(len(ordered) - apart):
                kept = [s for n, s in enumerate(ordered) if n not in (first, first + apart)]
                found = self._grown(kept, 2)
                if self.work(found) < PROMISING * self.work(spots) and self._looks > 0:
                    yield self.polished(found)
        for more in (1, 2, 3):
            yield self.polished(self.dropped(self.polished(self._grown(spots, more)), size))
        if size > 1 and self._counts.size <= SMALL:
            everywhere = list(np.ndindex(self._counts.shape))
            for kept in itertools.combinations(spots, size - 2):
                for spot in everywhere:
                    yield self._grown([*kept, spot], 1)

    def _grown(self, spots: list[Spot], more: int) -> list[Spot]:
        for _ in range(more):
            spots = [*spots, self._best_beside(spots)]
        return spots

    def _cheapest(self, spots: Sequence[Spot]) -> np.ndarray:
        cheapest = np.full(self._counts.shape, self._far)
        for source, target in sorted(spots, key=lambda spot: -self.table.prices[spot]):
            cheapest[: source + 1, : target + 1] = self.table.prices[source, target]
        return cheapest

    def _best_beside(self, spots: Sequence[Spot]) -> Spot:
        """Returns the spot that saves most beside the given ones, of all that there are.

        What a spot of price p saves is the sum of `max(price now - p, 0)` over the examples that it
        holds: for one p, a cumulative sum along both sides.
        """
        self._looks -= 1
        savings = self._cheapest(spots)[None] - self._levels[:, None, None]
        savings = self._counts * np.maximum(savings, 0.0, out=savings)
        np.cumsum(savings, axis=1, out=savings)
        np.cumsum(savings, axis=2, out=savings)
        size = self._counts.size
        best = savings.reshape(len(self._levels), size)[self._level_of, np.arange(size)].argmax()
        source, target = divmod(int(best), self._counts.shape[1])
        return source, target


def _thinned(table: Histogram) -> Histogram:
    """Returns the histogram with fewer lengths if it is too large; the longest ones stay."""
    if table.counts.size * len(np.unique(table.prices)) <= MOST_CELLS:
        return table
    kept = []
    for axis, lengths in enumerate(table[:2]):
        tokens = np.cumsum(lengths * table.counts.sum(axis=1 - axis, dtype=np.float64))
        cuts = np.searchsorted(tokens, tokens[-1] * np.linspace(0, 1, THINNED + 1)[1:])
        kept.append(np.unique([*np.minimum(cuts, len(lengths) - 1), len(lengths) - 1]))
    sources, targets = kept
    counts = table.counts
    for axis, cuts in enumerate(kept):  # what was between two cuts needs the room of the later one
        counts = np.add.reduceat(counts, np.concatenate([[0], cuts[:-1] + 1]), axis=axis)
    return Histogram(
        table.sources[sources], table.targets[targets], counts, table.prices[np.ix_(*kept)]
    )


def _mended(table: Histogram, shapes: list[Shape], target_weight: float) -> list[Shape]:
    """Moves the sides of shapes by single steps on the whole histogram, as long as that helps."""
    fine = _Search(table)
    spots = [
        (int(np.searchsorted(table.sources, s)), int(np.searchsorted(table.targets, t)))
        for s, t, _ in shapes
    ]
    budget = max(MOST_WORK // (len(spots) * table.counts.size), 20)
    step = 8
    while step and budget > 0:
        before = spots
        for number in range(len(spots)):
            source, target = spots[number]
            for moved in (
                (source - step, target),
                (source + step, target),
                (source, target - step),
                (source, target + step),
                (source - step, target - step),
                (source + step, target + step),
            ):
                budget -= 1
                if 0 <= moved[0] < len(table.sources) and 0 <= moved[1] < len(table.targets):
                    found = [*spots[:number], moved, *spots[number + 1 :]]
                    spots = min(spots, found, key=fine.work)
        step = step if spots != before else step // 2
    return [Shape(int(table.sources[s]), int(table.targets[t]), 0) for s, t in spots]

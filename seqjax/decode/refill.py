"""Many sentences through few slots: whoever is done makes room for the next.

A search of a batch is as long as that of its longest sentence, and the rows of all others are
computed for nothing meanwhile. Here a slot whose sentence is done is given the next one at once.
What a sentence gets does not depend on the others, so it gets the same.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int

from seqjax.decode.protocol import Hypotheses
from seqjax.decode.search import Progress
from seqjax.masking import where_rows

NOBODY = -1


class Work(NamedTuple):
    """What is searched, side by side; every leaf leads with `batch`.

    Attributes:
      progress: How far each search has come.
      sentences: What belongs to a sentence and never changes: what a step function looks back at,
        and what processors and ways of searching must know of it.
    """

    progress: Progress
    sentences: Any


def refilled(work: Work, fresh: Work, take: Int[Array, " batch"]) -> Work:
    """Returns the work with fresh sentences in some of its slots.

    Args:
      work: Of `batch` slots.
      fresh: Of any number of sentences, not begun yet. Its leaves may differ from those of `work`
        in size after the first axis (for longer sources): the smaller are padded with zeros.
      take: Which of the fresh ones each slot is given; negative where it keeps its own.
    """

    def leaf(old, new):
        sizes = tuple(map(max, old.shape[1:], new.shape[1:]))
        old, new = _grown(old, sizes), _grown(new, sizes)
        return where_rows(take >= 0, new[jnp.maximum(take, 0)], old)

    return jax.tree.map(leaf, work, fresh)


def in_turn(
    blocks: Iterable[tuple[list[int], Work]],
    *,
    go_on_fn: Callable[[Work, int], Work],
    refill_fn: Callable[[Work, Work, np.ndarray], Work],
    finish_fn: Callable[[Work], Hypotheses],
) -> Iterator[tuple[int, Hypotheses]]:
    """Yields `(number, what was found)` of each sentence when its search is done.

    Args:
      blocks: `(numbers, work)`, the work not begun yet, by rising size of its leaves. The first
        `len(numbers)` rows are sentences of those numbers, what follows fills up the batch.
      go_on_fn: `(work, most) -> work`: goes on until all are done, or `most` more of them.
      refill_fn: `refilled`, compiled.
      finish_fn: Returns what was found in all slots.
    """
    fresh = _Fresh(blocks)
    work, slots = fresh.first()
    while True:
        done = np.asarray(work.progress.done)
        ready = np.flatnonzero(done & (slots != NOBODY))
        if len(ready):
            found = jax.device_get(finish_fn(work))
            for slot in ready:
                yield int(slots[slot]), jax.tree.map(lambda leaf, slot=slot: leaf[slot], found)
            slots[ready] = NOBODY
        free = np.flatnonzero(slots == NOBODY)
        while len(free) and fresh.any():
            take = np.full(len(slots), NOBODY, np.int32)
            for slot in free[: len(fresh.rows)]:
                take[slot], slots[slot] = fresh.rows.pop(0)
            work = refill_fn(work, fresh.work, take)
            free = np.flatnonzero(slots == NOBODY)
        active = int(np.sum(slots != NOBODY))
        if not active:
            return
        work = go_on_fn(work, max(1, len(slots) // 16) if fresh.any() else active)


class _Fresh:
    """Sentences that have not begun, block by block.

    Attributes:
      rows: `(row of the block, number)` of those that wait.
      work: The block.
    """

    def __init__(self, blocks: Iterable[tuple[list[int], Work]]):
        self._blocks = iter(blocks)
        self.rows: list[tuple[int, int]] = []
        self.work: Any = None

    def any(self) -> bool:
        """Whether anybody waits; looks into the next block for that."""
        while not self.rows:
            block = next(self._blocks, None)
            if block is None:
                return False
            self.rows, self.work = list(enumerate(block[0])), block[1]
        return True

    def first(self) -> tuple[Work, np.ndarray]:
        """Returns the first block as it is, and the numbers of its sentences by slot."""
        if not self.any():
            raise ValueError("blocks must hold a sentence, got none")
        slots = np.full(len(self.work.progress.done), NOBODY)
        slots[: len(self.rows)] = [number for _, number in self.rows]
        self.rows = []
        return self.work, slots


def _grown(values: Array, sizes: tuple[int, ...]) -> Array:
    room = [(0, size - had) for size, had in zip(sizes, values.shape[1:], strict=True)]
    return jnp.pad(values, [(0, 0), *room]) if any(more for _, more in room) else values

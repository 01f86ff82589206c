"""Several processes that train together: who is first, and what they have to tell each other.

Everything here is called by all of them, in the same order. Of a single process nothing is asked,
and nothing is waited for.
"""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.experimental import multihost_utils

from seqjax.errors import InputError
from seqjax.types import Batch, Part

ASK_EVERY = 0.5
"""Seconds between two times that processes ask each other whether to stop."""
MOST_BETWEEN = 256
"""Steps between two such times at the most."""
LEAST_ROOM = 256
"""Bytes that are sent at the least, so that few lengths are compiled for."""


def several() -> bool:
    """Returns whether there are others."""
    return jax.process_count() > 1


def is_first() -> bool:
    """Returns whether this process writes for all of them."""
    return jax.process_index() == 0


def gathered(value: Any) -> list[Any]:
    """Returns what each process gives, in their order; plain JSON."""
    if not several():
        return [value]
    text = np.frombuffer(json.dumps(value).encode(), np.uint8)
    lengths = _all(np.array([text.size], np.int32))[:, 0]
    room = LEAST_ROOM
    while room < lengths.max():
        room *= 2
    texts = _all(np.pad(text, (0, room - text.size)))
    return [
        json.loads(bytes(row[:length])) for row, length in zip(texts, lengths.tolist(), strict=True)
    ]


def told(value: Any) -> Any:
    """Returns what the first process gives; plain JSON. The others may give anything."""
    return gathered(value if is_first() else None)[0]


def meet() -> None:
    """Returns when all processes have come."""
    gathered(None)


def jointly(action: Callable[[], Any], *, first_only: bool = False) -> None:
    """Runs `action` in every process, or in the first; what fails in one has failed in all.

    Raises:
      InputError, OSError: Whatever the first of those that failed raised.
    """
    if not several():
        action()
        return
    failed = ("", "")
    try:
        if is_first() or not first_only:
            action()
    except InputError as error:
        failed = ("input", str(error))
    except OSError as error:
        failed = ("system", f"process {jax.process_index()}: {error.strerror or error}")
    for kind, text in gathered(failed):
        if kind:
            raise InputError(text) if kind == "input" else OSError(text)


class OwnRows(NamedTuple):
    """A feed of which only the rows of one process are built."""

    feed: Any
    part: Part

    @property
    def batches_per_epoch(self) -> int:
        """Those of the whole feed."""
        return self.feed.batches_per_epoch

    def batches(self, epoch: int, start: int) -> Iterator[Batch]:
        """Yields this process's rows of the batches of an epoch from number `start` on."""
        return self.feed.batches(epoch, start, self.part)


class Agreement:
    """Lets all processes stop at the same step, and has them all know one time.

    Some processes may be asked to stop, others not, and their clocks differ. Every so many calls,
    of about half a second, they tell each other; in between, nothing changes.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self._clock, self._begun = clock, clock()
        self._stopping, self._now = False, 0.0
        self._calls = self._next = self._asked_calls = 0
        self._asked_at = 0.0

    def stopping(self, wish: bool) -> bool:
        """Returns whether to stop; all processes call it equally often.

        Args:
          wish: Whether this process was asked to.
        """
        if not several():
            return wish
        self._calls += 1
        if self._calls > self._next and not self._stopping:
            self._ask(wish)
        return self._stopping

    def now(self) -> float:
        """Returns seconds since this was made: for the first process, when they last asked."""
        return self._now if several() else self._clock() - self._begun

    def _ask(self, wish: bool) -> None:
        now = self._clock() - self._begun
        pace = (now - self._asked_at) / (self._calls - self._asked_calls)
        between = min(int(ASK_EVERY / max(pace, 1e-6)), MOST_BETWEEN)
        self._asked_at, self._asked_calls = now, self._calls
        said = _all(np.array([wish, round(1000 * now), between], np.int32))
        self._stopping = bool(said[:, 0].any())
        self._now, self._next = said[0, 1].item() / 1000, self._calls + said[0, 2].item()


def _all(row: np.ndarray) -> np.ndarray:
    return np.asarray(multihost_utils.process_allgather(row))

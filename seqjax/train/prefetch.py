"""Batches are made and put on the device by one thread while the step before them computes."""

import queue
import threading
from collections.abc import Callable, Generator, Iterable
from typing import Any, NamedTuple, TypeVar

import jax

from seqjax.types import Batch

Made = TypeVar("Made")


class _End(NamedTuple):
    """The last thing that the thread says; with the error if there was one."""

    error: BaseException | None


def prefetched(
    batches: Iterable[Batch],
    place_fn: Callable[[Batch], Made] = jax.device_put,
    depth: int = 2,
) -> Generator[Made, None, None]:
    """Yields `place_fn(batch)` of every batch in order, made up to `depth` ahead in one thread.

    The thread lives from the first batch that is asked for until the iterator is used up, closed or
    dropped, or an error passes through it; then it has ended, and `batches` is closed. Whoever may
    leave before the end closes it (`contextlib.closing`). How far ahead batches are made changes
    neither their order nor what is in them.

    Args:
      batches: Used by that thread alone.
      place_fn: NumPy to device, of one batch.
      depth: Batches that wait on the device besides the one in use; 0 makes each when it is asked
        for, without a thread.

    Raises:
      ValueError: If `depth` is negative.
      BaseException: Whatever `batches` or `place_fn` raise, after the batches before it, with the
        traceback of where it was raised.
    """
    if depth < 0:
        raise ValueError(f"depth must be at least 0, got {depth}")
    if depth == 0:
        return (place_fn(batch) for batch in batches)
    return _in_a_thread(batches, place_fn, depth)


def _in_a_thread(
    batches: Iterable[Batch], place_fn: Callable[[Batch], Made], depth: int
) -> Generator[Made, None, None]:
    ready: queue.SimpleQueue[Any] = queue.SimpleQueue()
    room, stopped = threading.Semaphore(depth), threading.Event()

    def make_all() -> None:
        source = iter(batches)
        try:
            while room.acquire() and not stopped.is_set():
                batch = next(source, None)
                if batch is None:
                    break
                ready.put(place_fn(batch))
        finally:
            if isinstance(source, Generator):
                source.close()

    def work() -> None:
        try:
            make_all()
        except BaseException as error:  # it belongs to whoever asks for the next batch
            ready.put(_End(error))
        else:
            ready.put(_End(None))

    # A daemon: an iterator that somebody still holds must not keep the interpreter from leaving.
    thread = threading.Thread(target=work, name="seqjax-prefetch", daemon=True)
    thread.start()
    try:
        while not isinstance(made := ready.get(), _End):
            room.release()
            yield made
        if made.error is not None:
            raise made.error
    finally:
        stopped.set()
        room.release()
        thread.join()

"""Prefetching: the same batches in the same order, and no thread stays behind."""

import contextlib
import gc
import threading
import traceback

import numpy as np
import pytest
from train import toys

from seqjax.train.prefetch import prefetched


def numbered(count, closed=None):
    """Batches that can be told apart; says in `closed` that it was closed."""
    try:
        for number in range(count):
            yield toys.make_batch(number)
    finally:
        if closed is not None:
            closed.append(threading.current_thread().name)


def threads():
    return [thread for thread in threading.enumerate() if thread.name == "seqjax-prefetch"]


@pytest.mark.parametrize("depth", (0, 1, 2, 7))
def test_depth_changes_neither_order_nor_content(depth):
    found = list(prefetched(numbered(5), depth=depth))
    assert len(found) == 5
    for one, other in zip(found, numbered(5), strict=True):
        np.testing.assert_array_equal(one.inputs.values, other.inputs.values)
        np.testing.assert_array_equal(one.targets.lengths, other.targets.lengths)
    assert threads() == []


def test_batches_are_made_in_another_thread_and_no_more_than_depth_ahead():
    made, third = [], threading.Event()

    def place(batch):
        made.append(threading.current_thread().name)
        if len(made) == 3:
            third.set()
        return len(made)

    with contextlib.closing(prefetched(numbered(9), place, depth=2)) as batches:
        assert next(batches) == 1
        assert third.wait(10)  # two ahead of the one that was taken
        assert not threading.Event().wait(0.05) and made == ["seqjax-prefetch"] * 3
        assert next(batches) == 2
    assert len(made) <= 4 and threads() == []


def test_an_error_comes_after_the_batches_before_it_with_its_traceback():
    def broken():
        yield toys.make_batch(0)
        yield toys.make_batch(1)
        raise OSError("the disk is gone")

    batches = prefetched(broken(), lambda batch: batch)
    assert len([next(batches), next(batches)]) == 2
    with pytest.raises(OSError, match="the disk is gone") as caught:
        next(batches)
    assert "broken" in [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert threads() == []


@pytest.mark.parametrize("error", (ValueError, KeyboardInterrupt, StopIteration))
def test_an_error_of_placing_is_no_silent_end(error):
    def place(batch):
        raise error("no room")

    with pytest.raises(RuntimeError if error is StopIteration else error):
        list(prefetched(numbered(3), place))
    assert threads() == []


def test_closing_ends_the_thread_and_closes_the_batches_in_it():
    closed = []
    batches = prefetched(numbered(10**9, closed), lambda batch: batch, depth=2)
    next(batches)
    assert len(threads()) == 1 and closed == []
    batches.close()
    assert threads() == [] and closed == ["seqjax-prefetch"]


@pytest.mark.parametrize("error", (KeyboardInterrupt, ValueError))
def test_an_error_of_the_consumer_ends_the_thread(error):
    closed = []
    with pytest.raises(error), contextlib.closing(prefetched(numbered(99, closed))) as batches:
        for _ in batches:
            raise error
    assert threads() == [] and len(closed) == 1


def test_a_dropped_iterator_leaves_nothing_behind():
    batches = prefetched(numbered(10**9))
    next(batches)
    del batches
    gc.collect()
    assert threads() == []


def test_nothing_begins_before_the_first_batch_is_asked_for():
    closed = []
    batches = prefetched(numbered(3, closed), depth=2)
    assert threads() == []
    batches.close()
    assert closed == []
    with pytest.raises(ValueError, match="depth must be at least 0, got -1"):
        prefetched(numbered(3), depth=-1)

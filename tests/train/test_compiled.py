"""What is compiled ahead is what is compiled when it is met, and is said and counted once."""

import contextlib
import threading

import jax.numpy as jnp
import numpy as np

from seqjax.train.compiled import Compiled


class Heard:
    """Whatever is announced, and by which thread."""

    def __init__(self):
        self.said, self.threads = [], set()

    @contextlib.contextmanager
    def __call__(self, what):
        self.said.append(what)
        self.threads.add(threading.current_thread())
        yield


def doubled(heard):
    return Compiled(lambda x: 2 * x, heard, lambda x: f"{len(x)} numbers")


def test_what_was_begun_is_what_is_met_and_is_announced_when_it_is_needed():
    heard = Heard()
    ahead, at_once = doubled(heard), doubled(Heard())
    with contextlib.closing(ahead):
        for size in (2, 3, 2):
            ahead.begin(jnp.ones(size))
        assert heard.said == [] and ahead.compilations == 0
        for size in (3, 2, 3, 4):
            np.testing.assert_array_equal(ahead(jnp.ones(size)), at_once(jnp.ones(size)))
        assert heard.said == ["3 numbers", "2 numbers", "4 numbers"]
        assert ahead.compilations == at_once.compilations == 3
        assert heard.threads == {threading.current_thread()}


class Counted:
    """A jitted function that says which thread lowers it."""

    def __init__(self, jitted):
        self.jitted, self.threads = jitted, []

    def lower(self, *arguments):
        self.threads.append(threading.current_thread())
        return self.jitted.lower(*arguments)


def test_what_was_begun_is_lowered_once_and_by_the_thread_that_asks(monkeypatch):
    """What this thread has told JAX does not hold in another one."""
    with contextlib.closing(doubled(Heard())) as ahead:
        counted = Counted(ahead._jitted)
        monkeypatch.setattr(ahead, "_jitted", counted)
        ahead.begin(jnp.ones(2))
        ahead.begin(jnp.ones(2))
        ahead(jnp.ones(2))
        ahead.begin(jnp.ones(2))
    assert counted.threads == [threading.current_thread()]


def test_what_was_not_begun_when_it_was_closed_is_left_out(monkeypatch):
    """One program at a time, and that one waits: the other is never compiled."""
    monkeypatch.setattr("seqjax.train.compiled.MOST_AT_ONCE", 1)
    compiled, going, free = [], threading.Event(), threading.Event()

    class Lowered:
        def __init__(self, x):
            self.size = len(x)

        def compile(self):
            going.set()
            free.wait(60)
            compiled.append(self.size)

    ahead = doubled(Heard())
    monkeypatch.setattr(ahead, "_jitted", type("Jitted", (), {"lower": Lowered}))
    for size in (2, 3):
        ahead.begin(jnp.ones(size))
    assert going.wait(60)
    ahead.close()
    free.set()
    ahead._pool.shutdown(wait=True)
    assert compiled == [2]

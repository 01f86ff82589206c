"""Where the time of a run goes: seconds of wall clock under a few names."""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping

OTHER = "other"
"""The time that nothing else accounts for."""


class Clock:
    """Adds up seconds by name, each second once.

    `with clock.on("validate"):` counts what happens inside it under that name. What is nested in it
    under a name of its own is counted there and not twice: a compilation inside of a validation is
    compilation. One thread's clock; another thread's work is what this one waits for.

    >>> clock = Clock(before={"step": 2.0})
    >>> with clock.on("step"):
    ...     pass
    >>> clock.totals["step"] >= 2.0
    True

    Args:
      before: Seconds already spent, by name: of the run before it was stopped.
      now: Seconds on any scale that only goes up.
    """

    def __init__(
        self,
        before: Mapping[str, float] | None = None,
        now: Callable[[], float] = time.perf_counter,
    ):
        self._before = dict(before or {})
        self._here: dict[str, float] = {}
        self._now = now
        self._began = self._since = now()
        self._names: list[str] = []

    @contextlib.contextmanager
    def on(self, name: str) -> Iterator[None]:
        """Counts what happens inside under `name`, except for what is named inside of it."""
        self._switch()
        self._names.append(name)
        try:
            yield
        finally:
            self._switch()
            self._names.pop()

    @property
    def totals(self) -> dict[str, float]:
        """Seconds by name up to now, those `before` with them; `other` is the rest of them."""
        self._switch()
        seconds = dict(self._before)
        for name, more in self._here.items():
            seconds[name] = seconds.get(name, 0.0) + more
        rest = self._since - self._began - sum(self._here.values())
        seconds[OTHER] = seconds.get(OTHER, 0.0) + max(rest, 0.0)
        return seconds

    def _switch(self) -> None:
        """Gives the time since the last switch to the innermost name."""
        now = self._now()
        if self._names:
            name = self._names[-1]
            self._here[name] = self._here.get(name, 0.0) + now - self._since
        self._since = now

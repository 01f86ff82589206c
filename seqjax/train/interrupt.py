"""Leaving in good order when asked to: the first signal sets a flag, a second Ctrl-C insists.

A handler written in Python waits until the interpreter has its turn, which an XLA compilation or a
long computation keeps from it for minutes. The operating system, however, writes the number of a
signal into a pipe at once; a thread that reads the pipe is who counts.
"""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

LEFT = 130
"""Exit code of a process that a second Ctrl-C ends."""


class Interrupted(Exception):  # noqa: N818, nothing went wrong
    """Whoever polled has found that the run was asked to stop."""


class AskedToStop(KeyboardInterrupt):
    """The run was asked to stop when there was nothing to save."""


class Interrupts:
    """While entered, SIGINT and SIGTERM ask the run to stop; SIGINT after that ends the process.

    It ends at once, whatever is being computed: nothing that was saved can be lost by that. Within
    `polled()` the first signal only sets `requested`; outside of it, it raises `AskedToStop`.
    In a thread that is not the main one, signals go where they went before.
    """

    def __init__(self) -> None:
        self.requested = False
        self._polled = False
        self._previous: dict[int, object] = {}

    def __enter__(self) -> "Interrupts":
        if threading.current_thread() is not threading.main_thread():
            return self
        read, self._pipe = os.pipe()
        os.set_blocking(self._pipe, False)
        self._wakeup = signal.set_wakeup_fd(self._pipe, warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM):
            self._previous[number] = signal.signal(number, self._handle)
        threading.Thread(target=self._count, args=(read,), daemon=True).start()
        return self

    def __exit__(self, *exception) -> None:
        if not self._previous:
            return
        for number, handler in self._previous.items():
            signal.signal(number, handler)  # pyright: ignore[reportArgumentType]
        signal.set_wakeup_fd(self._wakeup)
        os.close(self._pipe)  # which ends the thread

    @contextmanager
    def polled(self) -> Iterator[None]:
        """Whoever is inside looks at `requested` before long."""
        self._polled = True
        try:
            yield
        finally:
            self._polled = False

    def poll(self) -> None:
        """Raises `Interrupted` if the run was asked to stop."""
        if self.requested:
            raise Interrupted

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self.requested = True
        if not self._polled:
            raise AskedToStop

    def _count(self, read: int) -> None:
        asked = False
        with open(read, "rb", buffering=0) as pipe:
            while number := pipe.read(1):
                if asked and number[0] == signal.SIGINT:
                    _leave()
                asked = asked or number[0] in (signal.SIGINT, signal.SIGTERM)
                self.requested = self.requested or asked


def _leave() -> None:
    show_cursor = "\x1b[?25h" if sys.stderr is not None and sys.stderr.isatty() else ""
    os.write(2, f"{show_cursor}\nstopped  at once; what was saved before is whole\n".encode())
    os._exit(LEFT)

"""Joining the other processes of a training, and leaving with them: in good order, or at once.

JAX ends a process whose coordinator cannot be reached, or tells it that another one has gone, by
`abort`. Here that becomes one line and the exit code of a run that can go on.
"""

import contextlib
import ctypes
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

import jax

from seqjax.cli.flags import ProcessFlags
from seqjax.config import Config
from seqjax.errors import InputError, first_line
from seqjax.files import writing
from seqjax.rundir import RunDir
from seqjax.train import processes

RESUMABLE = 75
"""Exit code of a run that was asked to stop and can go on (EX_TEMPFAIL of sysexits.h)."""
DETECTED = b"JAX distributed service detected fatal errors"
"""What JAX says before it aborts because of another process."""
GRACE = 10
"""Seconds more than the time-out that an error is given to show itself as that of another."""

_kept: list[Any] = []
"""What must live as long as the process: the handler, and the streams of the terminal."""


def join(flags: ProcessFlags, environment: Mapping[str, str] = os.environ) -> bool:
    """Joins the other processes, if there are any; returns whether there are. JAX is unused yet.

    Raises:
      InputError: If they cannot be found, or do not come in time.
    """
    if flags.coordinator is None and not flags.asks(environment):
        return False
    try:
        jax.distributed.initialize(
            flags.coordinator,
            flags.count,
            flags.index,
            initialization_timeout=flags.wait,
            heartbeat_timeout_seconds=flags.timeout,
            cluster_detection_method="deactivate" if flags.coordinator else None,
        )
    except (RuntimeError, ValueError) as error:
        raise InputError(
            f"the other processes cannot be joined ({first_line(error)}); give every one the same "
            f"--processes.coordinator and --processes.count, and each its own --processes.index"
        ) from None
    return processes.several()


@contextlib.contextmanager
def together(flags: ProcessFlags, config: Config) -> Iterator[None]:
    """Ends the process, inside of which others depend on it, if anything goes wrong there."""
    assert config.run_dir is not None
    try:
        _stand_by(RunDir(Path(config.run_dir)).process_logs / f"{jax.process_index():05}.log")
        yield
    except BaseException as error:
        if processes.several() and jax.distributed.is_initialized():
            _end(error, flags.timeout)
        raise
    if jax.distributed.is_initialized():  # asked to stop before the first step
        _exit(RESUMABLE)


def leave() -> None:
    """Returns when all processes are done with each other; each may then go on by itself."""
    if jax.distributed.is_initialized():
        processes.meet()
        jax.distributed.shutdown()


def _stand_by(log: Path) -> None:
    """Sends what libraries say outside of Python to `log`, and makes of `abort` a clear line."""
    with writing(log):
        log.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
        file = os.open(log, flags, 0o644)
    for descriptor, name in ((1, "stdout"), (2, "stderr")):
        stream = getattr(sys, name)
        stream.flush()
        own = os.fdopen(os.dup(descriptor), "w", encoding="utf-8", errors="backslashreplace")
        setattr(sys, name, own)
        _kept.append((stream, own))
        os.dup2(file, descriptor)
    _on_abort(lambda: _gone(log))


def _end(error: BaseException, timeout: int) -> NoReturn:
    """Ends a process that the others must not wait for, with the code that `main` would give.

    An error of no known kind may be that of another process that has gone: then JAX says so before
    long, and this process ends with that.
    """
    match error:
        case InputError():
            print("error:", " ".join(str(error).split("\n")), file=sys.stderr)
            _exit(2)
        case KeyboardInterrupt():
            _exit(130)
    os.write(2, "".join(traceback.format_exception(error)).encode())
    time.sleep(timeout + GRACE)
    traceback.print_exception(error)
    _exit(1)


def _exit(code: int) -> NoReturn:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _on_abort(action: Callable[[], None]) -> None:
    """Has `action` run, in the thread that aborts, before the process ends.

    A handler of Python's would wait for a main thread that waits for the other processes.
    """
    handler = ctypes.CFUNCTYPE(None, ctypes.c_int)(lambda number: action())
    _kept.append(handler)
    ctypes.CDLL(None).signal(signal.SIGABRT, handler)


def _gone(log: Path) -> None:
    said = log.read_bytes()
    code = RESUMABLE if DETECTED in said else 128 + signal.SIGABRT
    what = (
        "another process of this training has gone; start all of them again, and they go on from "
        "the last checkpoint"
        if code == RESUMABLE
        else "a library has given up"
    )
    print(f"stopped  {what} ({log} has what was said)", file=sys.stderr, flush=True)
    os._exit(code)

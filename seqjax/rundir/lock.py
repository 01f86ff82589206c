"""One trainer a run directory: who holds its lock, and how a dead one's is taken over."""

import contextlib
import datetime
import errno
import fcntl
import json
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from seqjax.errors import InputError
from seqjax.files import parse_json, writing

UNSUPPORTED = (errno.ENOTSUP, errno.ENOLCK, errno.ENOSYS, errno.EINVAL)
MOST = 4096
"""Bytes that are read of a lock."""


@contextlib.contextmanager
def locked(path: Path, note: Callable[[str], None]) -> Iterator[None]:
    """Holds the lock file at `path` while inside; the operating system lets go of it with us.

    The lock is `flock`'s; in the file stand host, process and start for whoever is refused. Where a
    file system knows no locks, what stands there decides: of a process that has ended, or of this
    host before it was started anew, it is taken over.

    Args:
      path: Is made, and removed at the end.
      note: Told if the file system knows no locks.

    Raises:
      InputError: If another process holds it, or the file cannot be written.
    """
    descriptor, supported = _acquire(path)
    try:
        if not supported:
            note(
                "warning  this file system has no locks: another trainer of this run is only "
                "noticed if it runs on this host"
            )
        with writing(path):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, (json.dumps(_ourselves()) + "\n").encode(), 0)
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                path.unlink()
    finally:
        os.close(descriptor)


def _acquire(path: Path) -> tuple[int, bool]:
    """Returns the file, locked or at least nobody else's, and whether it could be locked."""
    while True:
        with writing(path):
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            descriptor = os.open(path, flags, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = _holder(descriptor)
            os.close(descriptor)
            if error.errno not in UNSUPPORTED:
                raise _refusal(path, holder) from None
            if _lives(holder):
                raise _refusal(path, holder) from None
            with writing(path):
                return os.open(path, flags, 0o644), False
        # Whoever held it before us may have removed the file that we have just locked.
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(descriptor), os.stat(path)):
                return descriptor, True
        os.close(descriptor)


def _refusal(path: Path, holder: dict[str, Any]) -> InputError:
    return InputError(
        f"{path.parent}: another training is at work here (host {holder.get('host', 'unknown')}, "
        f"process {holder.get('pid', 'unknown')}, since {holder.get('started', 'unknown')}); wait "
        f"for its end, stop it, or choose another --run-dir"
    )


def _holder(descriptor: int) -> dict[str, Any]:
    try:
        document = parse_json(os.pread(descriptor, MOST, 0))
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


def _lives(holder: dict[str, Any]) -> bool:
    """Whether the holder may still be at work. Of another host nothing is known: it may."""
    ourselves, pid = _ourselves(), holder.get("pid")
    if not holder or type(pid) is not int or pid <= 0:
        return False
    if holder.get("host") != ourselves["host"]:
        return True
    if holder.get("boot") != ourselves["boot"]:
        return False
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _ourselves() -> dict[str, Any]:
    return {
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "started": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "boot": _boot(),
    }


def _boot() -> str:
    """What is different each time that the host is started; nothing where that is not told."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""

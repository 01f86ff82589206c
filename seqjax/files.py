"""Whole files: who reads one, or comes back after a crash, sees the old or the new.

What is read was perhaps made by a stranger: only regular files are opened, so that nobody waits at
a pipe or reads a device, and only up to a size that is said beforehand.
"""

import contextlib
import errno
import hashlib
import io
import json
import math
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from seqjax.errors import InputError

MOST_TEXT = 1 << 28
"""Bytes that a text of ours (settings, vocabulary, history) may have."""


def write_text(path: Path, text: str) -> None:
    """Writes `text` as UTF-8 in one piece.

    Raises:
      InputError: If it cannot be written (no space, no permission); an old file is untouched.
    """
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """Writes `content` in one piece.

    Raises:
      InputError: If it cannot be written (no space, no permission); an old file is untouched.
    """
    with replacing(path) as temporary:
        temporary.write_bytes(content)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Gives a path to write to, which takes the place of `path` when the block is left well.

    Raises:
      InputError: If it cannot be written (no space, no permission); an old file is untouched.
    """
    # The process id keeps two commands that write the same file from sharing a half-written one.
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with writing(path):
        try:
            yield temporary
            synchronise(temporary)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
        synchronise(path.parent)


def synchronise(path: Path) -> None:
    """Returns when the file, or the names in the directory, would survive a loss of power.

    Raises:
      OSError: If they may not.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # what some file systems say of directories
            raise
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turns what the operating system says against writing `path` into an `InputError`."""
    try:
        yield
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror or error})") from None


def open_regular(path: Path) -> io.BufferedReader:
    """Opens a file for reading; a pipe, a socket or a device is not waited for.

    Raises:
      OSError: If it is missing, closed to us, or anything but a regular file.
    """
    _refuse_irregular(os.stat(path).st_mode)
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    file = os.fdopen(descriptor, "rb")
    try:
        _refuse_irregular(os.fstat(descriptor).st_mode)
    except OSError:
        file.close()
        raise
    return file


def _refuse_irregular(mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise OSError("a directory is in its place")
    if not stat.S_ISREG(mode):
        raise OSError("it is no regular file")


def read_bytes(path: Path, *, most: int = MOST_TEXT) -> bytes:
    """Returns what a regular file of at most `most` bytes holds.

    Raises:
      OSError: If it cannot be read or is larger.
    """
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > most:
            raise OSError(f"it has {size:,} bytes, more than {most:,}")
        return file.read(most)


def digest(path: Path) -> tuple[int, str]:
    """Returns how many bytes a regular file has, and their SHA-256 in hexadecimal.

    Raises:
      OSError: If it cannot be read.
    """
    with open_regular(path) as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return file.tell(), sha256


def read_text(path: Path) -> str:
    """Returns the file's text.

    Raises:
      InputError: If it cannot be read, is too large or is not UTF-8.
    """
    try:
        return read_bytes(path).decode("utf-8")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 at byte {error.start}; restore the file") from None


def parse_json(text: str | bytes) -> Any:
    """Returns a JSON document that says nothing twice and holds no NaN or infinity.

    Raises:
      ValueError: If it is anything else, however deep it is nested.

    >>> parse_json('{"a": [1, null]}')
    {'a': [1, None]}
    """
    try:
        return json.loads(
            text.decode("utf-8") if isinstance(text, bytes) else text,
            object_pairs_hook=_without_duplicates,
            parse_constant=_refuse_constant,
        )
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def with_nulls(row: dict[str, Any]) -> dict[str, Any]:
    """Returns a row with None in place of numbers that JSON has not.

    >>> with_nulls({"loss": float("inf"), "step": 3})
    {'loss': None, 'step': 3}
    """
    endless = lambda value: isinstance(value, float) and not math.isfinite(value)
    return {name: None if endless(value) else value for name, value in row.items()}


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"{name} stands there twice")
        found[name] = value
    return found


def _refuse_constant(word: str):
    raise ValueError(f"{word} is not a number of JSON")

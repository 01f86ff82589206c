"""Writing whole files: who reads one, or comes back after a crash, sees the old or the new."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from seqjax.errors import InputError


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
    # The process id keeps two commands that write the same file from sharing a half-written one.
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with writing(path):
        try:
            with temporary.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turns what the operating system says against writing `path` into an `InputError`."""
    try:
        yield
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror or error})") from None


def read_text(path: Path) -> str:
    """Returns the file's text.

    Raises:
      InputError: If it cannot be read or is not UTF-8.
    """
    try:
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 at byte {error.start}; restore the file") from None

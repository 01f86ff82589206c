"""Files into lines, strictly: whatever cannot be meant is refused with file and line.

A line ends with a line feed and with nothing else (U+2028, a lone carriage return or a form feed
are part of the text); a carriage return before it is dropped, and so is a byte order mark at the
start of a file. Text is UTF-8.
"""

import contextlib
import difflib
import gzip
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from seqjax.errors import InputError


def read_text(path: str | Path, *, lowercase: bool = False) -> str:
    """Reads one running text; its lines end with a line feed.

    Raises:
      InputError: As `read_lines`, and if the text is empty.
    """
    text = "\n".join(read_lines(path)) + "\n"
    if not text.strip():
        raise InputError(f"{path}: holds nothing but white space")
    return text.lower() if lowercase else text


class TextStream:
    """The lines of a running text, each with its line feed, read anew each time."""

    def __init__(self, path: str | Path, *, lowercase: bool = False):
        self.path, self._lowercase = path, lowercase

    def __iter__(self) -> Iterator[str]:
        """Yields the lines.

        Raises:
          InputError: As `read_text`.
        """
        blank = True
        for line in stream_lines(self.path):
            blank = blank and not line.strip()
            yield (line.lower() if self._lowercase else line) + "\n"
        if blank:
            raise InputError(f"{self.path}: holds nothing but white space")


def read_lines(path: str | Path) -> list[str]:
    """Reads all lines of a file, which may be gzipped (`.gz`).

    Raises:
      InputError: If the file is missing, a directory, unreadable, empty, not UTF-8, or holds a NUL.
    """
    return list(stream_lines(path))


def stream_lines(path: str | Path) -> Iterator[str]:
    """Yields all lines of a file as `read_lines` reads them, one in memory at a time.

    Raises:
      InputError: As `read_lines`, at the line where the trouble is.
    """
    path, number = Path(path), 0
    with opened(path) as stream:
        for number, line in enumerate(stream, start=1):
            if number == 1:
                line = line.removeprefix(b"\xef\xbb\xbf")
                if not line:
                    break
            yield _decoded(line.removesuffix(b"\n"), str(path), number)
        else:
            if number:
                return
    raise InputError(f"{path}: is empty")


def read_line_stream(stream: Iterable[bytes], name: str = "stdin") -> Iterator[str]:
    """Yields lines of a binary stream as they arrive.

    Raises:
      InputError: If a line is not UTF-8 or holds a NUL.
    """
    for number, line in enumerate(stream, start=1):
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        yield _decoded(line.removesuffix(b"\n"), name, number)


def _decoded(line: bytes, name: str, number: int) -> str:
    if b"\0" in line:
        raise InputError(f"{name}:{number}: holds a NUL character; is this a text file?")
    try:
        return line.removesuffix(b"\r").decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{name}:{number}: byte {error.start + 1} of the line is not UTF-8; convert the file, "
            f"for example with iconv -t UTF-8"
        ) from None


@contextlib.contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """Opens a file for reading, and through gzip if it ends in `.gz`.

    Raises:
      InputError: If it cannot be opened, or not be read while it is open.
    """
    try:
        with path.open("rb") as file:
            if path.suffix == ".gz":
                with gzip.open(file) as stream:
                    yield stream  # pyright: ignore[reportReturnType]
            else:
                yield file
    except FileNotFoundError:
        raise InputError(f"{path}: no such file{_near(path)}") from None
    except IsADirectoryError:
        raise InputError(f"{path}: is a directory; give a file in it") from None
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise InputError(f"{path}: is not a whole gzip file; fetch or compress it again") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None


def _near(path: Path) -> str:
    try:
        names = [entry.name for entry in path.parent.iterdir()]
    except OSError:
        return ""
    found = difflib.get_close_matches(path.name, names, n=1)
    return f"; did you mean {path.parent / found[0]}?" if found else ""

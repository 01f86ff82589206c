"""Vectors of words, trained elsewhere, as text: those of GloVe and word2vec."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from seqjax.data.lines import opened, read_line_stream
from seqjax.errors import InputError


class Vectors(NamedTuple):
    """The vectors that a file has for some of the rows of a table.

    Attributes:
      rows: `[found]`, distinct, in the order of the file.
      values: `[found, width]`, float32.
    """

    rows: np.ndarray
    values: np.ndarray


def read_vectors(path: str | Path, rows: Mapping[str, int], width: int) -> Vectors:
    """Reads the vectors of some tokens, line by line; no others are kept.

    A line is a token and `width` numbers with a blank between any two (a blank at the end, and
    blanks within a token, as some files have them, are allowed). A first line of two whole numbers,
    count and width, is word2vec's; GloVe has none. Of a token that stands there twice the first
    counts. The numbers of tokens that are not wanted are only counted.

    Args:
      path: UTF-8, gzipped if it ends in `.gz`.
      rows: The row of each token that is wanted.
      width: Numbers that a vector must have.

    Raises:
      InputError: With file and line, if the file cannot be read, is empty, has vectors of another
        width or a line that is none; or if it has no token that is wanted.
    """
    found: dict[int, np.ndarray] = {}
    with opened(Path(path)) as stream:
        for number, token, fields in _entries(read_line_stream(stream, str(path)), path, width):
            row = rows.get(token)
            if row is not None and row not in found:
                found[row] = _numbers(fields, f"{path}:{number}")
    if not found:
        raise InputError(
            f"{path}: holds none of the vocabulary's {len(rows):,} tokens; give vectors of this "
            f"language, cut and cased as the data is (--data.source-tokens, --data.target-tokens, "
            f"--data.lowercase)"
        )
    return Vectors(np.array(list(found), np.int32), np.stack(list(found.values())))


def _entries(
    lines: Iterator[str], path: str | Path, width: int
) -> Iterator[tuple[int, str, Sequence[str]]]:
    """Yields line number, token and the `width` fields after it."""
    number = 0
    for number, line in enumerate(lines, start=1):
        line = line.rstrip(" ")
        if number == 1 and _refuse_other_width(line, path, width):
            continue
        token, *fields = line.rsplit(" ", width)
        rest, blank, last = token.rpartition(" ")
        if len(fields) < width or not token or (blank and _is_number(last)):
            raise InputError(
                f"{path}:{number}: has {line.count(' ')} numbers after its token, expected "
                f"{width}; mend the line or fetch the file again"
            )
        yield number, token, fields
    if not number:
        raise InputError(f"{path}: is empty")


def _refuse_other_width(line: str, path: str | Path, width: int) -> bool:
    """Looks at a file's first line; returns whether it is word2vec's, which has no vector."""
    token, *fields = line.split(" ")
    header = len(fields) == 1 and token.isdecimal() and fields[0].isdecimal()
    if not fields or not all(map(_is_number, fields)):
        raise InputError(f"{path}:1: is not a token and numbers with blanks between them")
    announced = int(fields[0]) if header else len(fields)
    if announced != width:
        raise InputError(
            f"{path}:1: has vectors of width {announced}, model.embedding_size is {width}; give "
            f"--model.embedding-size {announced} or other vectors"
        )
    return header


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


def _numbers(fields: Sequence[str], place: str) -> np.ndarray:
    for field in fields:
        if not _is_number(field):
            raise InputError(f"{place}: {field[:20]!r} is no number; mend the line")
    with np.errstate(over="ignore"):
        values = np.array([float(field) for field in fields]).astype(np.float32)
    if not np.isfinite(values).all():
        raise InputError(f"{place}: holds a number that is not finite; mend the line")
    return values

"""Files into pieces of music, strictly: what cannot be used is refused with its place."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from seqjax.data.chords import Piece, Pieces, chord_of, read_piece
from seqjax.data.lines import opened, stream_lines
from seqjax.data.readers import SKIP_HINT, OnBadLine, Splits
from seqjax.errors import InputError
from seqjax.files import parse_json

SILENT = -1
"""What a voice is given in JSON while it rests."""
Found = Iterable[tuple[str, Callable[[], Piece]]]
"""Where each piece stands, and what reads it, which raises ValueError if that is not possible."""


def read_music(path: str | Path, *, on_bad_line: OnBadLine = "error") -> Splits:
    """Reads pieces, each split as `Pieces`; valid and test are None where a file has one set alone.

    Args:
      path: Text with a piece a line (see `seqjax.data.chords`); or `.json`: a list of pieces, which
        are lists of steps, which are lists of pitches (-1 for a voice that rests), or an object
        with such lists as train, valid and test. Either may end in `.gz`.
      on_bad_line: Refuse the file at the first piece that cannot be used, or count and leave it
        out.

    Raises:
      InputError: With the place, if the file or a piece cannot be used, or if nothing is left.
    """
    path = Path(path)
    if not path.name.removesuffix(".gz").endswith(".json"):
        lines = (
            (f"{path}:{number}", lambda line=line: read_piece(line))
            for number, line in enumerate(stream_lines(path), start=1)
        )
        return Splits(_kept(str(path), lines, on_bad_line), None, None)
    with opened(path) as stream:
        try:
            document = parse_json(stream.read().decode("utf-8-sig"))
        except UnicodeDecodeError:
            raise InputError(f"{path}: is not UTF-8") from None
        except ValueError as error:
            raise InputError(f"{path}: is not JSON ({error})") from None
    if isinstance(document, list):
        pieces = _of_json(f"{path}: piece", document)
        return Splits(_kept(str(path), pieces, on_bad_line), None, None)
    sets = document if isinstance(document, dict) else {}
    if "train" not in sets or not all(
        name in Splits._fields and isinstance(one, list) for name, one in sets.items()
    ):
        raise InputError(
            f"{path}: must be a list of pieces, or an object with such lists as train, valid and "
            "test"
        )
    found = {
        name: _kept(f"{path}: {name}", _of_json(f"{path}: {name}, piece", one), on_bad_line)
        for name, one in sets.items()
    }
    return Splits(found["train"], found.get("valid"), found.get("test"))


def _of_json(place: str, pieces: list[Any]) -> Iterator[tuple[str, Callable[[], Piece]]]:
    for number, piece in enumerate(pieces, start=1):
        yield f"{place} {number}", lambda piece=piece: _piece(piece)


def _piece(steps: Any) -> Piece:
    if not isinstance(steps, list):
        raise ValueError("must be a list of steps")
    chords = []
    for number, step in enumerate(steps, start=1):
        if not isinstance(step, list):
            raise ValueError(f"step {number} must be a list of pitches")
        try:
            chords.append(chord_of(pitch for pitch in step if pitch != SILENT))
        except ValueError as error:
            raise ValueError(f"step {number}: {error}") from None
    return tuple(chords)


def _kept(name: str, found: Found, on_bad_line: OnBadLine) -> Pieces:
    pieces, skipped = [], 0
    for place, read in found:
        try:
            piece = read()
            if not piece:
                raise ValueError("the piece is empty")
        except ValueError as error:
            if on_bad_line == "error":
                raise InputError(f"{place}: {error}; {SKIP_HINT}") from None
            skipped += 1
        else:
            pieces.append(piece)
    if not pieces:
        raise InputError(f"{name}: no piece of it can be used ({skipped} left out)")
    return Pieces(pieces, skipped)

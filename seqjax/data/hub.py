"""Data sets of Hugging Face's `datasets`, by name or from a directory, where it is installed.

The library itself decides what it downloads and where it keeps it; code that comes with a data set
is never run (`trust_remote_code` is not set).
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from seqjax.data.readers import BadLine, FitsFn, OnBadLine, PairStream, anything, text_of
from seqjax.errors import InputError, first_line

SAVED = ("dataset_dict.json", "state.json")
"""What `save_to_disk` leaves in a directory."""


def open_hub(name: str, config: str | None = None) -> dict[str, Any]:
    """Returns the splits of a data set by their names.

    Args:
      name: On the hub (`owner/name`), of a directory of data files, or of one that `save_to_disk`
        wrote.
      config: The data set's own configuration, for example a pair of languages.

    Raises:
      InputError: If `datasets` is not installed, or cannot open it, or there are no named splits.
    """
    try:
        import datasets  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise InputError(
            f"--data.hub {name}: Hugging Face datasets is not installed; pip install datasets, or "
            f"give files with --train"
        ) from None
    saved = any((Path(name) / file).is_file() for file in SAVED)
    try:
        found = datasets.load_from_disk(name) if saved else datasets.load_dataset(name, config)
    except Exception as error:  # whatever a server, a file or a builder has to say
        raise InputError(
            f"--data.hub {name}: cannot be opened ({first_line(error)}); look at the name and at "
            f"--data.hub-config"
        ) from None
    if not isinstance(found, dict) or "train" not in found:
        splits = ", ".join(found) if isinstance(found, dict) else "none"
        raise InputError(f"--data.hub {name}: has no split train (its splits: {splits})")
    return dict(found)


class HubPairs(PairStream):
    """Pairs of two fields of a split's rows, read anew each time; see `PairStream`."""

    def __init__(
        self,
        place: str,
        rows: Any,
        fields: tuple[str, str],
        *,
        on_bad_line: OnBadLine = "error",
        lowercase: bool = False,
        fits: FitsFn = anything,
    ):
        """Args:
        place: What the split is called in messages.
        rows: Of mappings.
        fields: Of source and target; `translation.de` is a field in a field.
        on_bad_line: As of files.
        lowercase: Lower-case everything.
        fits: What else must hold of a pair.
        """
        super().__init__([place], on_bad_line=on_bad_line, lowercase=lowercase, fits=fits)
        self._rows, self._fields = rows, fields

    def _lines(self) -> Iterator[Callable[[], tuple[str, str]]]:
        for row in self._rows:
            yield lambda row=row: self._pair(row)

    def _pair(self, row: Any) -> tuple[str, str]:
        source, target = (text_of(field, field_of(row, field)) for field in self._fields)
        return source, target


def hub_text(place: str, rows: Any, field: str) -> str:
    """Returns one field of all rows as a running text: line feeds between them, and at the end.

    Raises:
      InputError: If it is no text somewhere, or nothing but white space everywhere.
    """
    parts = []
    for number, row in enumerate(rows, start=1):
        try:
            found = field_of(row, field)
            if not isinstance(found, str):
                raise BadLine(f"its {field!r} must be a text, got {str(found)[:40]!r}")
        except BadLine as problem:
            raise InputError(f"{place}:{number}: {problem}") from None
        parts.append(found.removesuffix("\n"))
    text = "\n".join(parts) + "\n"
    if not text.strip():
        raise InputError(f"{place}: holds nothing but white space in {field!r}")
    return text


def field_of(row: Any, field: str) -> Any:
    """Returns a field of a row, or a field in a field of it.

    >>> field_of({"translation": {"de": "Haus"}}, "translation.de")
    'Haus'
    """
    if field in row:
        return row[field]
    found = row
    for name in field.split("."):
        if not isinstance(found, dict) or name not in found:
            names = ", ".join(found) if isinstance(found, dict) else "none"
            raise BadLine(f"has no field {field!r} (there is: {names})")
        found = found[name]
    return found

"""Files into pairs of source and target, strictly: what cannot be used is refused with its line."""

import functools
import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from seqjax.data.embedded.names import beside
from seqjax.data.lines import stream_lines
from seqjax.errors import InputError

OnBadLine = Literal["error", "skip"]
FitsFn = Callable[[str, str], str | None]
"""`(source, target) -> why` the two cannot be used together, or None if they can."""
SKIP_HINT = "mend it, or leave such lines out with --data.on-bad-line skip"


class Pairs(NamedTuple):
    """Source n goes with target n.

    Attributes:
      sources: What is read.
      targets: What is to be said.
      skipped: Lines of the file that were left out because they could not be used.
    """

    sources: list[str]
    targets: list[str]
    skipped: int = 0

    @classmethod
    def of(cls, stream: "PairStream") -> "Pairs":
        """Returns all pairs of a stream."""
        sources, targets = [], []
        for source, target in stream:
            sources.append(source)
            targets.append(target)
        return cls(sources, targets, stream.skipped)

    def both(self) -> Iterator[tuple[str, str]]:
        """Returns source and target of each."""
        return zip(self.sources, self.targets, strict=True)


class Splits(NamedTuple):
    """Training, validation and test data of one kind."""

    train: Any
    valid: Any
    test: Any


class BadLine(Exception):
    """One line that cannot be used."""


def anything(source: str, target: str) -> None:
    """Every source goes with every target."""


def read_pairs(
    paths: Sequence[str | Path],
    *,
    on_bad_line: OnBadLine = "error",
    lowercase: bool = False,
    fits: FitsFn = anything,
    names: bool = False,
) -> Pairs:
    """Reads sources and targets.

    Args:
      paths: One file of `source<TAB>target` lines, one `.jsonl` file of objects with the texts
        `source` and `target`, or two files whose lines go together. Any may end in `.gz`.
      on_bad_line: Refuse the file at the first line that cannot be used, or count and leave it out.
      lowercase: Lower-case everything.
      fits: What else must hold of a line that can be used.
      names: Sources are names of vectors: of files beside the file that they stand in unless they
        say where, or of what is made (`seqjax/data/embedded/names.py`).

    Raises:
      InputError: With file and line, if a file or a line cannot be used, or if nothing is left.
    """
    stream = PairStream(paths, on_bad_line=on_bad_line, lowercase=lowercase, fits=fits, names=names)
    return Pairs.of(stream)


class PairStream:
    """The pairs of files, read anew each time that one goes through them; see `read_pairs`.

    Attributes:
      skipped: Lines that the last pass left out.
    """

    def __init__(
        self,
        paths: Sequence[str | Path],
        *,
        on_bad_line: OnBadLine = "error",
        lowercase: bool = False,
        fits: FitsFn = anything,
        names: bool = False,
    ):
        self.paths, self.skipped = [Path(path) for path in paths], 0
        self._on_bad_line, self._lowercase, self._fits = on_bad_line, lowercase, fits
        self._names = names

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Yields `(source, target)`.

        Raises:
          InputError: As `read_pairs`, at the line where the trouble is.
        """
        self.skipped, kept = 0, 0
        for number, line in enumerate(self._lines(), start=1):
            try:
                pair = self._checked(line)
            except BadLine as problem:
                if self._on_bad_line == "error":
                    place = f"{self.paths[0]}:{number}"
                    raise InputError(f"{place}: {problem}; {SKIP_HINT}") from None
                self.skipped += 1
            else:
                kept += 1
                yield pair
        if not kept:
            raise InputError(
                f"{self.paths[0]}: no line of it can be used ({self.skipped} left out)"
            )

    def _checked(self, split: Callable[[], tuple[str, str]]) -> tuple[str, str]:
        source, target = split()
        for side, text in (("source", source), ("target", target)):
            if not text.strip():
                raise BadLine(f"the {side} is empty")
        if self._names:
            source = beside(self.paths[0].parent, source)
        if self._lowercase:
            source, target = source if self._names else source.lower(), target.lower()
        why = self._fits(source, target)
        if why is not None:
            raise BadLine(why)
        return source, target

    def _lines(self) -> Iterator[Callable[[], tuple[str, str]]]:
        """Yields what splits each line."""
        match self.paths:
            case [path]:
                json_lines = path.name.removesuffix(".gz").endswith(".jsonl")
                split = _from_json if json_lines else _from_tsv
                yield from (functools.partial(split, line) for line in stream_lines(path))
            case [source_path, target_path]:
                yield from _together(source_path, target_path)
            case _:
                raise InputError(f"one or two files make pairs, got {len(self.paths)}")


def _together(source_path: Path, target_path: Path) -> Iterator[Callable[[], tuple[str, str]]]:
    counts, nothing = [0, 0], object()
    both = itertools.zip_longest(
        stream_lines(source_path), stream_lines(target_path), fillvalue=nothing
    )
    for pair in both:
        counts = [n + (line is not nothing) for n, line in zip(counts, pair, strict=True)]
        if counts[0] == counts[1]:
            yield functools.partial(tuple, pair)
    if counts[0] != counts[1]:
        raise InputError(
            f"{source_path} has {counts[0]} lines, {target_path} has {counts[1]}; "
            f"line n of one must go with line n of the other"
        )


def _from_tsv(line: str) -> tuple[str, str]:
    columns = line.split("\t")
    if len(columns) != 2:
        raise BadLine(f"has {len(columns) - 1} tabs, expected 1 (source<TAB>target)")
    return columns[0], columns[1]


def _from_json(line: str) -> tuple[str, str]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        raise BadLine("is not a JSON object") from None
    if not isinstance(record, dict):
        raise BadLine("is not a JSON object")
    for side in ("source", "target"):
        text_of(side, record.get(side))
    return record["source"], record["target"]


def text_of(name: str, value: Any) -> str:
    """Returns a field's value if it is a text of one line.

    Raises:
      BadLine: If it is not.
    """
    if not isinstance(value, str):
        raise BadLine(f"its {name!r} must be a text, got {json.dumps(value, default=str)[:40]}")
    if any(0xD800 <= ord(character) <= 0xDFFF for character in value):
        raise BadLine(f"its {name!r} holds half of a surrogate pair")
    if "\0" in value or "\n" in value:
        raise BadLine(f"its {name!r} holds a NUL or a line feed")
    return value

"""Files as they are. Where training stops at the first line that cannot be used, this goes on.

What is kept is what `seqjax.data.readers` keeps with `on_bad_line="skip"`, and the rest is told.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from seqjax.data.lines import opened
from seqjax.errors import InputError
from seqjax.survey.finding import Place, shown

SIDES = ("source", "target")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class BadLine(NamedTuple):
    """A line that cannot be used."""

    place: Place
    why: str


class Form(NamedTuple):
    """How a file is written, beside what it says.

    Attributes:
      path: As the user gave it.
      lines: How many there are.
      carriage_returns: How many of them end in CR LF.
      mark: Whether it begins with a byte order mark.
      final: Whether the last line ends with a line feed.
    """

    path: str
    lines: int
    carriage_returns: int
    mark: bool
    final: bool


class Split(NamedTuple):
    """One part of the data: its usable pairs, and where they stand.

    Attributes:
      name: train, valid or test.
      paths: One file or two.
      sources, targets: Pair n is `sources[n]` and `targets[n]`. Of a running text, `sources` is
        empty and `targets` are its lines.
      numbers: The line of each pair, from 1.
      bad: What could not be used.
      forms: Of each file.
      records: Of a .jsonl file, the whole object of each pair; else empty.
      names: What stands in the file for each source, where `sources` are what that names: numbers
        of a recording's content. Else empty.
    """

    name: str
    paths: tuple[str, ...]
    sources: list[str]
    targets: list[str]
    numbers: list[int]
    bad: list[BadLine]
    forms: list[Form]
    records: Sequence[Mapping[str, Any]] = ()
    names: Sequence[str] = ()

    def place(self, row: int, side: int | None = None) -> Place:
        """Returns where pair `row` stands, with both texts, or with that of one side."""
        sources = self.names or self.sources
        both = (sources[row] if sources else "", self.targets[row])
        if not self.sources:
            side = 1
        if side is None:
            text = "  →  ".join(shown(each, 34) for each in both)
            return Place(self.paths[0], self.numbers[row], text)
        path = self.paths[min(side, len(self.paths) - 1)]
        return Place(path, self.numbers[row], shown(both[side], 60))

    def kept(self, rows: Sequence[int]) -> "Split":
        """Returns the same with these of its pairs only."""
        return self._replace(
            sources=[self.sources[row] for row in rows] if self.sources else [],
            targets=[self.targets[row] for row in rows],
            numbers=[self.numbers[row] for row in rows],
            records=[self.records[row] for row in rows] if self.records else (),
            names=[self.names[row] for row in rows] if self.names else (),
        )

    def lowered(self, *, named: bool) -> "Split":
        """Returns the same in lower case, as training reads it; sources not where they are named,
        which are files or what is made."""
        sources = self.sources if named else [text.lower() for text in self.sources]
        return self._replace(sources=sources, targets=[text.lower() for text in self.targets])

    def texts_of(self, side: str) -> "Split":
        """Returns the texts of one side alone, as those of a running text."""
        if side == "source":
            return self._replace(sources=[], targets=self.sources, paths=self.paths[:1], names=())
        return self._replace(sources=[], paths=self.paths[-1:], names=())


def read_pair_split(name: str, paths: Sequence[str]) -> Split:
    """Reads pairs from one file of `source<TAB>target` lines, one `.jsonl`, or two files.

    Raises:
      InputError: If there are not one or two files, one cannot be opened, or no pair is left.
    """
    if len(paths) not in (1, 2):
        raise InputError(f"one or two files make pairs, got {len(paths)}")
    files = [_read(path) for path in paths]
    split = Split(name, tuple(paths), [], [], [], [], [form for form, _ in files], [])
    as_json = len(paths) == 1 and Path(paths[0]).name.removesuffix(".gz").endswith(".jsonl")
    lines = zip(*(lines for _, lines in files), strict=False)
    for number, raw in enumerate(lines, start=1):
        pair, record, why, at = _pair(raw, as_json)
        if why:
            text = raw[at].removesuffix(b"\r").decode("utf-8", "backslashreplace")
            split.bad.append(BadLine(Place(paths[at], number, shown(text, 60)), why))
        else:
            split.sources.append(pair[0])
            split.targets.append(pair[1])
            split.numbers.append(number)
            if as_json:
                split.records.append(record)  # pyright: ignore[reportAttributeAccessIssue]
    if not split.targets:
        first = f"; line {split.bad[0].place.line} {split.bad[0].why}" if split.bad else ""
        raise InputError(f"{paths[0]}: no line of it is a pair (source<TAB>target){first}")
    return split


def read_text_split(name: str, paths: Sequence[str]) -> Split:
    """Reads the lines of a running text, empty ones included.

    Raises:
      InputError: If there is not one file, it cannot be opened, or nothing is left of it.
    """
    if len(paths) != 1:
        raise InputError(f"a running text is one file, got {len(paths)}")
    form, lines = _read(paths[0])
    split = Split(name, tuple(paths), [], [], [], [], [form])
    for number, raw in enumerate(lines, start=1):
        text, why = _decoded(raw)
        if why:
            shape = shown(raw.decode("utf-8", "backslashreplace"), 60)
            split.bad.append(BadLine(Place(paths[0], number, shape), why))
        else:
            split.targets.append(text)
            split.numbers.append(number)
    if not any(text.strip() for text in split.targets):
        raise InputError(f"{paths[0]}: holds nothing but white space")
    return split


def _read(path: str) -> tuple[Form, list[bytes]]:
    with opened(Path(path)) as stream:
        content = stream.read()
    if not content.removeprefix(BYTE_ORDER_MARK):
        raise InputError(f"{path}: is empty")
    lines = content.removeprefix(BYTE_ORDER_MARK).split(b"\n")
    final = not lines[-1]
    if final:
        lines.pop()
    returns = content.count(b"\r\n") + (not final and lines[-1].endswith(b"\r"))
    return Form(path, len(lines), returns, content.startswith(BYTE_ORDER_MARK), final), lines


def _decoded(line: bytes) -> tuple[str, str]:
    """The text, and why it cannot be used."""
    if b"\0" in line:
        return "", "holds a NUL character"
    try:
        return line.removesuffix(b"\r").decode("utf-8"), ""
    except UnicodeDecodeError:
        return "", "is not UTF-8"


def _pair(raw: Sequence[bytes], as_json: bool) -> tuple[Sequence[str], Any, str, int]:
    """Source and target, the JSON object, why they cannot be used, and in which file."""
    texts, record = [], None
    for at, line in enumerate(raw):
        text, why = _decoded(line)
        if why:
            return (), None, why, at
        texts.append(text)
    if as_json:
        texts, record, why = _from_json(texts[0])
        if why:
            return (), None, why, 0
    elif len(raw) == 1:
        texts = texts[0].split("\t")
        if len(texts) != 2:
            empty = len(texts) == 1 and not texts[0].strip()
            tabs = len(texts) - 1
            why = "is empty" if empty else f"has {tabs or 'no'} tab{'s' if tabs > 1 else ''}"
            return (), None, why, 0
    for at, side in enumerate(("source", "target")):
        if not texts[at].strip():
            return (), None, f"has an empty {side}", min(at, len(raw) - 1)
    return texts, record, "", 0


def _from_json(line: str) -> tuple[list[str], Any, str]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return [], None, "is not a JSON object"
    if not isinstance(record, dict):
        return [], None, "is not a JSON object"
    found = [record.get(side) for side in ("source", "target")]
    texts = [text for text in found if isinstance(text, str)]
    if len(texts) < 2:
        return [], None, "lacks the text 'source' or 'target'"
    if any(0xD800 <= ord(character) <= 0xDFFF for text in texts for character in text):
        return [], None, "holds half of a surrogate pair"
    if any("\0" in text or "\n" in text for text in texts):
        return [], None, "holds a NUL or a line feed"
    return texts, record, ""

"""What a check of the data comes to: a record that people and programs read alike."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

Kind = Literal["ok", "info", "warning", "error"]


class Place(NamedTuple):
    """Where something stands.

    Attributes:
      path: Of the file, as the user gave it.
      line: Counted from 1; 0 means the whole file.
      text: What is to be seen there.
    """

    path: str
    line: int
    text: str


class Finding(NamedTuple):
    """One check, and what it found.

    Attributes:
      code: What `seqjax explain` knows it by.
      kind: ok, info (worth knowing), warning (worth a decision), error (a score of this data would
        mislead, or a training stop).
      says: One sentence with its counts.
      count: How many pairs, lines or symbols it is about.
      places: All of them that have a place in a file, in the order of the files.
      mend: What to do, if there is something.
      numbers: The counts once more, and others, for machines; plain JSON.
    """

    code: str
    kind: Kind
    says: str
    count: int = 0
    places: Sequence[Place] = ()
    mend: str = ""
    numbers: Mapping[str, Any] = MappingProxyType({})


class Section(NamedTuple):
    """Checks that belong together.

    Attributes:
      title: A few words.
      table: Lines of text that stand before the findings.
      findings: In the order in which they are told.
      numbers: What the table says, for machines; plain JSON.
    """

    title: str
    table: Sequence[str]
    findings: Sequence[Finding]
    numbers: Mapping[str, Any] = MappingProxyType({})


def section(title: str, *findings: Finding | None) -> Section:
    """Returns the findings that there are, under a title."""
    return extended(Section(title, (), ()), *findings)


def extended(section: Section, *findings: Finding | None) -> Section:
    """Returns a section with those findings that there are after its own."""
    made = [finding for finding in findings if finding is not None]
    return section._replace(findings=[*section.findings, *made])


class Survey(NamedTuple):
    """All that was found in the data.

    Attributes:
      task: What the data is for.
      tokens: What a token is, by side.
      sections: In the order in which they are told.
      sizes: Ids of each side that a model would have, or numbers of a step.
    """

    task: str
    tokens: Mapping[str, str]
    sections: Sequence[Section]
    sizes: Mapping[str, int]

    @property
    def findings(self) -> list[Finding]:
        """Those of all sections."""
        return [finding for section in self.sections for finding in section.findings]


def percent(part: int | float, whole: int | float) -> str:
    """Returns a share for people: what is not nothing never reads as nothing, nor as all.

    >>> percent(1, 8), percent(0, 8), percent(7, 30_000), percent(29_998, 30_000)
    ('12.5 %', '0 %', '0.02 %', '99.99 %')
    """
    if not whole or not part:
        return "0 %"
    if part == whole:
        return "100 %"
    share = 100 * part / whole
    if 0.1 <= share <= 99.9:
        return f"{share:.1f} %"
    return f"{min(max(share, 0.01), 99.99):.2f} %"


def counted(number: int, what: str) -> str:
    """Returns a number of things.

    >>> counted(1, "pair"), counted(1_000, "pair")
    ('1 pair', '1,000 pairs')
    """
    return f"{number:,} {what}" + "s" * (number != 1)


def shown(text: str, width: int = 48) -> str:
    """Returns a text that fits on a line and shows what is not to be seen.

    >>> shown("a\\tb\\u200b"), shown("abcdefgh", 5)
    ('a\\\\tb\\\\u200b', 'abcd…')
    """
    plain = text[: width + 1]
    if not plain.isprintable():
        plain = "".join(
            character if character.isprintable() else character.encode("unicode_escape").decode()
            for character in plain
        )
    return plain if len(plain) <= width else plain[: width - 1] + "…"


def several(names: Iterable[str], most: int = 5) -> str:
    """Returns the first of some names, and how many more there are.

    >>> several("abc", 2), several("ab", 2)
    ('a, b, and 1 more', 'a, b')
    """
    names = list(names)
    more = f", and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more

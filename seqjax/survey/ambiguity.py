"""Sources with several targets, and how right an answer can be at most."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from seqjax.survey.corpus import Split
from seqjax.survey.finding import Finding, Place, percent, shown


class Ceiling(NamedTuple):
    """What one answer a source can come to.

    Attributes:
      sources: Distinct ones.
      ambiguous: Those with more than one target.
      targets: Distinct targets of the ambiguous ones, together.
      right: Pairs whose target is the most frequent one of their source.
      pairs: All of them.
    """

    sources: int
    ambiguous: int
    targets: int
    right: int
    pairs: int


Answers = dict[str, dict[str, int]]
"""Of each source its targets, with how often it has them."""


def answers_of(sources: Sequence[str], targets: Sequence[str]) -> Answers:
    """Returns the targets of each source."""
    answers: Answers = {}
    for source, target in zip(sources, targets, strict=True):
        counts = answers.setdefault(source, {})
        counts[target] = counts.get(target, 0) + 1
    return answers


def ceiling(answers: Answers) -> Ceiling:
    """Returns how many pairs the best answer to each source is right about.

    >>> ceiling(answers_of("aab", "xyz"))
    Ceiling(sources=2, ambiguous=1, targets=2, right=2, pairs=3)
    """
    several = [counts for counts in answers.values() if len(counts) > 1]
    return Ceiling(
        len(answers),
        len(several),
        sum(map(len, several)),
        sum(max(counts.values()) for counts in answers.values()),
        sum(sum(counts.values()) for counts in answers.values()),
    )


def ambiguous_sources(
    splits: Mapping[str, Split],
    measure: str = "exact match",
    mend: str = "seqjax evaluate counts any target of a source as right: without that bound",
) -> Finding:
    """Returns the bound on exact match that each split sets, and where it comes from.

    Args:
      splits: At least train.
      measure: What the bound is on.
      mend: What to do about it.
    """
    answers = {name: answers_of(s.sources, s.targets) for name, s in splits.items()}
    found = {name: ceiling(each) for name, each in answers.items()}
    numbers = {
        name: {**bound._asdict(), "ceiling": bound.right / bound.pairs}
        for name, bound in found.items()
    }
    train = found["train"]
    if not any(bound.ambiguous for bound in found.values()):
        return Finding("SJ-D13", "ok", "every source has one target", numbers=numbers)
    bounds = ", ".join(f"{percent(b.right, b.pairs)} on {name}" for name, b in found.items())
    mean = sum(b.targets for b in found.values()) / sum(b.ambiguous for b in found.values())
    places = []
    for name, split in splits.items():
        names = split.names or split.sources
        rows = range(len(split.sources))
        first = dict(zip(reversed(split.sources), reversed(rows), strict=True))
        for source, counts in answers[name].items():
            if len(counts) > 1:
                row = first[source]
                text = f"{shown(names[row], 24)}  →  {shown('  |  '.join(counts), 50)}"
                places.append(Place(split.paths[0], split.numbers[row], text))
    return Finding(
        "SJ-D13",
        "info",
        f"{train.ambiguous:,} of {train.sources:,} train sources "
        f"({percent(train.ambiguous, train.sources)}) have more than one target (mean {mean:.1f}); "
        f"with one reference each, {measure} is at most {bounds}",
        train.ambiguous,
        places,
        mend,
        numbers,
    )


def repeated_rows(split: Split) -> list[int]:
    """Returns the pairs that stood in the split before."""
    seen, rows = set(), []
    for row, pair in enumerate(zip(split.sources, split.targets, strict=True)):
        if pair in seen:
            rows.append(row)
        seen.add(pair)
    return rows


def repeated_pairs(splits: Mapping[str, Split]) -> Finding:
    """Returns pairs that stand in a file more than once."""
    found = {name: repeated_rows(split) for name, split in splits.items()}
    count = sum(map(len, found.values()))
    if not count:
        return Finding("SJ-D14", "ok", "no pair stands in a file twice")
    told = ", ".join(
        f"{len(rows):,} {name} ({percent(len(rows), len(splits[name].targets))})"
        for name, rows in found.items()
        if rows
    )
    many = any(len(rows) > 0.01 * len(splits[name].targets) for name, rows in found.items())
    return Finding(
        "SJ-D14",
        "warning" if many else "info",
        f"pairs that repeat an earlier one of their file: {told}",
        count,
        [splits[name].place(row) for name, rows in found.items() for row in rows],
        "meant (over-sampling) or a slip; --fix SJ-D14 keeps the first of each",
        {name: len(rows) for name, rows in found.items()},
    )

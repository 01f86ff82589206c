"""What stands in two splits: the same pair, or the same source with another target."""

import collections
from collections.abc import Iterable, Mapping, Sequence

from seqjax.survey.corpus import Split
from seqjax.survey.finding import Finding, percent

CODE_OF = {("train", "test"): "SJ-D02", ("train", "valid"): "SJ-D03", ("valid", "test"): "SJ-D26"}


Pair = tuple[str, str]


def pairs_of(split: Split) -> list[Pair]:
    """Returns source and target of each pair."""
    return list(zip(split.sources, split.targets, strict=True))


def seen_in_training(pairs: Iterable[Pair], training: Iterable[Pair]) -> int:
    """Returns how many of the pairs stand in training, of whose pairs none is kept.

    >>> seen_in_training([("a", "x"), ("a", "x"), ("b", "y")], iter([("a", "x"), ("b", "z")]))
    2
    """
    pairs = list(pairs)
    seen = set(pairs).intersection(training)
    return sum(pair in seen for pair in pairs)


def rows_in_both(split: Split, other: Split) -> list[int]:
    """Returns which pairs of `split` stand in `other` too."""
    known = set(pairs_of(other))
    return [row for row, pair in enumerate(pairs_of(split)) if pair in known]


def rows_in_conflict(split: Split, other: Split) -> list[int]:
    """Returns which pairs of `split` have a source of `other` that is given other targets there."""
    wanted = set(split.sources)
    targets = collections.defaultdict(set)
    for source, target in pairs_of(other):
        if source in wanted:
            targets[source].add(target)
    return [
        row
        for row, (source, target) in enumerate(pairs_of(split))
        if source in targets and target not in targets[source]
    ]


def shared_pairs(splits: Mapping[str, Split], first: str, second: str) -> Finding:
    """Returns the pairs of split `second` that stand in split `first` too."""
    one, other = splits[first], splits[second]
    rows = rows_in_both(other, one)
    code, whole = CODE_OF[first, second], len(other.targets)
    if not rows:
        return Finding(code, "ok", f"no {second} pair stands in {first}")
    return Finding(
        code,
        "warning" if code == "SJ-D03" else "error",
        f"{len(rows):,} of {whole:,} {second} pairs ({percent(len(rows), whole)}) also stand in "
        f"{first}",
        len(rows),
        [other.place(row) for row in rows],
        f"--fix {code} takes them out of {first}",
        {"of": whole, "share": len(rows) / whole},
    )


def conflicts(splits: Mapping[str, Split]) -> Finding | None:
    """Returns pairs of valid and test whose source train answers otherwise; None without them."""
    others: Sequence[Split] = [split for name, split in splits.items() if name != "train"]
    if not others:
        return None
    found = {split.name: rows_in_conflict(split, splits["train"]) for split in others}
    count = sum(map(len, found.values()))
    if not count:
        return Finding("SJ-D05", "ok", "no source has one target in train and another elsewhere")
    told = " and ".join(f"{len(rows):,} {name}" for name, rows in found.items() if rows)
    return Finding(
        "SJ-D05",
        "warning",
        f"{told} {'pair has' if count == 1 else 'pairs have'} a source of train, but another "
        "target than there",
        count,
        [split.place(row) for split in others for row in found[split.name]],
        "--fix SJ-D05 takes these sources out of train",
        {name: len(rows) for name, rows in found.items()},
    )

"""In which scheme tags mark spans, and where they break it."""

from collections.abc import Mapping
from typing import NamedTuple, get_args

import numpy as np

from seqjax.data.tagging import TagScheme, allowed_transitions
from seqjax.survey.corpus import Split
from seqjax.survey.finding import Finding, Place, percent, shown
from seqjax.survey.tokens import Side

MOST_BROKEN = 0.2
"""Share of training sequences that may break what still counts as their scheme."""


class Breaks(NamedTuple):
    """Where tags of one split break a scheme.

    Attributes:
      rows: `[breaks]` sequence of each; the first break of every sequence comes first.
      said: What stands there.
    """

    rows: list[int]
    said: list[str]


def scheme_breaks(splits: Mapping[str, Split], side: Side, given: TagScheme | None) -> Finding:
    """Returns sequences of tags that break their scheme.

    Args:
      splits: At least train.
      side: Tags as its tokens.
      given: A scheme, or None to look for that which the fewest training sequences break.
    """
    scheme = given or _scheme_of(side)
    whole = {name: len(split.targets) for name, split in splits.items()}
    if scheme is None:
        said = "the tags mark no spans in bio, bioes or iob"
        return Finding("SJ-D38", "ok", said, numbers={"scheme": None})
    found = {name: breaks(side, name, scheme) for name in splits}
    count = sum(len(each.rows) for each in found.values())
    numbers = {"scheme": scheme, **{name: len(each.rows) for name, each in found.items()}}
    kinds = len({tag.partition("-")[2] for tag in side.types if tag != "O"})
    looks = f"tags are to be {scheme}" if given else f"tags look like {scheme}"
    looks += f", {kinds:,} kinds of spans"
    if not count:
        return Finding("SJ-D38", "ok", f"{looks}, and no sequence breaks it", numbers=numbers)
    told = ", ".join(
        f"{len(each.rows):,} {name} ({percent(len(each.rows), whole[name])})"
        for name, each in found.items()
        if each.rows
    )
    places = [
        _place(splits[name], row, said)
        for name, each in found.items()
        for row, said in zip(each.rows, each.said, strict=True)
    ]
    return Finding(
        "SJ-D38",
        "warning",
        f"{looks}; sequences that break it: {told}",
        count,
        places,
        "correct the tags; with --model.tag-scheme such a sequence is never answered",
        numbers,
    )


def breaks(side: Side, split: str, scheme: TagScheme) -> Breaks:
    """Returns the sequences of a split that break a scheme, with the first place of each."""
    rows = side.rows[split]
    known = [number for number, tag in enumerate(side.types) if _is_of(tag, scheme)]
    allowed = allowed_transitions([side.types[number] for number in known], scheme)
    size = len(side.types)
    start, end = np.zeros(size, bool), np.zeros(size, bool)
    between = np.zeros((size, size), bool)
    start[known], end[known] = allowed.start, allowed.end
    between[np.ix_(known, known)] = allowed.between
    found: dict[int, str] = {}
    names = side.types
    for number in np.flatnonzero(rows.lengths).tolist():
        tags = rows.row(number)
        after = np.flatnonzero(~between[tags[:-1], tags[1:]])
        if not start[tags[0]]:
            found[number] = f"{names[tags[0]]} at the beginning"
        elif len(after):
            one, two = (names[tag] for tag in tags[after[0] : after[0] + 2].tolist())
            found[number] = f"{two} after {one}"
        elif not end[tags[-1]]:
            found[number] = f"{names[tags[-1]]} at the end"
    return Breaks(list(found), list(found.values()))


def _scheme_of(side: Side) -> TagScheme | None:
    """The scheme whose names all tags of train have, and that the fewest of its sequences break."""
    counts = side.counts("train")
    tags = [tag for tag, count in zip(side.types, counts.tolist(), strict=True) if count]
    if not any("-" in tag for tag in tags):
        return None
    broken = {
        scheme: len(breaks(side, "train", scheme).rows)
        for scheme in get_args(TagScheme)
        if all(_is_of(tag, scheme) for tag in tags)
    }
    if not broken:
        return None
    best = min(broken, key=broken.__getitem__)
    return best if broken[best] <= MOST_BROKEN * len(side.rows["train"].lengths) else None


def _is_of(tag: str, scheme: TagScheme) -> bool:
    try:
        allowed_transitions([tag], scheme)
    except ValueError:
        return False
    return True


def _place(split: Split, row: int, said: str) -> Place:
    place = split.place(row)
    return place._replace(text=f"{said}   in   {shown(place.text, 60)}")

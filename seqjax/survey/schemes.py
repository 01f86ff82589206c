"""In which scheme tags mark spans, and where they break it."""

from collections.abc import Mapping
from typing import get_args

import numpy as np

from seqjax.data.tagging import TagScheme, allowed_transitions
from seqjax.survey.corpus import Split
from seqjax.survey.finding import Finding, percent, shown
from seqjax.survey.tokens import Side
from seqjax.types import Transitions

MOST_BROKEN = 0.2
"""Share of training sequences that may break what still counts as their scheme."""


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
    found = {name: broken_rows(side, name, scheme).tolist() for name in splits}
    count = sum(map(len, found.values()))
    numbers = {"scheme": scheme, **{name: len(rows) for name, rows in found.items()}}
    kinds = len({tag.partition("-")[2] for tag in side.types if tag != "O"})
    looks = f"tags are to be {scheme}" if given else f"tags look like {scheme}"
    looks += f", {kinds:,} kinds of spans"
    if not count:
        return Finding("SJ-D38", "ok", f"{looks}, and no sequence breaks it", numbers=numbers)
    told = ", ".join(
        f"{len(rows):,} {name} ({percent(len(rows), whole[name])})"
        for name, rows in found.items()
        if rows
    )
    allowed = _allowed(side, scheme)
    places = []
    for name, rows in found.items():
        for row in rows:
            said = _broken_at(side.rows[name].row(row), side.types, allowed)
            place = splits[name].place(row)
            places.append(place._replace(text=f"{said}   in   {shown(place.text, 60)}"))
    return Finding(
        "SJ-D38",
        "warning",
        f"{looks}; sequences that break it: {told}",
        count,
        places,
        "correct the tags; with --model.tag-scheme such a sequence is never answered",
        numbers,
    )


def broken_rows(side: Side, split: str, scheme: TagScheme) -> np.ndarray:
    """Returns the sequences of a split that break a scheme."""
    rows, allowed = side.rows[split], _allowed(side, scheme)
    there = np.flatnonzero(rows.lengths)
    values, row_of = rows.values, rows.row_of
    follows = row_of[1:] == row_of[:-1]
    wrong = [
        there[~allowed.start[values[rows.starts[there]]]],
        row_of[1:][follows & ~allowed.between[values[:-1], values[1:]]],
        there[~allowed.end[values[rows.starts[there + 1] - 1]]],
    ]
    return np.unique(np.concatenate(wrong))


def _allowed(side: Side, scheme: TagScheme) -> Transitions:
    """Which of all tags may follow each other; one that is none of the scheme stands nowhere."""
    known = [number for number, tag in enumerate(side.types) if _is_of(tag, scheme)]
    found = allowed_transitions([side.types[number] for number in known], scheme)
    size = len(side.types)
    allowed = Transitions(*(np.zeros(shape, bool) for shape in (size, size, (size, size))))
    allowed.start[known], allowed.end[known] = found.start, found.end
    allowed.between[np.ix_(known, known)] = found.between
    return allowed


def _broken_at(tags: np.ndarray, names: list[str], allowed: Transitions) -> str:
    """What stands where a sequence first breaks its scheme."""
    if not allowed.start[tags[0]]:
        return f"{names[tags[0]]} at the beginning"
    after = np.flatnonzero(~allowed.between[tags[:-1], tags[1:]])
    if len(after):
        one, two = (names[tag] for tag in tags[after[0] : after[0] + 2].tolist())
        return f"{two} after {one}"
    return f"{names[tags[-1]]} at the end"


def _scheme_of(side: Side) -> TagScheme | None:
    """The scheme whose names all tags of train have, and that the fewest of its sequences break."""
    counts = side.counts("train")
    tags = [tag for tag, count in zip(side.types, counts.tolist(), strict=True) if count]
    if not any("-" in tag for tag in tags):
        return None
    broken = {
        scheme: len(broken_rows(side, "train", scheme))
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

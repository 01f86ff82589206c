"""Sources that are nearly those of training.

Two texts are near each other if, folded (lower case, no punctuation, digits as 0), they

- are the same, or
- are words, and are the same for their first `STEM` characters and more, each with at most
  `ENDING` characters after what is the same (inflected forms), or
- are sentences, of `FEWEST_WORDS` words or more each, and are the same once at most one word is
  left out of each.

Found by hashing: every text leaves a number for each way of shortening it, and two texts are near
if they have left the same number. The time grows with the number of tokens, not with its square.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from seqjax.survey.corpus import Split
from seqjax.survey.finding import Finding, Place, percent, shown
from seqjax.survey.hashing import Hashed, hashed, token_hashes
from seqjax.survey.symbols import is_closed
from seqjax.survey.tokens import Ragged, Side, cut_side, guess_kind

STEM, ENDING, FEWEST_WORDS = 4, 3, 5
_SHORTENED = np.uint64(1 << 63 | 1)
"""Sets the numbers of shortened texts apart from those of whole ones."""


class Marks(NamedTuple):
    """What texts have left: `numbers[n]` was left by text `rows[n]`."""

    numbers: np.ndarray
    rows: np.ndarray


def folded(text: str) -> str:
    """Returns a text without what near copies differ in.

    >>> folded("Hello, World! (1999)"), folded("don't")
    ('hello world 0000', 'dont')
    """
    return " ".join(text.casefold().translate(_FOLDS).split())


def marks_of(texts: Sequence[str], *, of_words: bool) -> Marks:
    """Returns the numbers that texts leave."""
    rows = cut_side("words" if of_words else "chars", {"": [folded(text) for text in texts]})
    ragged = rows.rows[""]
    text = hashed(token_hashes(rows.types)[ragged.values])
    filled = np.flatnonzero(ragged.lengths)
    whole = text.stretches(ragged.starts[filled], ragged.starts[filled + 1])
    left = [Marks(whole, filled)]
    left += [_without_one(text, ragged)] if of_words else _stems(text, ragged)
    return Marks(*(np.concatenate(part) for part in zip(*left, strict=True)))


def near_rows(ours: Marks, theirs: Marks) -> dict[int, int]:
    """Returns `{row of ours: a row of theirs that it is near}` for all that are.

    Of several it is one that shares the most with it, and of these the first.
    """
    order = np.lexsort((theirs.rows, theirs.numbers))
    numbers = np.append(theirs.numbers[order], np.uint64(0))
    place = np.searchsorted(numbers[:-1], ours.numbers)
    hit = (numbers[place] == ours.numbers) & (place < len(order))
    near: dict[int, int] = {}
    both = zip(ours.rows[hit].tolist(), theirs.rows[order[place[hit]]].tolist(), strict=True)
    for row, other in both:  # what was shortened least comes first
        near.setdefault(row, other)
    return dict(sorted(near.items()))


def near_sources(splits: Mapping[str, Split], source: Side) -> Finding | None:
    """Returns valid and test sources that are near one of train, but not in it.

    Args:
      splits: Nothing is returned for train alone.
      source: The sources as tokens: sentences of few words are neighbours by nature.
    """
    others = [split for name, split in splits.items() if name != "train"]
    if not others:
        return None
    train, places, numbers, told = splits["train"], [], {}, []
    of_words = guess_kind(train.sources) == "words"
    known, theirs = set(train.sources), marks_of(train.sources, of_words=of_words)
    for split in others:
        near = near_rows(marks_of(split.sources, of_words=of_words), theirs)
        near = {row: other for row, other in near.items() if split.sources[row] not in known}
        numbers[split.name] = {"near": len(near), "of": len(split.sources)}
        if near:
            share = percent(len(near), len(split.sources))
            told.append(f"{len(near):,} {split.name} ({share})")
        for row, other in near.items():
            theirs_at = f"train line {train.numbers[other]}"
            text = f"{shown(split.sources[row], 30)}  ~  {theirs_at}: {shown(train.sources[other])}"
            places.append(Place(split.paths[0], split.numbers[row], text))
    how = "are the same but for one word" if of_words else "look like other forms of one word"
    if not places:
        return Finding("SJ-D04", "ok", "no valid or test source is nearly one of train")
    return Finding(
        "SJ-D04",
        "info" if of_words and is_closed(source) else "warning",
        f"sources with a neighbour in train: {', '.join(told)}; they {how}, or differ in case or "
        "punctuation alone",
        len(places),
        places,
        "a split at random flatters; split by lemma or document, or --fix SJ-D04",
        numbers,
    )


class _Folds(dict):
    """What each code point becomes, found out when it is first met."""

    def __missing__(self, point: int) -> str:
        category = unicodedata.category(chr(point))
        self[point] = "" if category[0] in "PSC" else "0" if category == "Nd" else chr(point)
        return self[point]


_FOLDS = _Folds()


def _stems(text: Hashed, ragged: Ragged) -> list[Marks]:
    found = []
    for ending in range(ENDING + 1):
        rows = np.flatnonzero(ragged.lengths - ending >= STEM)
        numbers = text.stretches(ragged.starts[rows], ragged.starts[rows + 1] - ending)
        found.append(Marks(numbers ^ _SHORTENED, rows))
    return found


def _without_one(text: Hashed, ragged: Ragged) -> Marks:
    whole = np.flatnonzero(ragged.lengths >= FEWEST_WORDS)
    rows = ragged.row_of
    position = np.flatnonzero(ragged.lengths[rows] >= FEWEST_WORDS)
    rows = rows[position]
    starts, ends = ragged.starts[:-1], ragged.starts[1:]
    numbers = [
        text.without(starts[rows], ends[rows], position),
        text.stretches(starts[whole], ends[whole]),
    ]
    return Marks(np.concatenate(numbers) ^ _SHORTENED, np.concatenate([rows, whole]))

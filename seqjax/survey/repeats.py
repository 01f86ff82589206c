"""What a running text says twice: whole lines, and stretches that line breaks do not end."""

import itertools
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from seqjax.survey.corpus import Split
from seqjax.survey.finding import Finding, Place, counted, percent, shown
from seqjax.survey.hashing import Hashed, hashed, is_among, token_hashes
from seqjax.survey.tokens import Side, cut_side

LONG_LINE = 8
"""Words from which a line that comes again is hardly chance."""
GRAM = 13
"""Words of a stretch that counts as copied."""
MUCH = 0.01
LONG_STRETCH = 50


class Starts(NamedTuple):
    """Positions in one text and in another."""

    text: np.ndarray
    known: np.ndarray


def is_long(line: str) -> bool:
    """Says whether a line has so many words that it hardly comes again by chance."""
    return len(line.split()) >= LONG_LINE


def rows_shared(split: Split, other: Split) -> list[int]:
    """Returns the lines of `split`, empty ones aside, that stand in `other` too."""
    known = set(other.targets)
    return [row for row, line in enumerate(split.targets) if line.strip() and line in known]


def rows_repeated(split: Split) -> list[int]:
    """Returns the long lines that stood in the text before."""
    seen, rows = set(), []
    for row, line in enumerate(split.targets):
        if is_long(line):
            if line in seen:
                rows.append(row)
            seen.add(line)
    return rows


def shared_lines(splits: Mapping[str, Split]) -> list[Finding]:
    """Returns lines of valid and test that stand in train too."""
    findings = []
    for name, split in splits.items():
        if name == "train":
            continue
        rows = rows_shared(split, splits["train"])
        long = [row for row in rows if is_long(split.targets[row])]
        whole = sum(bool(line.strip()) for line in split.targets)
        if not rows:
            findings.append(Finding("SJ-D30", "ok", f"no {name} line stands in train"))
            continue
        findings.append(
            Finding(
                "SJ-D30",
                "warning" if long else "info",
                f"{counted(len(rows), f'{name} line')} ({percent(len(rows), whole)}) also stand in "
                f"train, {len(long):,} of them with {LONG_LINE} words or more",
                len(rows),
                [split.place(row) for row in (*long, *(set(rows) - set(long)))],
                "--fix SJ-D30 takes the long ones out of train" if long else "",
                {"split": name, "lines": len(rows), "long": len(long), "of": whole},
            )
        )
    return findings


def repeated_lines(splits: Mapping[str, Split]) -> Finding:
    """Returns long lines that train has more than once."""
    train = splits["train"]
    rows = rows_repeated(train)
    numbers = {"lines": len(rows), "of": len(train.targets)}
    if not rows:
        said = f"no train line of {LONG_LINE} words or more comes twice"
        return Finding("SJ-D31", "ok", said, numbers=numbers)
    return Finding(
        "SJ-D31",
        "warning" if len(rows) > MUCH * len(train.targets) else "info",
        f"{counted(len(rows), 'train line')} ({percent(len(rows), len(train.targets))}) of "
        f"{LONG_LINE} words or more repeat an earlier one",
        len(rows),
        [train.place(row) for row in rows],
        "--fix SJ-D31 keeps the first of each",
        numbers,
    )


def long_stretches(splits: Mapping[str, Split]) -> list[Finding]:
    """Returns how much of valid and test, word by word, is in train, and the longest of it."""
    words = cut_side("words", {name: split.targets for name, split in splits.items()})
    hashes = token_hashes(words.types)
    known = hashed(hashes[words.rows["train"].values])
    findings = []
    for name, split in splits.items():
        if name == "train":
            continue
        text, size = hashed(hashes[words.rows[name].values]), len(words.rows[name].values)
        length, start = longest_shared(text, known)
        copied = covered(text, known, GRAM)
        place = _place(split, words, name, start, length)
        share = copied / max(size, 1)
        findings.append(
            Finding(
                "SJ-D32",
                "warning" if share > MUCH or length >= LONG_STRETCH else "info",
                f"{percent(copied, size)} of {name} words are in stretches of {GRAM} that "
                f"stand in train; the longest has {length:,} words",
                copied,
                [place] if length else [],
                "split by document" if share > MUCH or length >= LONG_STRETCH else "",
                {"split": name, "share": share, "longest": length},
            )
        )
    return findings


def shared_starts(text: Hashed, known: Hashed, starts: Starts, length: int) -> Starts:
    """Returns where stretches of a length begin that stand in both, of those starts on each side.

    Whoever shares a stretch shares its beginning, so that the starts of shorter ones will do.
    """
    sides = [
        side[side + length < len(tokens.sums)]
        for tokens, side in zip((text, known), starts, strict=True)
    ]
    numbers = [
        tokens.stretches(side, side + length)
        for tokens, side in zip((text, known), sides, strict=True)
    ]
    return Starts(
        sides[0][is_among(numbers[0], numbers[1])], sides[1][is_among(numbers[1], numbers[0])]
    )


def longest_shared(text: Hashed, known: Hashed, guess: int = GRAM) -> tuple[int, int]:
    """Returns the length of the longest stretch of `text` that is in `known`, and where it begins.

    Args:
      text: All tokens.
      known: All tokens.
      guess: A length to begin with; any is right, and a good one quick.
    """
    starts = Starts(np.arange(len(text.sums) - 1), np.arange(len(known.sums) - 1))
    low, high, best, step = 0, len(text.sums), starts, guess
    while low + 1 < high:
        tried = min(low + step, high - 1)
        longer = shared_starts(text, known, best, tried)
        if len(longer.text):
            low, best, step = tried, longer, 2 * step
        else:
            high, step = tried, max((tried - low) // 2, 1)
    return low, int(best.text[0]) if len(best.text) else 0


def covered(text: Hashed, known: Hashed, length: int) -> int:
    """Returns how many tokens of `text` are in a stretch of that length that is in `known`."""
    size = len(text.sums) - 1
    starts = Starts(np.arange(size), np.arange(len(known.sums) - 1))
    begins = shared_starts(text, known, starts, length).text
    steps = np.zeros(size + 1, np.int64)
    np.add.at(steps, begins, 1)
    np.add.at(steps, begins + length, -1)
    return int((np.cumsum(steps) > 0).sum())


def _place(split: Split, words: Side, name: str, start: int, length: int) -> Place:
    rows = words.rows[name]
    row = int(np.searchsorted(rows.starts, start, side="right")) - 1
    ids: Sequence[int] = rows.values[start : start + min(length, 12)].tolist()
    text = " ".join(itertools.islice((words.types[each] for each in ids), 12))
    return split.place(min(row, len(split.numbers) - 1))._replace(text=shown(text, 70))

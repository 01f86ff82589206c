"""Pairs that look wrong by themselves."""

from collections.abc import Mapping

import numpy as np

from seqjax.survey.corpus import Split
from seqjax.survey.finding import Finding, Kind, counted, percent
from seqjax.survey.lengths import Lengths
from seqjax.survey.tokens import Ragged, Side

LEAST_FACTOR, SPREADS, LEAST_TOKENS = 3.0, 6.0, 5
"""A ratio is far off if it is so by a factor of three, by six times what most of them are off by,
and by five tokens."""
TIMES = 4
"""Repetitions in a row that make a loop."""
LONGEST_LOOP = 3
BY_NATURE = 0.05
"""Share of pairs above which a peculiarity counts as how the data is."""


def off_ratio(
    sources: np.ndarray, targets: np.ndarray, by: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, float, float]:
    """Returns which pairs have a length ratio far off, the median ratio and the factor of "far".

    Args:
      sources: `[pairs]` tokens.
      targets: `[pairs]` tokens.
      by: The same of the pairs that say what is usual (those of train).
    """
    usual = np.log(by[1] + 1.0) - np.log(by[0] + 1.0)
    median = float(np.median(usual))
    spread = 1.4826 * float(np.median(np.abs(usual - median)))
    factor = max(LEAST_FACTOR, float(np.exp(SPREADS * spread)))
    off = np.log(targets + 1.0) - np.log(sources + 1.0) - median
    expected = (sources + 1.0) * np.exp(median) - 1.0
    far = (np.abs(off) > np.log(factor)) & (np.abs(targets - expected) >= LEAST_TOKENS)
    return np.flatnonzero(far), float(np.exp(median)), factor


def misaligned_rows(sides: Lengths) -> tuple[dict[str, np.ndarray], float, float]:
    """Returns `off_ratio` of every split."""
    source, target = sides["source"], sides["target"]
    usual = (source["train"], target["train"])
    found = {name: off_ratio(source[name], target[name], usual) for name in source}
    _, median, factor = found["train"]
    return {name: rows for name, (rows, _, _) in found.items()}, median, factor


def misaligned_pairs(splits: Mapping[str, Split], sides: Lengths) -> Finding:
    """Returns pairs one side of which is far too long for the other."""
    found, median, factor = misaligned_rows(sides)
    numbers = {"median": median, "factor": factor}
    if not any(map(len, found.values())):
        said = f"no length ratio is {factor:.1f} × off the median of {median:.2f}"
        return Finding("SJ-D06", "ok", said, numbers=numbers)
    by_nature = len(found["train"]) > BY_NATURE * len(splits["train"].targets)
    return of_pairs(
        splits,
        {name: rows.tolist() for name, rows in found.items()},
        "SJ-D06",
        "info" if by_nature else "warning",
        f"far off in length: target / source tokens over {factor:.1f} × off the median of "
        f"{median:.2f}",
    )._replace(numbers=numbers)


def copied_rows(split: Split) -> list[int]:
    """Returns pairs whose target is the source."""
    both = zip(split.sources, split.targets, strict=True)
    return [row for row, (source, target) in enumerate(both) if source.strip() == target.strip()]


def copied_pairs(splits: Mapping[str, Split], *, of_words: bool) -> Finding:
    """Returns pairs whose target is the source."""
    found = {name: copied_rows(split) for name, split in splits.items()}
    if not any(found.values()):
        return Finding("SJ-D15", "ok", "no target is its source unchanged")
    train = splits["train"].targets
    rare = len(found["train"]) <= BY_NATURE * len(train)
    kind = "warning" if of_words and rare else "info"
    return of_pairs(splits, found, "SJ-D15", kind, "with the source as target, unchanged")


def looped_rows(rows: Ragged) -> np.ndarray:
    """Returns rows that say one, two or three tokens `TIMES` times in a row."""
    values, row_of, found = rows.values, rows.row_of, []
    for period in range(1, LONGEST_LOOP + 1):
        same = (values[period:] == values[:-period]) & (row_of[period:] == row_of[:-period])
        sums = np.concatenate([[0], np.cumsum(same)])
        needed = (TIMES - 1) * period
        if len(sums) > needed:
            begins = np.flatnonzero(sums[needed:] - sums[:-needed] == needed)
            found.append(row_of[begins])
    return np.unique(np.concatenate(found)) if found else np.zeros(0, np.int64)


def looped_targets(splits: Mapping[str, Split], target: Side) -> Finding:
    """Returns pairs whose target goes round in a circle."""
    found = {name: looped_rows(target.rows[name]).tolist() for name in splits}
    if not any(found.values()):
        return Finding("SJ-D16", "ok", f"no target repeats itself {TIMES} times in a row")
    by_nature = len(found["train"]) > BY_NATURE * len(splits["train"].targets)
    kind = "info" if by_nature else "warning"
    said = f"with one to three target tokens {TIMES} times in a row or more"
    return of_pairs(splits, found, "SJ-D16", kind, said)


def of_pairs(
    splits: Mapping[str, Split], found: Mapping[str, list[int]], code: str, kind: Kind, said: str
) -> Finding:
    """Returns a finding on rows of each split."""
    count, whole = sum(map(len, found.values())), sum(len(s.targets) for s in splits.values())
    numbers = {name: len(rows) for name, rows in found.items()}
    return Finding(
        code,
        kind,
        f"{counted(count, 'pair')} ({percent(count, whole)}) {said}",
        count,
        [splits[name].place(row) for name, rows in found.items() for row in rows],
        f"look at them: --show {code}",
        numbers,
    )

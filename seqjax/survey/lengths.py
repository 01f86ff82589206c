"""How long texts are, and what that costs or cuts."""

from collections.abc import Mapping, Sequence

import numpy as np

from seqjax.survey.corpus import Split
from seqjax.survey.finding import Finding, Place, Section, percent, shown
from seqjax.survey.tokens import Side

BLOCKS = " ▁▂▃▄▅▆▇█"
BARS = 24


def quantiles(lengths: np.ndarray) -> dict[str, int]:
    """Returns the least length, the median, the 95th and 99th percentile and the greatest.

    A percentile is a length that occurs: the least one that so many texts do not exceed.

    >>> quantiles(np.array([1, 2, 3, 4]))
    {'min': 1, 'median': 2, 'p95': 4, 'p99': 4, 'max': 4}
    """
    cuts = np.quantile(lengths, [0, 0.5, 0.95, 0.99, 1], method="inverted_cdf")
    names = ("min", "median", "p95", "p99", "max")
    return {name: int(cut) for name, cut in zip(names, cuts, strict=True)}


def sparkline(lengths: np.ndarray, bars: int = BARS) -> str:
    """Returns a histogram of a line's height; a bar that is there is never drawn as nothing.

    >>> sparkline(np.array([1, 1, 1, 1, 1, 1, 1, 1, 2, 4]), 4)
    '█▁ ▁'
    """
    low, high = int(lengths.min()), int(lengths.max())
    bars = min(bars, high - low + 1)
    counts, _ = np.histogram(lengths, bars, (low, high + 1))
    heights = np.ceil(8 * counts / counts.max()).astype(int)
    return "".join(BLOCKS[height] for height in heights)


def length_section(source: Side, target: Side) -> Section:
    """Returns how long the texts of both sides are, in tokens."""
    table, numbers = [], {}
    for name in source.rows:
        for word, side in (("source", source), ("target", target)):
            lengths = side.rows[name].lengths
            found = quantiles(lengths)
            values = "  ".join(f"{word} {value:>4,}" for word, value in found.items())
            drawn = f"   {sparkline(lengths)}" if name == "train" else ""
            table.append(f"{name:<6} {word:<7} {values}{drawn}")
            numbers.setdefault(name, {})[word] = {**found, "mean": float(lengths.mean())}
    return Section("Lengths, in tokens", table, (), numbers)


def too_long(
    splits: Mapping[str, Split], source: Side, target: Side, max_source: int, max_target: int
) -> Finding:
    """Returns training pairs beyond the limits of `--data.max-source` and `--data.max-target`."""
    lengths = [side.rows["train"].lengths for side in (source, target)]
    over = [lengths[0] > max_source, lengths[1] > max_target]
    rows = np.flatnonzero(over[0] | over[1])
    train = splits["train"]
    limits = f"{max_source} source, {max_target} target tokens"
    numbers = {"max_source": max_source, "max_target": max_target}
    if not len(rows):
        return Finding("SJ-D08", "ok", f"no pair is longer than {limits}", numbers=numbers)
    whole = len(train.targets)
    return Finding(
        "SJ-D08",
        "warning",
        f"{len(rows):,} train pairs ({percent(len(rows), whole)}) are longer than {limits} and "
        f"would be left out",
        len(rows),
        [train.place(row) for row in rows.tolist()],
        f"--data.max-source {int(lengths[0].max())} --data.max-target {int(lengths[1].max())} "
        f"keeps all",
        {**numbers, "source": int(over[0].sum()), "target": int(over[1].sum())},
    )


def longer_than_train(splits: Mapping[str, Split], source: Side, target: Side) -> Finding | None:
    """Returns texts of valid and test longer than any of train; None without such splits."""
    if len(splits) < 2:
        return None
    told, places, numbers = [], [], {}
    for word, number, side in (("source", 0, source), ("target", 1, target)):
        longest = int(side.rows["train"].lengths.max())
        for name, split in splits.items():
            lengths = side.rows[name].lengths
            rows = np.flatnonzero(lengths > longest).tolist()
            if rows:
                share = percent(len(rows), len(lengths))
                told.append(f"{len(rows):,} {name} {word}s ({share}) with more than {longest:,}")
                places += [_long_place(split, row, number, int(lengths[row])) for row in rows]
            numbers[f"{name}_{word}"] = len(rows)
    if not places:
        return Finding("SJ-D25", "ok", "no valid or test text is longer than all of train")
    many = any(count > 0.01 * len(splits[k.split("_")[0]].targets) for k, count in numbers.items())
    return Finding(
        "SJ-D25",
        "warning" if many else "info",
        f"longer than anything in train: {'; '.join(told)} tokens",
        len(places),
        places,
        "recurrent models rarely go on rightly beyond what they practised",
        numbers,
    )


def _long_place(split: Split, row: int, side: int, length: int) -> Place:
    place = split.place(row, side)
    return place._replace(text=f"{length:,} tokens: {shown(place.text, 60)}")


def few_to_judge_by(splits: Mapping[str, Split], least: int = 400) -> Finding | None:
    """Returns how precisely a share is known from valid and test; None without such splits.

    Args:
      splits: At least train.
      least: Examples below which this is a warning; 400 know a share to within 5 points.
    """
    others: Sequence[Split] = [split for name, split in splits.items() if name != "train"]
    if not others:
        return None
    within = {split.name: 98 / len(split.targets) ** 0.5 for split in others}
    told = " and ".join(f"{points:.1f} points on {name}" for name, points in within.items())
    few = [split.name for split in others if len(split.targets) < least]
    said = f"a score near 50 % is known to within ± {told}"
    if not few:
        return Finding("SJ-D24", "ok", said, numbers=within)
    count = sum(len(split.targets) for split in others if split.name in few)
    mend = "hold out more, or judge by tokens"
    return Finding("SJ-D24", "warning", said, count, mend=mend, numbers=within)

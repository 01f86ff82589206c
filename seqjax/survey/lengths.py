"""How long texts are, and what that costs or cuts."""

from collections.abc import Mapping, Sequence

import numpy as np

from seqjax.config import DataConfig
from seqjax.survey.corpus import SIDES, Split
from seqjax.survey.finding import Finding, Place, Section, percent, shown

Lengths = Mapping[str, Mapping[str, np.ndarray]]
"""By side, `source` and `target` or one of them, and by split: `[rows]` tokens or steps of each."""
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


def length_section(sides: Lengths, what: str = "tokens") -> Section:
    """Returns how long the texts of each side are."""
    table, numbers = [], {}
    for name in next(iter(sides.values())):
        for word, side in sides.items():
            lengths = side[name]
            found = quantiles(lengths)
            values = "  ".join(f"{word} {value:>4,}" for word, value in found.items())
            drawn = f"   {sparkline(lengths)}" if name == "train" else ""
            table.append(f"{name:<6} {word:<7} {values}{drawn}")
            numbers.setdefault(name, {})[word] = {**found, "mean": float(lengths.mean())}
    return Section(f"Lengths, in {what}", table, (), numbers)


def too_long(
    splits: Mapping[str, Split],
    sides: Lengths,
    data: DataConfig,
    *,
    cut: bool = True,
    unit: str = "tokens",
) -> Finding:
    """Returns pairs beyond the limits of `--data.max-source` and `--data.max-target`: of train
    those that would be left out, of valid and test those whose source would be cut.

    Of sources that are cut in training (`--data.long-sources cut`) none is too long.

    Args:
      splits: At least train.
      sides: Those that have a limit.
      data: The limits.
      cut: Whether sources of valid and test are cut at their limit at all; taggers read them whole.
      unit: What lengths are counted in.
    """
    limit_of = {side: getattr(data, f"max_{side}") for side in sides}
    over = {side: sides[side]["train"] > limit for side, limit in limit_of.items()}
    if data.long_sources == "cut" and "source" in over:
        over["source"] = np.zeros_like(over["source"])
    rows = {"train": np.flatnonzero(np.any(list(over.values()), axis=0))}
    for name in splits if cut else ():
        rows.setdefault(name, np.flatnonzero(sides["source"][name] > limit_of["source"]))
    limits = ", ".join(f"{limit} {side}" for side, limit in limit_of.items()) + f" {unit}"
    numbers = {f"max_{side}": limit for side, limit in limit_of.items()}
    count = sum(map(len, rows.values()))
    if not count:
        return Finding("SJ-D08", "ok", f"no pair is longer than {limits}", numbers=numbers)
    told = {
        name: f"{len(found):,} {name} pairs ({percent(len(found), len(splits[name].targets))})"
        for name, found in rows.items()
        if len(found)
    }
    train = told.pop("train", "")
    says = [f"{train} are longer than {limits} and would be left out"] * bool(train)
    says += [f"{' and '.join(told.values())} would be read up to {limits} only"] * bool(told)
    longest = {
        side: max(int(lengths[name].max()) for name in rows) for side, lengths in sides.items()
    }
    return Finding(
        "SJ-D08",
        "warning",
        "; ".join(says),
        count,
        [splits[name].place(row) for name, found in rows.items() for row in found.tolist()],
        " ".join(f"--data.max-{s} {n}" for s, n in longest.items() if n > limit_of[s])
        + " keeps all",
        {**numbers, **{side: int(found.sum()) for side, found in over.items()}},
    )


def longer_than_train(
    splits: Mapping[str, Split], sides: Lengths, unit: str = "tokens"
) -> Finding | None:
    """Returns texts of valid and test longer than any of train; None without such splits."""
    if len(splits) < 2:
        return None
    told, places, numbers = [], [], {}
    for word, side in sides.items():
        number, longest = SIDES.index(word), int(side["train"].max())
        for name, split in splits.items():
            lengths = side[name]
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
        f"longer than anything in train: {'; '.join(told)} {unit}",
        len(places),
        places,
        "recurrent models rarely go on rightly beyond what they practised",
        numbers,
    )


def _long_place(split: Split, row: int, side: int, length: int) -> Place:
    place = split.place(row, side)
    return place._replace(text=f"{length:,}: {shown(place.text, 60)}")


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

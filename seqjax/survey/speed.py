"""How fast recordings speak: pairs that are far slower or faster than the others are suspect."""

from collections.abc import Mapping

import numpy as np

from seqjax.survey.corpus import Split
from seqjax.survey.finding import Finding
from seqjax.survey.suspects import BY_NATURE, LEAST_FACTOR, of_pairs

SPREADS = 4.0
"""By how many times what most are off by: of a normal distribution of logarithms, one in 16,000."""


def off_speed(speeds: np.ndarray, usual: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Returns which speeds are far off, the median of what is usual and the factor of "far".

    Far is a factor of three at least, and of `SPREADS` spreads (1.4826 times the median deviation)
    of the logarithm.

    Args:
      speeds: `[pairs]`, positive.
      usual: The same of those that say what is usual (of train).
    """
    median = float(np.median(np.log(usual)))
    spread = 1.4826 * float(np.median(np.abs(np.log(usual) - median)))
    factor = max(LEAST_FACTOR, float(np.exp(SPREADS * spread)))
    far = np.abs(np.log(speeds) - median) > np.log(factor)
    return np.flatnonzero(far), float(np.exp(median)), factor


def odd_speeds(
    splits: Mapping[str, Split],
    tokens: Mapping[str, np.ndarray],
    time: Mapping[str, np.ndarray],
    unit: str,
) -> Finding:
    """Returns pairs that say far more, or less, in their time than the others do.

    Args:
      splits: At least train.
      tokens: `[rows]` of each target, by split.
      time: `[rows]` seconds or steps of each source, by split.
      unit: `second` or `step`.
    """
    speeds = {name: tokens[name] / time[name] for name in splits}
    found, median, factor = {}, 0.0, 0.0
    for name in splits:
        rows, median, factor = off_speed(speeds[name], speeds["train"])
        found[name] = rows.tolist()
    numbers = {"median": median, "factor": factor}
    usual = f"{median:.2f} target tokens a {unit} (the median)"
    if not any(found.values()):
        said = f"no pair is {factor:.1f} × faster or slower than {usual}"
        return Finding("SJ-D06", "ok", said, numbers=numbers)
    by_nature = len(found["train"]) > BY_NATURE * len(splits["train"].targets)
    said = f"over {factor:.1f} × faster or slower than {usual}"
    finding = of_pairs(splits, found, "SJ-D06", "info" if by_nature else "warning", said)
    places = [
        splits[name]
        .place(row)
        ._replace(text=f"{speeds[name][row]:.2f} a {unit}   {splits[name].place(row).text}")
        for name, rows in found.items()
        for row in rows
    ]
    return finding._replace(places=places, numbers=numbers)

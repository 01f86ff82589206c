"""How sure a score of a test set is, had other sentences been drawn."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from seqjax.types import Mean

RESAMPLES, CONFIDENCE = 1_000, 0.95


class Interval(NamedTuple):
    """A score and, where resampling can tell, the interval that it is in for most resamples."""

    value: float
    low: float | None = None
    high: float | None = None


def bootstrap_mean(parts: Sequence[Mean], *, seed: int = 0) -> Interval:
    """Returns the mean that `parts`, one a sentence, add up to, and its 95 % interval.

    The interval holds the middle of the means of 1,000 sets of as many sentences, drawn with
    replacement.

    Raises:
      ValueError: If there are no parts.

    >>> bootstrap_mean([Mean(1.0, 2.0)] * 3)
    Interval(value=0.5, low=0.5, high=0.5)

    References:
      Koehn, "Statistical significance tests for machine translation evaluation", 2004.
    """
    if not parts:
        raise ValueError("there must be a sentence to draw from, got none")
    sums = np.array([(part.total, part.weight) for part in parts], np.float64)
    generator = np.random.default_rng(seed)
    drawn = (generator.integers(0, len(sums), len(sums)) for _ in range(RESAMPLES))
    edge = 50 * (1 - CONFIDENCE)
    low, high = np.percentile([_mean(sums[indices]) for indices in drawn], [edge, 100 - edge])
    return Interval(_mean(sums), float(low), float(high))


def _mean(sums: np.ndarray) -> float:
    total, weight = sums.sum(axis=0)
    return float(total / weight) if weight else 0.0

"""How sure a score of a test set is, had other sentences been drawn."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from seqjax.types import Mean


class Interval(NamedTuple):
    """A score and, where resampling can tell, the interval that it is in for most resamples."""

    value: float
    low: float | None = None
    high: float | None = None


def bootstrap(
    statistic_fn: Callable[[np.ndarray], float],
    count: int,
    *,
    resamples: int = 1_000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Returns a statistic of `count` sentences and its percentile bootstrap interval.

    Args:
      statistic_fn: `(indices) -> value`, of sentences that may occur more than once.
      count: Sentences, at least 1.
      resamples: Sets of `count` sentences drawn with replacement.
      confidence: Share of them inside the interval.
      seed: Of the draws.

    Raises:
      ValueError: If there are no sentences.

    References:
      Koehn, "Statistical significance tests for machine translation evaluation", 2004.
    """
    if count < 1:
        raise ValueError(f"count must be at least 1, got {count}")
    generator = np.random.default_rng(seed)
    values = [statistic_fn(generator.integers(0, count, count)) for _ in range(resamples)]
    edge = 50 * (1 - confidence)
    low, high = np.percentile(values, [edge, 100 - edge])
    return Interval(float(statistic_fn(np.arange(count))), float(low), float(high))


def bootstrap_mean(parts: Sequence[Mean], **settings) -> Interval:
    """Returns the mean that `parts`, one a sentence, add up to, and its interval.

    >>> bootstrap_mean([Mean(1.0, 2.0)] * 3)
    Interval(value=0.5, low=0.5, high=0.5)
    """
    totals = np.array([part.total for part in parts], np.float64)
    weights = np.array([part.weight for part in parts], np.float64)

    def mean(indices: np.ndarray) -> float:
        weight = weights[indices].sum()
        return float(totals[indices].sum() / weight) if weight else 0.0

    return bootstrap(mean, len(parts), **settings)

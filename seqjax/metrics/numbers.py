"""What a set of numbers is worth."""

from collections.abc import Sequence

import numpy as np


def evaluate_numbers(answers: Sequence[float], wanted: Sequence[float]) -> dict[str, float | int]:
    """Returns the usual scores of numbers, in their own units.

    `mean_squared_error` and `mean_absolute_error`; `r2` is 1 less the squared error over that of
    whoever always says the mean of `wanted`: 1 at best, 0 of the mean, below of what is worse. It
    is 0 where all that is wanted is the same.

    Raises:
      ValueError: If there are no numbers, or not as many of either.

    >>> evaluate_numbers([1.0, 3.0], [1.0, 5.0])
    {'examples': 2, 'mean_squared_error': 2.0, 'mean_absolute_error': 1.0, 'r2': 0.5}
    """
    if not len(wanted):
        raise ValueError("there are no numbers to evaluate")
    if len(answers) != len(wanted):
        raise ValueError(f"answers must be as many as wanted, got {len(answers)} and {len(wanted)}")
    right = np.array(wanted, np.float64)
    apart = np.array(answers, np.float64) - right
    with np.errstate(over="ignore"):
        squares = float(np.mean(apart**2))
    spread = float(np.var(right)) if np.ptp(right) else 0.0  # a variance of equals is seldom 0
    return {
        "examples": len(wanted),
        "mean_squared_error": squares,
        "mean_absolute_error": float(np.mean(np.abs(apart))),
        "r2": 1 - squares / spread if spread else 0.0,
    }

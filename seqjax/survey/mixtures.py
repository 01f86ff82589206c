"""Whether two sets of labels can be drawn of one mixture, and how far apart they are."""

import math
from typing import NamedTuple

import numpy as np

LEAST_EXPECTED = 5.0
"""Below which the approximation to the chi-square distribution is not to be relied upon."""


class Apart(NamedTuple):
    """How two mixtures differ.

    Attributes:
      chi_square: Pearson's statistic of the table of counts.
      degrees: Its degrees of freedom; 0 where there is but one label to compare.
      probability: Of such a statistic or a greater one, if both were drawn of one mixture.
      distance: Share of the labels of either that would have to be others (total variation).
    """

    chi_square: float
    degrees: int
    probability: float
    distance: float


def apart(ours: np.ndarray, theirs: np.ndarray) -> Apart:
    """Compares counts of the same labels.

    Labels of which fewer than `LEAST_EXPECTED` are to be expected in either set are counted
    together, and with the rarest of the others if they are too few even so.

    Args:
      ours: `[labels]`, some of them.
      theirs: `[labels]`, some of them.

    References:
      Pearson, "On the criterion ...", 1900; the rule of five is Cochran's, "Some methods for
      strengthening the common chi-square tests", 1954, in its strict form.

    >>> apart(np.array([50, 50]), np.array([30, 70]))[:2]
    (8.333333333333334, 1)
    """
    table = np.stack([ours, theirs]).astype(float)
    sums = table.sum(axis=1)
    shares = table / sums[:, None]
    distance = float(np.abs(shares[0] - shares[1]).sum() / 2)
    table = _pooled(table)
    degrees = table.shape[1] - 1
    if degrees < 1:
        return Apart(0.0, 0, 1.0, distance)
    expected = sums[:, None] * table.sum(axis=0) / sums.sum()
    statistic = float((np.square(table - expected) / expected).sum())
    return Apart(statistic, degrees, chi_square_tail(statistic, degrees), distance)


def chi_square_tail(statistic: float, degrees: int) -> float:
    """Returns the probability of a chi-square variable to be as great as that, or greater.

    With y half the statistic it is a sum of `y^s exp(-y) / Gamma(s + 1)` over s = 0, 1, ... below
    half of an even number of degrees; of an odd one over s = 1/2, 3/2, ..., and `erfc(sqrt(y))`.

    >>> round(chi_square_tail(3.841, 1), 3), round(chi_square_tail(9.488, 4), 3)
    (0.05, 0.05)
    """
    half = statistic / 2
    if half <= 0:
        return 1.0
    odd = degrees % 2
    powers = np.arange(degrees // 2) + odd / 2
    logs = [power * math.log(half) - half - math.lgamma(power + 1) for power in powers.tolist()]
    tail = math.fsum(map(math.exp, logs)) + (math.erfc(math.sqrt(half)) if odd else 0.0)
    return min(tail, 1.0)


def _pooled(table: np.ndarray) -> np.ndarray:
    """The counts that can be compared, what is too rare for it in one column."""
    whole = table.sum(axis=0)
    least = LEAST_EXPECTED * table.sum() / table.sum(axis=1).min()
    order = np.argsort(-whole, kind="stable")
    order = order[whole[order] > 0]
    many = int((whole[order] >= least).sum())
    rest = table[:, order[many:]].sum(axis=1)
    kept = table[:, order[:many]]
    if not rest.sum():
        return kept
    if rest.sum() >= least or not many:
        return np.column_stack([kept, rest])
    return np.column_stack([kept[:, :-1], kept[:, -1] + rest])

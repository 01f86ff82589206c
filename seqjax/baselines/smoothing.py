"""Modified Kneser-Ney smoothing: what is taken from frequent n-grams and given to unseen ones."""

from typing import NamedTuple

import numpy as np

from seqjax.baselines.counts import Counted

FALLBACK_DISCOUNTS = (0.5, 1.0, 1.5)
"""Of n-grams that occur once, twice, and more often, where they cannot be estimated."""


class Order(NamedTuple):
    """The n-grams of one order, smoothed: `p(w | c) = gains + backoffs[c] * p(w | shorter c)`.

    Attributes:
      keys: `[ngrams]` as in `Counted`.
      gains: `[ngrams]` what it has been seen for: `(a - D(a)) / sum of a over its context`.
      backoffs: `[contexts]` the weight of the order below, by index of the context among the
        n-grams of the order below; 1 for a context that was never followed by anything.
    """

    keys: np.ndarray
    gains: np.ndarray
    backoffs: np.ndarray


def estimate_discounts(counts: np.ndarray) -> tuple[float, float, float]:
    """Returns what is taken from n-grams of adjusted count 1, 2, and 3 or more.

    `D_j = j - (j + 1) Y t_{j+1} / t_j` with `Y = t_1 / (t_1 + 2 t_2)`, where t_j is how many
    n-grams have count j. If t_1, t_2 or t_3 is 0, or a discount is not in (0, j], all three are
    `FALLBACK_DISCOUNTS`: with none, what never followed a context would be impossible. That happens
    in small corpora, and for the low orders of characters.

    References:
      Chen and Goodman, "An empirical study of smoothing techniques for language modeling", 1998,
      section 3; KenLM's `lmplz --discount_fallback` has the same rule and the same three values.
    """
    times = np.bincount(np.minimum(counts, 5), minlength=6).astype(float)
    if not times[1:4].all():
        return FALLBACK_DISCOUNTS
    share = times[1] / (times[1] + 2 * times[2])
    found = [j - (j + 1) * share * times[j + 1] / times[j] for j in (1, 2, 3)]
    if any(not 0 < discount <= j for j, discount in enumerate(found, start=1)):
        return FALLBACK_DISCOUNTS
    return found[0], found[1], found[2]


def smooth(counted: list[Counted], vocab_size: int) -> list[Order]:
    """Returns each order with its discounts taken off and given to the order below.

    Below order 1 stands the uniform distribution over the vocabulary.
    """
    orders, contexts = [], 1
    for keys, counts in counted:
        parents = keys // (vocab_size + 1)
        taken = np.array([0.0, *estimate_discounts(counts)])[np.minimum(counts, 3)]
        totals = np.bincount(parents, counts, minlength=contexts)
        given = np.bincount(parents, taken, minlength=contexts)
        seen = totals > 0
        backoffs = np.where(seen, given / np.where(seen, totals, 1), 1.0)
        gains = (counts - taken) / np.where(seen, totals, 1)[parents]
        orders.append(Order(keys, gains, backoffs))
        contexts = len(keys)
    return orders

"""Which of several answers is the best one, by what was not looked at while they were searched."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

Candidate = TypeVar("Candidate")


def minimum_bayes_risk(
    candidates: Sequence[Candidate],
    utility_fn: Callable[[Candidate, Candidate], float],
    weights: Sequence[float] | None = None,
) -> list[tuple[int, float]]:
    """Returns `(number, expected utility)` of all candidates, best first.

    The expected utility of an answer is its mean utility against all candidates, itself included,
    taken as what the reference may be, each counted by its weight. Ties keep their order.

    Args:
      candidates: Answers to one source: draws, or an n-best list.
      utility_fn: `(answer, reference) -> utility`, higher is better.
      weights: How probable each is as a reference; equal where not given, as suits draws.

    Raises:
      ValueError: If there is not one weight for each, or they cannot be weights.

    >>> likeness = lambda answer, reference: len(set(answer) & set(reference))
    >>> [number for number, _ in minimum_bayes_risk(["xyz", "abc", "abd"], likeness)]
    [1, 2, 0]

    References:
      Kumar & Byrne, "Minimum Bayes-risk decoding for statistical machine translation", 2004; Eikema
      & Aziz, "Is MAP decoding all you need?", 2020.
    """
    weights = [1.0] * len(candidates) if weights is None else list(weights)
    if len(weights) != len(candidates):
        raise ValueError(f"weights must be one a candidate, got {len(weights)}")
    if candidates and (min(weights) < 0 or not 0 < sum(weights) < np.inf):
        raise ValueError(f"weights must be at least 0 and not all 0, got {weights}")
    utilities = [
        sum(
            weight * utility_fn(answer, reference)
            for reference, weight in zip(candidates, weights, strict=True)
        )
        / sum(weights)
        for answer in candidates
    ]
    order = sorted(range(len(candidates)), key=lambda number: -utilities[number])
    return [(number, utilities[number]) for number in order]


def rerank(scores: Sequence[Sequence[float]], weights: Sequence[float]) -> list[tuple[int, float]]:
    """Returns `(number, score)` of all candidates by a weighted sum of several scores, best first.

    Args:
      scores: One sequence for each kind of score, with one for each candidate; `-inf` is allowed.
      weights: One for each kind; a weight of 0 leaves a score out.

    Raises:
      ValueError: If there is not one weight for each kind.
    """
    if len(scores) != len(weights):
        raise ValueError(f"weights must be one a score, got {len(weights)} for {len(scores)}")
    columns = zip(*scores, strict=True)
    totals = [
        sum(weight * one for weight, one in zip(weights, column, strict=True) if weight)
        for column in columns
    ]
    order = sorted(range(len(totals)), key=lambda number: -totals[number])
    return [(number, totals[number]) for number in order]

"""What a set of labels is worth."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

BINS = 15
"""Of equal width, in which confidence is compared with accuracy."""


class Bin(NamedTuple):
    """Answers of like confidence.

    Attributes:
      low, high: Confidence lies in `[low, high)`; in the last bin it may be 1.
      count: Answers in it.
      accuracy: The share of them that is right; 0 of none.
      confidence: The mean probability they were given with; 0 of none.
    """

    low: float
    high: float
    count: int
    accuracy: float
    confidence: float


def evaluate_labels(
    answers: Sequence[Mapping[str, float]], labels: Sequence[str], classes: Sequence[str]
) -> dict[str, Any]:
    """Returns the usual scores of labels that were given with their probabilities.

    `accuracy` is the share that is right; `macro_f1` the mean of every class's F1, a class that is
    neither there nor said left out; `calibration_error` (ECE) the mean distance of accuracy and
    confidence over `BINS` bins of equal width, each weighted by what is in it; `brier` the squared
    distance of all probabilities from 1 for the right class and 0 for the others, in [0, 2].

    Args:
      answers: Log-probabilities of all classes, for each example; none for an empty text, which is
        wrong with confidence 0. Of equally likely classes the first of `classes` counts.
      labels: The right ones.
      classes: All there are.

    Raises:
      ValueError: If there are no examples, not as many answers as labels, or a label is no class.

    References:
      Guo et al., "On calibration of modern neural networks", 2017, section 2; Brier,
      "Verification of forecasts expressed in terms of probability", 1950.
    """
    if not labels:
        raise ValueError("there are no labels to evaluate")
    if len(answers) != len(labels):
        raise ValueError(f"answers must be as many as labels, got {len(answers)} and {len(labels)}")
    ids = {name: number for number, name in enumerate(classes)}
    log_probs = np.array(
        [[found.get(name, -math.inf) for name in classes] for found in answers], np.float64
    )
    probs = np.exp(log_probs)
    said = [
        classes[int(top)] if row[top] else None
        for row, top in zip(probs, probs.argmax(1), strict=True)
    ]
    counts = confusion(said, labels, classes)
    right = np.array([ids[label] for label in labels])
    correct = [answer == label for answer, label in zip(said, labels, strict=True)]
    bins = calibration_bins(np.max(probs, axis=1), correct)
    return {
        "examples": len(labels),
        "accuracy": float(np.trace(counts) / len(labels)),
        "macro_f1": macro_f1(counts),
        "calibration_error": calibration_error(bins),
        "brier": float(np.mean(np.sum((probs - np.eye(len(classes))[right]) ** 2, axis=1))),
    }


def confusion(
    answers: Sequence[str | None], labels: Sequence[str], classes: Sequence[str]
) -> np.ndarray:
    """Returns `[classes, classes + 1]`: how often a class (row) was called what (column).

    The last column is for no answer.

    Args:
      answers: Class that was said of each example, or None.
      labels: The right ones.
      classes: All there are, in the order of rows and columns.

    Raises:
      ValueError: If a label or an answer is no class.

    >>> confusion(["a", "b", None, "b"], ["a", "a", "b", "b"], ["a", "b"]).tolist()
    [[1, 1, 0], [0, 1, 1]]
    """
    ids: dict[str | None, int] = {name: number for number, name in enumerate(classes)}
    columns = ids | {None: len(classes)}
    counts = np.zeros((len(classes), len(classes) + 1), np.int64)
    for answer, label in zip(answers, labels, strict=True):
        if label not in ids or answer not in columns:
            found = label if label not in ids else answer
            raise ValueError(f"labels and answers must be among {list(classes)}, got {found!r}")
        counts[ids[label], columns[answer]] += 1
    return counts


def f1_by_class(counts: np.ndarray) -> list[float | None]:
    """Returns the F1 of every class; None for one that is neither there nor said.

    Args:
      counts: As `confusion` gives them.

    >>> f1_by_class(np.array([[1, 1, 0, 0], [0, 2, 0, 0], [0, 0, 0, 0]]))
    [0.6666666666666666, 0.8, None]
    """
    square = counts[:, :-1]
    both = counts.sum(axis=1) + square.sum(axis=0)
    return [
        float(2 * hits / whole) if whole else None
        for hits, whole in zip(np.diag(square), both, strict=True)
    ]


def macro_f1(counts: np.ndarray) -> float:
    """Returns the mean F1 of the classes that are there or were said; 0 if none is.

    So does scikit-learn's `f1_score(average="macro")` as long as it is not told of classes by
    `labels`: then those that are neither there nor said count as 0, too.

    Args:
      counts: As `confusion` gives them.
    """
    found = [one for one in f1_by_class(counts) if one is not None]
    return sum(found) / len(found) if found else 0.0


def calibration_bins(
    confidences: Sequence[float] | np.ndarray, correct: Sequence[bool], count: int = BINS
) -> list[Bin]:
    """Returns `count` bins of equal width with what is in them, from confidence 0 up to 1.

    Args:
      confidences: Probability that each answer was given with.
      correct: Whether it is right.
      count: Bins.

    Raises:
      ValueError: If `count` is below 1, or there is not one of each for every answer.
    """
    confidences, hits = np.asarray(confidences, np.float64), np.asarray(correct, bool)
    if count < 1:
        raise ValueError(f"count must be at least 1, got {count}")
    if confidences.shape != hits.shape:
        raise ValueError(f"confidences must be {len(hits)}, one an answer, got {len(confidences)}")
    number = np.searchsorted(np.arange(1, count) / count, confidences, side="right")
    bins = []
    for one in range(count):
        here = number == one
        size = int(here.sum())
        accuracy, confidence = (
            float(values[here].mean()) if size else 0.0 for values in (hits, confidences)
        )
        bins.append(Bin(one / count, (one + 1) / count, size, accuracy, confidence))
    return bins


def calibration_error(bins: Sequence[Bin]) -> float:
    """Returns the mean distance of accuracy and confidence, each bin weighted by its answers."""
    count = sum(one.count for one in bins)
    return sum(one.count * abs(one.accuracy - one.confidence) for one in bins) / max(1, count)

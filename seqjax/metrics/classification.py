"""What a set of labels is worth."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

BINS = 15
"""Of equal width, in which confidence is compared with accuracy."""


def evaluate_labels(
    answers: Sequence[Mapping[str, float]], labels: Sequence[str], classes: Sequence[str]
) -> dict[str, Any]:
    """Returns the usual scores of labels that were given with their probabilities.

    `accuracy` is the share that is right; `macro_f1` the mean of every class's F1, a class that is
    neither there nor said left out; `calibration_error` (ECE) the mean distance of accuracy and
    confidence over `BINS` bins of equal width, each weighted by what is in it; `brier` the squared
    distance of all probabilities from 1 for the right class and 0 for the others.

    Args:
      answers: Log-probabilities of all classes, for each example; none for an empty text, which is
        wrong with confidence 0.
      labels: The right ones.
      classes: All there are.

    References:
      Guo et al., "On calibration of modern neural networks", 2017, section 2; Brier,
      "Verification of forecasts expressed in terms of probability", 1950.
    """
    log_probs = np.array(
        [[found.get(name, -math.inf) for name in classes] for found in answers], np.float64
    )
    probs = np.exp(log_probs)
    right = np.array([classes.index(label) for label in labels])
    said = np.where(probs.any(axis=1), np.argmax(probs, axis=1), -1)
    confidence = np.max(probs, axis=1)
    return {
        "examples": len(labels),
        "accuracy": float(np.mean(said == right)),
        "macro_f1": _macro_f1(said, right, len(classes)),
        "calibration_error": _calibration_error(confidence, said == right),
        "brier": float(np.mean(np.sum((probs - np.eye(len(classes))[right]) ** 2, axis=1))),
    }


def _macro_f1(said: np.ndarray, right: np.ndarray, count: int) -> float:
    scores = []
    for one in range(count):
        hits = np.sum((said == one) & (right == one))
        whole = np.sum(said == one) + np.sum(right == one)
        if whole:
            scores.append(2 * hits / whole)
    return float(np.mean(scores))


def _calibration_error(confidence: np.ndarray, correct: np.ndarray) -> float:
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = [
        abs(float(np.sum(correct[bins == one]) - np.sum(confidence[bins == one])))
        for one in range(BINS)
    ]
    return sum(gaps) / len(correct)

"""Scores of labels against cases worked by hand."""

import math

import numpy as np
import pytest

from seqjax.metrics.classification import (
    Bin,
    calibration_bins,
    calibration_error,
    confusion,
    evaluate_labels,
    f1_by_class,
    macro_f1,
)

CLASSES = ["a", "b", "c", "d"]
PROBS = [
    {"a": 0.8, "b": 0.1, "c": 0.1},
    {"a": 0.55, "b": 0.45},
    {"b": 1.0},
    {},  # nothing was said
    {"a": 0.5, "c": 0.5},  # the first of the classes counts
]
LABELS = ["a", "b", "b", "a", "c"]


def given(probs):
    return [{name: math.log(value) for name, value in one.items()} for one in probs]


def test_scores_of_a_case_worked_by_hand():
    """Said a a b - a. F1 of a: 2 / (2 + 3); of b: 2 / (2 + 1); of c: 0 / 1; d is nowhere."""
    found = evaluate_labels(given(PROBS), LABELS, CLASSES)
    assert found["examples"] == 5
    assert found["accuracy"] == 2 / 5
    np.testing.assert_allclose(found["macro_f1"], (2 / 5 + 2 / 3 + 0) / 3)
    brier = [0.2**2 + 0.1**2 + 0.1**2, 0.55**2 + 0.55**2, 0.0, 1.0, 0.5**2 + 0.5**2]
    np.testing.assert_allclose(found["brier"], np.mean(brier))
    # Each answer lies in a bin of its own.
    gaps = [1 - 0.8, 0.55, 0.0, 0.0, 0.5]
    np.testing.assert_allclose(found["calibration_error"], np.mean(gaps))


def test_confusion_counts_what_was_called_what():
    said = ["a", "a", "b", None, "a"]
    counts = confusion(said, LABELS, CLASSES)
    assert counts.tolist() == [
        [1, 0, 0, 0, 1],
        [1, 1, 0, 0, 0],
        [1, 0, 0, 0, 0],
        [0, 0, 0, 0, 0],
    ]
    assert f1_by_class(counts) == [2 / 5, 2 / 3, 0.0, None]
    assert macro_f1(np.zeros((2, 3), int)) == 0


def test_a_class_that_is_said_and_never_there_counts_as_zero():
    counts = confusion(["a", "d"], ["a", "a"], CLASSES)
    assert f1_by_class(counts) == [2 / 3, None, None, 0.0]
    np.testing.assert_allclose(macro_f1(counts), 1 / 3)


def test_bins_have_names_and_weigh_what_is_in_them():
    bins = calibration_bins(
        [0.0, 0.1, 0.25, 0.3, 0.5, 1.0], [False, True, True, False, True, True], count=4
    )
    assert [one.count for one in bins] == [2, 2, 1, 1]
    assert bins[0] == Bin(0.0, 0.25, 2, 0.5, 0.05)
    assert (bins[3].low, bins[3].high, bins[3].accuracy) == (0.75, 1.0, 1.0)
    np.testing.assert_allclose([one.confidence for one in bins], [0.05, 0.275, 0.5, 1.0])
    gaps = [0.45, 0.225, 0.5, 0.0]
    np.testing.assert_allclose(calibration_error(bins), np.dot([2, 2, 1, 1], gaps) / 6)
    assert calibration_error(calibration_bins([], [])) == 0


def test_what_is_at_an_edge_is_in_the_bin_above():
    for count in range(1, 60):
        edges = [number / count for number in range(count)]
        bins = calibration_bins(edges, [True] * count, count)
        assert [(one.low, one.count) for one in bins] == [(edge, 1) for edge in edges]


def test_within_a_bin_what_is_too_sure_and_too_unsure_makes_up_for_each_other():
    assert calibration_error(calibration_bins([0.5, 0.5], [True, False])) == 0


def test_what_does_not_fit_is_refused():
    for answers, labels in (([], []), (given(PROBS), LABELS[:2]), (given(PROBS[:1]), ["x"])):
        with pytest.raises(ValueError, match="labels"):
            evaluate_labels(answers, labels, CLASSES)
    with pytest.raises(ValueError, match="answers must be among"):
        confusion(["x"], ["a"], CLASSES)
    with pytest.raises(ValueError, match="count must be"):
        calibration_bins([0.5], [True], count=0)
    with pytest.raises(ValueError, match="confidences must be"):
        calibration_bins([0.5], [True, False])

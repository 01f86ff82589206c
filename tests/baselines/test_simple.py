"""What is said without looking, or with no more than a look."""

import pytest

from seqjax.baselines.simple import copy_input, train_majority, train_usual, train_usual_tags


def test_the_majority_is_the_most_frequent_label_with_its_share():
    model = train_majority(["no", "yes", "yes", "no", "yes"])
    assert model.label == "yes"
    assert model.probs == {"yes": 0.6, "no": 0.4}
    assert train_majority([2, 1, 1, 2]).label == 2  # of equals, the first


def test_a_copy_is_the_source():
    sources = ["a b", ""]
    assert copy_input(sources) == sources


def test_the_usual_target_is_that_of_the_source_or_else_of_all():
    model = train_usual(["a", "b", "a", "a", "c", "d"], ["x", "z", "y", "y", "z", "z"])
    assert model.answer(["a", "b", "never seen"]) == ["y", "z", "z"]


def test_a_token_never_seen_is_tagged_as_those_seen_once():
    model = train_usual_tags(["a", "b", "a", "a", "c", "d"], ["x", "z", "y", "y", "y", "z"])
    assert model.answer(["a", "b", "c", "never seen"]) == ["y", "z", "y", "z"]
    assert train_usual_tags(["a", "a", "b", "b"], ["x", "x", "z", "z"]).answer(["c"]) == ["x"]


def test_nothing_to_count_is_refused():
    with pytest.raises(ValueError, match="labels must not be empty"):
        train_majority([])
    with pytest.raises(ValueError, match="sources must not be empty"):
        train_usual([], [])
    with pytest.raises(ValueError, match="targets must be 2, one a source, got 1"):
        train_usual(["a", "b"], ["x"])

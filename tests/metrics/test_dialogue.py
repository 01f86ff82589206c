"""Dialogues worked by hand."""

import pytest

from seqjax.metrics.dialogue import dialogue_lengths, dialogue_scores

LINES = [
    ("hi", "hello"),
    ("hi <eou> hello <eou> a table", "for how many"),
    ("hi <eou> hello <eou> a table <eou> for how many <eou> two", "done"),
    ("hi", "hello"),  # begins anew
    ("hi there", "good day"),  # begins like the line before, which was not answered in it
    ("hi there <eou> good day <eou> bye", "bye"),
]


def test_a_line_that_holds_the_one_before_and_its_answer_goes_on():
    sources, targets = zip(*LINES, strict=True)
    assert dialogue_lengths(sources, targets) == [3, 1, 2]
    assert dialogue_lengths([], []) == []


def test_a_dialogue_is_right_if_all_of_it_is():
    scores = dialogue_scores([True, True, False, True, True, True], [3, 1, 2])
    assert scores == {
        "responses": 6,
        "response_accuracy": pytest.approx(5 / 6),
        "dialogues": 3,
        "dialogue_accuracy": pytest.approx(2 / 3),
    }
    with pytest.raises(ValueError, match="must have 1 lines, got 2"):
        dialogue_scores([True], [2])

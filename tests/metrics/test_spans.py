"""Spans against cases worked by hand, and against the two questions that conlleval asks."""

import itertools

import numpy as np
import pytest

from seqjax.metrics.spans import SpanScore, evaluate_tags, spans_by_kind, spans_of


@pytest.mark.parametrize(
    ("tags", "spans"),
    (
        ("O", []),
        ("", []),
        ("B-x I-x O B-y", [("x", 0, 1), ("y", 3, 3)]),
        ("I-x I-x", [("x", 0, 1)]),  # an I- begins a span
        ("B-x I-y", [("x", 0, 0), ("y", 1, 1)]),  # another kind does, too
        ("I-x B-x I-x", [("x", 0, 0), ("x", 1, 2)]),  # IOB1: two that touch
        ("B-x E-x", [("x", 0, 1)]),
        ("S-x S-x", [("x", 0, 0), ("x", 1, 1)]),
        ("S-x I-x E-x", [("x", 0, 0), ("x", 1, 2)]),  # what is over does not go on
        ("E-x E-x", [("x", 0, 0), ("x", 1, 1)]),
        ("B-x I-x", [("x", 0, 1)]),  # BIOES without its E: the end ends it
        ("B I O I", [("", 0, 1), ("", 3, 3)]),  # without kinds
        ("B-a-b I-a-b", [("a-b", 0, 1)]),  # a kind may have a dash
    ),
)
def test_spans_of_cases_worked_by_hand(tags, spans):
    assert spans_of(tags.split()) == spans


def asked(tags):
    """Spans by the two questions: does one end between two tags, does one start?"""
    cut = [("O", ""), *(tuple(tag.partition("-")[::2]) for tag in tags), ("O", "")]
    spans, start = [], 0
    for place, ((last, last_kind), (form, kind)) in enumerate(itertools.pairwise(cut)):
        differs = last_kind != kind
        ends = last in "ES" or (last in "BI" and (form in "BSO" or differs))
        starts = form in "BS" or (form in "IE" and (last in "ESO" or differs))
        if ends:
            spans.append((last_kind, start, place - 1))
        if starts:
            start = place
    return spans


def test_spans_are_those_between_a_start_and_an_end():
    names = ["O", *(f"{form}-{kind}" for form in "BIES" for kind in "xy")]
    for length in range(5):
        for tags in itertools.product(names, repeat=length):
            assert spans_of(tags) == asked(tags)


REFERENCES = [
    ["B-day", "I-day", "O", "B-year"],
    ["O", "B-day"],
    ["B-year", "I-year"],
]
ANSWERS = [
    ["B-day", "I-day", "O", "B-day"],  # the year is called a day
    ["O", "B-day"],
    ["B-year", "O"],  # too short
]


def test_scores_are_of_the_whole_set_and_not_means_of_sentences():
    """Said: 4, there: 4, right: 2."""
    found = evaluate_tags(ANSWERS, REFERENCES)
    assert found == {
        "sequences": 3,
        "tags": 8,
        "accuracy": 6 / 8,
        "exact_match": 1 / 3,
        "span_precision": 2 / 4,
        "span_recall": 2 / 4,
        "span_f1": 2 / 4,
    }


def test_every_kind_has_its_own_counts_and_they_add_up():
    assert spans_by_kind(ANSWERS, REFERENCES) == {
        "day": SpanScore(right=2, said=3, there=2),
        "year": SpanScore(right=0, said=1, there=2),
    }
    halves = [spans_by_kind(ANSWERS[cut], REFERENCES[cut]) for cut in (slice(1), slice(1, 3))]
    added = np.sum([half["day"] for half in halves], axis=0)
    assert SpanScore(*added) == spans_by_kind(ANSWERS, REFERENCES)["day"]
    day = spans_by_kind(ANSWERS, REFERENCES)["day"]
    assert (day.precision, day.recall, day.f1) == (2 / 3, 1.0, 4 / 5)


def test_the_same_span_of_another_sentence_is_none_of_this_one():
    assert evaluate_tags([["B-x"], ["O"]], [["O"], ["B-x"]])["span_f1"] == 0


def test_what_is_not_answered_is_missed_and_of_nothing_rates_are_zero():
    missed = evaluate_tags([[]], [["B-x", "O"]])
    assert (missed["accuracy"], missed["span_recall"], missed["span_precision"]) == (0, 0, 0)
    nothing = evaluate_tags([], [])
    assert nothing["span_f1"] == nothing["accuracy"] == nothing["exact_match"] == 0
    assert spans_by_kind([["O"]], [["O"]]) == {}
    assert spans_by_kind([["B-z"]], [["O"]]) == {"z": SpanScore(right=0, said=1, there=0)}

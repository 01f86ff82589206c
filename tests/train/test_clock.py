"""A clock gives each second to one name."""

import pytest

from seqjax.train.clock import Clock


class Hands:
    """A time that goes on only when it is told to."""

    def __init__(self):
        self.time = 100.0

    def __call__(self) -> float:
        return self.time


def test_what_is_nested_is_counted_once_and_the_rest_is_other():
    hands = Hands()
    clock = Clock(now=hands)
    hands.time += 1
    with clock.on("validate"):
        hands.time += 2
        with clock.on("compile"):
            hands.time += 4
        hands.time += 8
    hands.time += 16
    with clock.on("compile"):
        hands.time += 32
    assert clock.totals == {"validate": 10, "compile": 36, "other": 17}


def test_an_error_leaves_its_name_behind():
    hands = Hands()
    clock = Clock(now=hands)
    with pytest.raises(KeyError), clock.on("save"):
        hands.time += 1
        raise KeyError
    hands.time += 2
    assert clock.totals == {"save": 1, "other": 2}


def test_totals_go_on_from_what_was_spent_before_and_may_be_asked_for_at_any_time():
    hands = Hands()
    clock = Clock(before={"step": 5.0, "other": 1.0}, now=hands)
    with clock.on("step"):
        hands.time += 3
        assert clock.totals == {"step": 8, "other": 1}
        hands.time += 3
    assert clock.totals == {"step": 11, "other": 1}

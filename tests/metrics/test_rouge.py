"""ROUGE worked by hand."""

import builtins

import pytest

from seqjax.errors import InputError
from seqjax.metrics.rouge import rouge


def test_it_is_what_was_worked_by_hand():
    """the meeting was moved / moved meeting to friday, and an answer with two references."""
    pytest.importorskip("rouge_score")
    scores = rouge(
        ["The meeting was moved", "Budget review"],
        [["Moved meetings to Friday"], ["Lunch", "Quarterly budget review"]],
    )
    # Words: {the, meet, was, move} and {move, meet, to, friday} share 2 of 4 and 4: F1 = 1/2; no
    # pair, and no order of two: the longest common subsequence has one word, F1 = 1/4.
    # {budget, review} of {quarterly, budget, review}: P = 1, R = 2/3, F1 = 4/5; of the pairs 1 of 1
    # and of 2: F1 = 2/3.
    assert scores == {
        "rouge_1": pytest.approx(100 * (1 / 2 + 4 / 5) / 2),
        "rouge_2": pytest.approx(100 * (0 + 2 / 3) / 2),
        "rouge_l": pytest.approx(100 * (1 / 4 + 4 / 5) / 2),
    }
    assert rouge([""], [["a word"]]) == {"rouge_1": 0.0, "rouge_2": 0.0, "rouge_l": 0.0}


def test_there_must_be_answers():
    with pytest.raises(ValueError, match="1 answers for 0 sets of references"):
        rouge(["a"], [])


def test_without_the_package_it_is_told_what_to_install(monkeypatch):
    real = builtins.__import__

    def without(name, *arguments, **keywords):
        if name.startswith("rouge_score"):
            raise ImportError(name)
        return real(name, *arguments, **keywords)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(InputError, match=r"pip install 'seqjax\[rouge\]'"):
        rouge(["a"], [["a"]])

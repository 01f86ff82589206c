import functools

import numpy as np
import pytest
import sacrebleu

from seqjax.metrics.edit import closest, edit_distance, error_rate
from seqjax.metrics.health import distinct_n, health, repeats, seq_rep_n
from seqjax.metrics.text import evaluate_texts, group_references


def slow_distance(a, b):
    @functools.cache
    def distance(i, j):
        if not i or not j:
            return i + j
        return min(
            distance(i - 1, j) + 1,
            distance(i, j - 1) + 1,
            distance(i - 1, j - 1) + (a[i - 1] != b[j - 1]),
        )

    return distance(len(a), len(b))


def texts(rng, count, longest=12):
    words = list("abcdef")
    return [" ".join(rng.choice(words, size=rng.integers(0, longest))) for _ in range(count)]


def test_edit_distance_is_its_recursion():
    rng = np.random.default_rng(0)
    for _ in range(100):
        a, b = (rng.integers(0, 3, size=rng.integers(0, 8)).tolist() for _ in range(2))
        assert edit_distance(a, b) == slow_distance(a, b)


def test_the_closest_reference_counts_and_of_equals_the_longest():
    assert closest("ab", ["xyz", "abc", "b"]) == (1, "abc")
    assert error_rate(["ab", ""], [["abc", "b"], ["xy"]]) == (3, 5)


@pytest.mark.parametrize("references", (1, 3))
def test_bleu_and_chrf_are_those_of_sacrebleu(references):
    rng = np.random.default_rng(references)
    for _ in range(20):
        answers = texts(rng, 6)
        accepted = [[text or "a" for text in texts(rng, references)] for _ in answers]
        streams = [list(stream) for stream in zip(*accepted, strict=True)]
        scores = evaluate_texts(answers, accepted, tokenise=str.split)
        expected = sacrebleu.corpus_bleu(answers, streams, force=True).score
        np.testing.assert_allclose(scores["bleu"], expected, atol=1e-6)
        np.testing.assert_allclose(
            scores["chrf"], sacrebleu.corpus_chrf(answers, streams).score, atol=1e-6
        )
        assert scores["bleu_signature"].startswith(f"nrefs:{references}|case:mixed|eff:no|tok:13a")


def test_sentences_may_have_different_numbers_of_references():
    scores = evaluate_texts(["a b c d e", "x"], [["q", "a b c d e"], ["x"]], tokenise=str.split)
    assert scores["exact_match"] == 1 and scores["token_error_rate"] == 0
    assert scores["bleu"] > 99.99


def test_empty_answers_stay_in_the_corpus():
    scores = evaluate_texts(["", "b c d e f"], [["a"], ["b c d e f"]], tokenise=str.split)
    np.testing.assert_allclose(scores["bleu"], 81.873075, atol=1e-5)
    assert scores["exact_match"] == 0.5


def test_rates_are_of_the_corpus_and_not_means_of_rates():
    scores = evaluate_texts(["a c", "d e"], [["a b c"], ["d"]], tokenise=str.split)
    assert scores["token_error_rate"] == 0.5


@pytest.mark.parametrize(
    ("answers", "references"), (([], []), (["a"], []), (["a"], [["a"], ["b"]]))
)
def test_answers_and_references_must_match_in_number(answers, references):
    with pytest.raises(ValueError, match="answers"):
        evaluate_texts(answers, references, tokenise=str.split)


def test_repeated_sources_become_references():
    assert group_references(["x", "y", "x"], ["1", "2", "3"]) == (["x", "y"], [["1", "3"], ["2"]])


def test_health_counts_what_is_suspicious():
    found = health([[], list("aaaa"), list("abc")], [["ab"], ["aa"], ["abc"]], [True, False, True])
    assert found == {
        "ended": pytest.approx(2 / 3),
        "empty": pytest.approx(1 / 3),
        "repeated": pytest.approx(1 / 3),
        "length_ratio": pytest.approx(7 / 7),
    }
    assert repeats("abcabcabc") and not repeats("abcabc")


def test_repetition_metrics_are_their_definitions():
    assert seq_rep_n("abab", 2) == pytest.approx(1 - 2 / 3)
    assert seq_rep_n("a", 2) == 0
    assert distinct_n(["ab", "ab", "b"], 1) == pytest.approx(2 / 5)
    assert distinct_n([], 1) == 0

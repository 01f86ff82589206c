"""Scores against sacreBLEU itself, an edit distance by recursion, and numbers known elsewhere."""

import functools

import numpy as np
import pytest
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from seqjax.metrics.edit import closest, edit_distance, error_rate
from seqjax.metrics.health import distinct_n, health, repeats, seq_rep_n
from seqjax.metrics.numbers import evaluate_numbers
from seqjax.metrics.text import evaluate_texts, group_references
from seqjax.types import Mean, sum_means

# The example of sacreBLEU's own manual.
DOGS = ["The dog bit the man.", "It wasn't surprising.", "The man had just bitten him."]
MEN = [
    ["The dog bit the man.", "The dog had bit the man."],
    ["It was not unexpected.", "No one was surprised."],
    ["The man bit him first.", "The man had bitten the dog."],
]


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


def texts(rng, count, shortest=0, longest=12):
    sizes = rng.integers(shortest, longest, size=count, endpoint=True)
    return [" ".join(rng.choice(list("abcdef"), size=size)) for size in sizes]


def scores_of(answers, references, **settings):
    return evaluate_texts(answers, references, tokenise=str.split, **settings)


def test_edit_distance_is_its_recursion():
    rng = np.random.default_rng(0)
    for _ in range(300):
        a, b = (rng.integers(0, 3, size=rng.integers(0, 9)).tolist() for _ in range(2))
        assert edit_distance(a, b) == slow_distance(a, b)


@pytest.mark.parametrize(
    ("answer", "reference", "edits"),
    (("", "", 0), ("", "ab", 2), ("ab", "", 2), ("aa", "aaa", 1), ("aba", "ababa", 2)),
)
def test_common_ends_that_overlap_are_counted_once(answer, reference, edits):
    assert edit_distance(answer, reference) == edit_distance(reference, answer) == edits


def test_the_closest_reference_counts_and_of_equals_the_longest():
    assert closest("ab", ["xyz", "b", "abc"]) == (1, "abc")
    assert closest("ab", ["abc", "b"]) == (1, "abc")
    assert error_rate(["ab", ""], [["abc", "b"], ["xy"]]) == (3, 5)


def test_error_rates_of_parts_add_up_to_that_of_the_whole():
    rng = np.random.default_rng(0)
    answers, references = texts(rng, 7), [texts(rng, 2) for _ in range(7)]
    parts = [error_rate(answers[:3], references[:3]), error_rate(answers[3:], references[3:])]
    assert sum_means(parts) == error_rate(answers, references)


@pytest.mark.parametrize("number", (1, 2, 3))
def test_bleu_and_chrf_are_those_of_sacrebleu(number):
    rng = np.random.default_rng(number)
    for _ in range(67):
        answers = texts(rng, 6)
        references = [texts(rng, number) for _ in answers]
        streams = [list(stream) for stream in zip(*references, strict=True)]
        scores = scores_of(answers, references)
        for name, metric in (("bleu", BLEU(force=True)), ("chrf", CHRF())):
            expected = metric.corpus_score(answers, streams).score
            np.testing.assert_allclose(scores[name], expected, rtol=0, atol=1e-6)
            assert scores[f"{name}_signature"] == str(metric.get_signature())
        assert f"nrefs:{number}|case:mixed|eff:no|tok:13a|" in scores["bleu_signature"]


# Numbers of sacreBLEU 2.6.0 for the first references; its manual gives that of all of them.
@pytest.mark.parametrize(
    ("tokenizer", "bleu"),
    (("13a", 45.067506), ("none", 44.428089), ("char", 51.562780), ("intl", 38.452466)),
)
def test_the_tokenizer_of_bleu_is_a_choice_and_part_of_the_signature(tokenizer, bleu):
    scores = scores_of(DOGS, [accepted[:1] for accepted in MEN], bleu_tokenizer=tokenizer)
    np.testing.assert_allclose(scores["bleu"], bleu, rtol=0, atol=1e-6)
    assert f"tok:{tokenizer}|" in scores["bleu_signature"]


def test_the_example_of_sacrebleu_has_its_scores():
    scores = scores_of(DOGS, MEN)
    assert round(scores["bleu"], 2) == 48.53 and round(scores["chrf"], 2) == 59.73
    assert scores["exact_match"] == 1 / 3


def test_sentences_may_have_different_numbers_of_references():
    answers, references = ["a b c d e", "f f f f g"], [["q", "a b c d e"], ["f f f f"]]
    scores = scores_of(answers, references)
    assert scores["exact_match"] == 0.5 and scores["token_error_rate"] == pytest.approx(1 / 9)
    # A reference given twice changes nothing; a missing one that counted as empty would.
    twice = scores_of(answers, [references[0], references[1] * 2])
    assert scores["bleu"] == twice["bleu"] and scores["chrf"] == twice["chrf"]
    assert scores["bleu_signature"].startswith("nrefs:var|")


def test_empty_answers_stay_in_the_corpus():
    scores = scores_of(["", "b c d e f"], [["a"], ["b c d e f"]])
    np.testing.assert_allclose(scores["bleu"], 81.873075, rtol=0, atol=1e-6)
    assert scores["exact_match"] == 0.5 and scores["sentences"] == 2


def test_a_perfect_corpus_is_perfect_and_one_without_four_grams_has_no_bleu():
    long, short = (scores_of([text], [[text]]) for text in ("a b c d e", "a b"))
    np.testing.assert_allclose([long["bleu"], long["chrf"], short["bleu"]], [100, 100, 0])
    for scores in (long, short):
        assert scores["exact_match"] == 1
        assert scores["token_error_rate"] == scores["character_error_rate"] == 0


def test_rates_are_of_the_corpus_and_not_means_of_rates():
    assert scores_of(["a c", "d e"], [["a b c"], ["d"]])["token_error_rate"] == 0.5


def test_white_space_counts_for_characters_only():
    scores = scores_of(["a  b", "C"], [["a b"], ["c"]])
    assert scores["token_error_rate"] == pytest.approx(1 / 3)
    assert scores["character_error_rate"] == pytest.approx(2 / 4)


def test_edits_to_empty_references_do_not_vanish():
    assert scores_of(["a b"], [[""]])["token_error_rate"] == 2
    assert scores_of([""], [[""]])["token_error_rate"] == 0
    assert scores_of(["", "b"], [["a b"], [""]])["token_error_rate"] == 1.5


def test_the_order_of_the_sentences_does_not_matter():
    rng = np.random.default_rng(0)
    answers, references = texts(rng, 9), [texts(rng, 2) for _ in range(9)]
    assert scores_of(answers, references) == scores_of(answers[::-1], references[::-1])


@pytest.mark.parametrize(
    ("answers", "references", "message"),
    (
        ([], [], "no answers"),
        (["a", "b"], [["a"]], "2 answers for 1 sets"),
        (["a"], [["a"], ["b"]], "1 answers for 2 sets"),
        (["a", "b"], [["a"], []], r"references\[1\] must be a list of texts, got \[\]"),
        (["abc"], ["abc"], r"references\[0\] must be a list of texts, got 'abc'"),
    ),
)
def test_answers_and_references_must_match(answers, references, message):
    with pytest.raises(ValueError, match=message):
        scores_of(answers, references)


def test_an_unknown_tokenizer_is_refused():
    with pytest.raises(ValueError, match="bleu_tokenizer must be one of 13a, .*, got '14a'"):
        scores_of(["a"], [["a"]], bleu_tokenizer="14a")


def test_repeated_sources_become_references():
    assert group_references(["x", "y", "x"], ["1", "2", "3"]) == (["x", "y"], [["1", "3"], ["2"]])


def test_health_counts_what_is_suspicious():
    found = health([[], list("aaaa"), list("abc")], [["ab"], ["aa"], ["ab"]], [True, False, True])
    assert found == {
        "ended": pytest.approx(2 / 3),
        "empty": pytest.approx(1 / 3),
        "repeated": pytest.approx(1 / 3),
        "length_ratio": pytest.approx(7 / 6),
    }
    assert health([], [], []) == {"ended": 0, "empty": 0, "repeated": 0, "length_ratio": 0}


def test_the_length_ratio_is_to_the_closest_reference():
    assert health(["abcd"], [["a", "abcde"]], [True])["length_ratio"] == 4 / 5


def test_health_wants_as_many_of_everything():
    with pytest.raises(ValueError, match="got 1, 1 and 2"):
        health(["a"], [["a"]], [True, True])


@pytest.mark.parametrize(
    ("answer", "expected"),
    (("", False), ("aaa", False), ("xaaaay", True), ("abcabc", False), ("abcabca", True)),
)
def test_repetition_is_four_in_a_row_or_a_four_gram_twice(answer, expected):
    assert repeats(answer) is expected


def test_repetition_metrics_are_their_definitions():
    assert seq_rep_n("abab", 2) == pytest.approx(1 - 2 / 3)
    assert seq_rep_n("a", 2) == 0
    assert distinct_n(["ab", "ab", "b"], 1) == pytest.approx(2 / 5)
    assert distinct_n([], 1) == 0
    with pytest.raises(ValueError, match="size must be at least 1, got 0"):
        seq_rep_n("a", 0)


def test_means_of_many_batches_are_added_up_exactly():
    """float32 counts to 2 ** 24 = 16,777,216 and no further."""
    whole = sum_means([Mean(np.float32(3_003), np.float32(1_001))] * 20_000)
    assert whole.weight == 20_020_000
    assert whole.value() == 3.0


def test_numbers_that_are_all_the_same_have_no_spread_to_explain():
    assert evaluate_numbers([0.2] * 3, [0.1] * 3)["r2"] == 0.0

"""Neighbours found by hashing are those that a loop over all pairs finds."""

import random

import numpy as np
import pytest
from survey.made import WORDS, found, splits, where

from seqjax.survey.hashing import hashed, token_hashes
from seqjax.survey.nearness import folded, marks_of, near_rows
from seqjax.survey.repeats import covered, longest_shared


def common_prefix(one, other):
    length = 0
    while length < min(len(one), len(other)) and one[length] == other[length]:
        length += 1
    return length


def common_subsequence(one, other):
    row = [0] * (len(other) + 1)
    for token in one:
        before = row[:]
        for place, wanted in enumerate(other):
            row[place + 1] = (
                before[place] + 1 if token == wanted else max(row[place], before[place + 1])
            )
    return row[-1]


def near_words(one, other):
    one, other = folded(one), folded(other)
    stem = common_prefix(one, other)
    inflected = stem >= 4 and max(len(one), len(other)) - stem <= 3
    return bool(one) and (one == other or inflected)


def near_sentences(one, other):
    one, other = folded(one).split(), folded(other).split()
    if not one or not other:
        return False
    longest = max(len(one), len(other))
    enough = min(len(one), len(other)) >= 5
    return one == other or (enough and common_subsequence(one, other) >= longest - 1)


def random_words(generator, count):
    return ["".join(generator.choices("ab-A'", k=generator.randint(1, 9))) for _ in range(count)]


def random_sentences(generator, count):
    return [
        " ".join(generator.choices(["a", "b", "B", "c.", "!"], k=generator.randint(1, 8)))
        for _ in range(count)
    ]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(
    "make, near, of_words",
    [(random_words, near_words, False), (random_sentences, near_sentences, True)],
    ids=["words", "sentences"],
)
def test_hashing_finds_what_a_loop_finds(seed, make, near, of_words):
    generator = random.Random(seed)
    texts, known = make(generator, 120), make(generator, 40)
    found = near_rows(marks_of(texts, of_words=of_words), marks_of(known, of_words=of_words))
    wanted = {row for row, one in enumerate(texts) if any(near(one, other) for other in known)}
    assert 10 < len(wanted) < 115
    assert set(found) == wanted
    assert all(near(texts[row], known[other]) for row, other in found.items())


def test_inflected_forms_are_told_with_their_place():
    corpus = splits(
        ["walk|x", "station|y", "zoo|z", "Hello!|h"],
        valid=["walked|a", "stationary|b", "stations|c", "zoos|d", "hello|e", "walk|f"],
    )
    finding = found(corpus, "SJ-D04")
    # "stationary" is "station" and three letters; "zoo" is too short; "walk" is in train itself.
    assert where(finding) == [("valid.tsv", line) for line in (1, 2, 3, 5)]
    assert finding.numbers["valid"] == {"near": 4, "of": 6}


def test_sentences_that_differ_in_one_word_are_near():
    corpus = splits(
        ["a dog runs in the snow|x y", "two men sit on a bench|x y"],
        test=[
            "a cat runs in the snow .|x y",
            "two old men sit on a bench|x y",
            "two women sit on the bench|x y",
        ],
    )
    finding = found(corpus, "SJ-D04", WORDS)
    assert where(finding) == [("test.tsv", 1), ("test.tsv", 2)]
    assert finding.kind == "info"  # of so few words, neighbours are natural


def naive_longest(text, known):
    best = 0
    for start in range(len(text)):
        for length in range(best + 1, len(text) - start + 1):
            stretch = text[start : start + length]
            if any(known[at : at + length] == stretch for at in range(len(known))):
                best = length
            else:
                break
    return best


def naive_covered(text, known, length):
    hit = set()
    for start in range(len(text) - length + 1):
        stretch = text[start : start + length]
        if any(known[at : at + length] == stretch for at in range(len(known) - length + 1)):
            hit.update(range(start, start + length))
    return len(hit)


@pytest.mark.parametrize("seed", range(8))
def test_the_longest_shared_stretch_is_that_of_a_loop(seed):
    generator = random.Random(seed)
    text = generator.choices("abc", k=generator.randint(1, 60))
    known = generator.choices("abc", k=generator.randint(1, 60))
    sides = [hashed(token_hashes(tokens)) for tokens in (text, known)]
    wanted = naive_longest(text, known)
    for guess in (1, 3, 13):
        length, start = longest_shared(*sides, guess=guess)
        assert length == wanted
        assert any(
            known[at : at + length] == text[start : start + length] for at in range(len(known))
        )
    for length in (1, 2, 4):
        assert covered(*sides, length) == naive_covered(text, known, length)


def test_a_stretch_has_one_number_wherever_it_stands():
    tokens = hashed(token_hashes(list("xabcyabc")))
    one, other = tokens.stretches(np.array([1, 5]), np.array([4, 8]))
    assert one == other
    (shorter,) = tokens.without(np.array([1]), np.array([4]), np.array([2]))
    ((ac,),) = (hashed(token_hashes(list("ac"))).stretches(np.array([0]), np.array([2])),)
    assert shorter == ac != one

"""Model 1 against EM in dictionaries, and a translator against all that it could say."""

import itertools
import math
from collections import defaultdict

import numpy as np
import pytest

from seqjax.baselines.lexicon import train_lexicon
from seqjax.baselines.translator import LEAST, Weights, train_translator

# The green tree, green grass, the grass grows, in two languages of which neither exists.
SOURCES = [["lo", "mir", "tak"], ["mir", "sul"], ["lo", "sul", "vek"]]
TARGETS = [["a", "groo", "pell"], ["groo", "fis"], ["a", "fis", "wum"]]


def em(pairs, iterations):
    """Returns t(target | source) by EM over every alignment of every pair, one by one."""
    t = defaultdict(lambda: 1.0)
    for _ in range(iterations):
        counts, totals = defaultdict(float), defaultdict(float)
        for source, target in pairs:
            source = [*source, "NULL"]
            alignments = list(itertools.product(range(len(source)), repeat=len(target)))
            weights = [
                math.prod(t[word, source[place]] for word, place in zip(target, a, strict=True))
                for a in alignments
            ]
            for alignment, weight in zip(alignments, weights, strict=True):
                for word, place in zip(target, alignment, strict=True):
                    counts[word, source[place]] += weight / sum(weights)
                    totals[source[place]] += weight / sum(weights)
        t = defaultdict(float, {pair: count / totals[pair[1]] for pair, count in counts.items()})
    return t


def numbered(sentences):
    words = sorted({word for sentence in sentences for word in sentence})
    return [np.array([words.index(word) for word in sentence]) for sentence in sentences], words


@pytest.mark.parametrize("iterations", [1, 2, 5])
def test_the_lexicon_is_that_of_all_alignments(iterations):
    sources, source_words = numbered(SOURCES)
    targets, target_words = numbered(TARGETS)
    lexicon = train_lexicon(
        sources,
        targets,
        source_size=len(source_words),
        target_size=len(target_words),
        iterations=iterations,
    )
    wanted = em(list(zip(SOURCES, TARGETS, strict=True)), iterations)
    for s, source in enumerate([*source_words, "NULL"]):
        for t, target in enumerate(target_words):
            np.testing.assert_allclose(
                lexicon.prob(t, s), wanted.get((target, source), 0.0), rtol=1e-10
            )
        found = lexicon.candidates(s, 9)
        np.testing.assert_allclose(sum(prob for _, prob in found), 1, rtol=1e-12)
        assert [prob for _, prob in found] == sorted((prob for _, prob in found), reverse=True)


def test_one_iteration_is_that_worked_by_hand():
    # x y -> p, x -> q: at first all are equal, so that of p a third goes to x, y and NULL each, and
    # of q a half to x and NULL each: t(q | x) = (1/2) / (1/2 + 1/3).
    lexicon = train_lexicon(
        [np.array([0, 1]), np.array([0])],
        [np.array([0]), np.array([1])],
        source_size=2,
        target_size=2,
        iterations=1,
    )
    np.testing.assert_allclose(lexicon.prob(1, 0), 3 / 5)
    np.testing.assert_allclose(lexicon.prob(0, 1), 1)
    np.testing.assert_allclose(lexicon.log_likelihoods, [math.log(3 / 2) + math.log(2 / 2)])


def test_the_likelihood_never_falls():
    generator = np.random.default_rng(0)
    draw = lambda: [generator.integers(0, 12, generator.integers(0, 7)) for _ in range(50)]
    lexicon = train_lexicon(draw(), draw(), source_size=12, target_size=12, iterations=30)
    steps = np.diff(lexicon.log_likelihoods)
    assert len(steps) == 29 and steps.min() >= -1e-9 and steps[0] > 1


def test_the_translator_says_the_best_of_all_that_it_could_say():
    translator = train_translator(SOURCES, TARGETS, order=4, iterations=5)
    weights = Weights(language=0.7, forward=0.9, reverse=0.4, word=1.5)
    for words in (["lo", "mir", "sul"], ["sul", "vek"], ["tak", "lo", "mir", "vek"]):
        best, found = -math.inf, []
        for choice in itertools.product(
            [None, *range(1, len(translator.target_words))], repeat=len(words)
        ):
            value, said = 0.0, []
            for word, token in zip(words, choice, strict=True):
                source = translator.source_ids[word]
                null = translator.reverse.source_size
                back = translator.reverse.prob(source, null if token is None else token)
                value += 0.4 * math.log(max(back, LEAST))
                if token is not None:
                    prob = translator.forward.prob(token, source)
                    value += 1.5 + 0.9 * math.log(prob) if prob else -math.inf
                    said.append(token)
            value += 0.7 * translator.language.log_probs(np.array([*said, 0])).sum()
            if value > best:
                best, found = value, [translator.target_words[token] for token in said]
        # Words that end alike are joined, so a beam this large is all of them.
        assert translator.translate(words, weights=weights, beam_size=10**6, count=99) == found


def test_words_never_seen_are_copied():
    translator = train_translator(SOURCES, TARGETS)
    assert translator.translate(["Zurich"]) == ["Zurich"]
    assert translator.translate([]) == []


def test_pairs_must_be_pairs():
    with pytest.raises(ValueError, match="targets must be 1, one a source, got 0"):
        train_lexicon([np.array([0])], [], source_size=1, target_size=1)

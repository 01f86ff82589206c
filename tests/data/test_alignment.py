"""Alignment by EM against sums over every way to cut every target."""

import itertools
import json
from collections import defaultdict

import numpy as np
import pytest

from seqjax.data.alignment import best_cut, learn_emissions
from seqjax.data.chunks import SHOWN_EMPTY, STRANGE, UNSEEN, Chunks
from seqjax.errors import InputError

PAIRS = [
    ([0, 1, 2], [5, 6, 6, 7]),
    ([0, 2], [5, 7]),
    ([1, 1, 0], [6, 5]),
    ([2], [7, 8]),
    ([0, 1, 1, 2], [5, 6, 7, 8]),
    ([1], []),
    ([2, 0], [7, 5]),
]
SOURCES, TARGETS = ([np.array(pair[side], np.int64) for pair in PAIRS] for side in (0, 1))


def every_cut(target, steps, most):
    """Yields all ways to cut a target into as many chunks."""
    for lengths in itertools.product(range(most + 1), repeat=steps):
        if sum(lengths) == len(target):
            ends = np.cumsum([0, *lengths])
            yield [tuple(target[a:b]) for a, b in itertools.pairwise(ends.tolist())]


def em(most, iterations):
    """Returns what tokens emit, and the log-likelihood before each iteration, cut by cut."""
    cuts = [list(every_cut(target, len(source), most)) for source, target in PAIRS]
    probs = {}
    for (source, _), some in zip(PAIRS, cuts, strict=True):
        probs |= {arc: 1.0 for cut in some for arc in zip(source, cut, strict=True)}
    sizes = defaultdict(int)
    for token, _ in probs:
        sizes[token] += 1
    probs = {(token, chunk): 1 / sizes[token] for token, chunk in probs}
    likelihoods = []
    for _ in range(iterations):
        counts, totals, said = defaultdict(float), defaultdict(float), 0.0
        for (source, _), some in zip(PAIRS, cuts, strict=True):
            arcs = [list(zip(source, cut, strict=True)) for cut in some]
            weights = [np.prod([probs[arc] for arc in path]) for path in arcs]
            said += np.log(sum(weights))
            for path, weight in zip(arcs, weights, strict=True):
                for arc in path:
                    counts[arc] += weight / sum(weights)
                    totals[arc[0]] += weight / sum(weights)
        likelihoods.append(said)
        probs = {arc: counts[arc] / totals[arc[0]] for arc in probs}
    return probs, likelihoods


def probs_of(found):
    chunks = [found.chunks[number] for number in found.chunk_ids]
    probs = np.exp(found.log_probs).tolist()
    return dict(zip(zip(found.source_ids.tolist(), chunks, strict=True), probs, strict=True))


@pytest.mark.parametrize("most", [2, 3])
def test_em_is_em_over_every_cut(most):
    found = learn_emissions(SOURCES, TARGETS, most, iterations=5)
    probs, likelihoods = em(most, 5)
    np.testing.assert_allclose(found.log_likelihoods, likelihoods, rtol=1e-12)
    got = probs_of(found)
    assert got.keys() == probs.keys()
    for arc, prob in probs.items():
        assert got[arc] == pytest.approx(prob, abs=1e-12), arc


def test_the_likelihood_never_falls_and_probabilities_add_up():
    rng = np.random.default_rng(0)
    sources = [rng.integers(0, 6, rng.integers(1, 9)) for _ in range(200)]
    targets = [rng.integers(0, 5, rng.integers(0, 2 * len(one) + 1)) for one in sources]
    found = learn_emissions(sources, targets, 2, iterations=15)
    assert np.diff(found.log_likelihoods).min() > -1e-9
    assert found.log_likelihoods[-1] > found.log_likelihoods[0] + 100
    sums = np.bincount(found.source_ids, np.exp(found.log_probs))
    np.testing.assert_allclose(sums, 1.0)


def test_long_pairs_lose_nothing():
    """Of 600 steps, all cuts together have a probability below the least number."""
    rng = np.random.default_rng(1)
    source, target = rng.integers(0, 5, 600), rng.integers(0, 20, 600)
    found = learn_emissions([source], [target], 2, iterations=3)
    assert np.all(np.isfinite(found.log_likelihoods)) and found.log_likelihoods[0] < -1000
    assert np.all(np.diff(found.log_likelihoods) > 0)


@pytest.mark.parametrize("most", [1, 2, 3])
def test_the_best_cut_is_the_best_of_all(most):
    rng = np.random.default_rng(most)
    scores = defaultdict(lambda: float(rng.normal()))
    score_fn = lambda token, chunk: scores[token, chunk]
    for _ in range(30):
        steps = int(rng.integers(1, 5))
        source = rng.integers(0, 3, steps).tolist()
        target = tuple(rng.integers(0, 3, rng.integers(0, most * steps + 1)).tolist())
        total = lambda cut, s=source: sum(score_fn(*arc) for arc in zip(s, cut, strict=True))
        found = best_cut(source, target, score_fn, most)
        assert sum(found, ()) == target and max(map(len, found)) <= most
        assert total(found) == pytest.approx(max(map(total, every_cut(target, steps, most))))


def test_what_cannot_be_aligned_is_refused():
    with pytest.raises(ValueError, match="at most 2 tokens for each of the source, got 3 for 1"):
        learn_emissions([np.array([0])], [np.array([1, 2, 3])], 2)
    with pytest.raises(ValueError, match="no pairs"):
        learn_emissions([], [], 2)


@pytest.fixture(scope="module")
def chunks():
    spelt = {"x": "K S", "h": "", "a": "A", "b": "B", "c": "K"}
    words = [word for size in (2, 3) for word in itertools.product("xhabc", repeat=size)]
    pairs = [(word, " ".join(filter(None, (spelt[one] for one in word)))) for word in words]
    ids = {letter: number for number, letter in enumerate("abchx", start=4)}
    return Chunks.build(
        (([ids[letter] for letter in word], text) for word, text in pairs), "words", most=2
    )


def test_chunks_are_what_letters_stand_for(chunks):
    assert set(chunks.chunks) == {(), ("A",), ("B",), ("K",), ("K", "S")}
    assert SHOWN_EMPTY in chunks.tokens and "K S" in chunks.tokens
    ids = chunks.encode([5, 7, 8, 4], "B K S A")  # b h x a
    assert chunks.tokens_of(ids) == ["B", "K", "S", "A"]
    assert [chunks.chunks[one - chunks.specials] for one in ids] == [("B",), (), ("K", "S"), ("A",)]
    assert chunks.fits([4], "A A") and not chunks.fits([4], "A A A")


def test_what_no_token_stood_for_is_avoided_and_unknown(chunks):
    assert STRANGE < UNSEEN < 0
    assert chunks.encode([4], "Z") == [chunks.unk_id]
    ids = chunks.encode([1, 4], "A A")  # a source token never seen, and one that is A
    assert chunks.tokens_of(ids) == ["A", "A"] and chunks.unk_id not in ids


def test_chunks_come_back_as_they_were_saved(chunks, tmp_path):
    chunks.save(tmp_path, "target")
    again = Chunks.load(tmp_path, "target")
    assert again.fingerprint() == chunks.fingerprint() and len(again) == len(chunks)
    assert again.encode([5, 7, 8, 4], "B K S A") == chunks.encode([5, 7, 8, 4], "B K S A")


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("most", 0, "most must be at least 1"),
        ("kind", "subwords", "unknown kind"),
        ("chunks", [["A"], ["A"]], "each of them once"),
        ("chunks", [["A", "B", "C"]], "is no chunk"),
        ("emissions", [[0, 99, -1.0]], "is no emission"),
        ("emissions", [[0, 0, float("-inf")]], "no chunks"),
        ("format_version", 2, "format_version must be 1"),
        ("fingerprint", "0", "changed since it was written"),
    ],
)
def test_damaged_chunks_are_refused(chunks, tmp_path, field, value, message):
    chunks.save(tmp_path, "target")
    path = tmp_path / "target.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {field: value}))
    with pytest.raises(InputError, match=message):
        Chunks.load(tmp_path, "target")


def test_rare_chunks_are_none_if_that_is_wanted():
    pairs = [([4, 5], "a b")] * 5 + [([4, 5], "a c")]
    assert ("c",) not in Chunks.build(pairs, "words", most=2, min_count=2).chunks
    with pytest.raises(InputError, match="no chunk occurs 99 times"):
        Chunks.build(pairs, "words", most=2, min_count=99)
    with pytest.raises(InputError, match="raise --data.max-chunk"):
        Chunks.build([([4], "a b c")], "words", most=2)

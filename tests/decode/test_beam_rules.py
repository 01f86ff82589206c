"""Every rule of the beam against a beam search that is written as it is told."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from decode.chains import BOS, EOS, SYMBOLS, VOCAB, answers, found_by, start, step_fn_of, tables_of
from oracles import search as oracle

from seqjax import decode

CHAINS = [oracle.Chain(seed, VOCAB, eos_bias=[0.0, 1.0, -1.0][seed % 3]) for seed in range(60)]
LENGTH = 5
SCORES = {
    "sum": (decode.length_normalised(decode.average(0.0)), lambda v, n: v),
    "mean": (decode.length_normalised(decode.average(1.0)), lambda v, n: v / n),
    "inverse": (decode.length_normalised(decode.average(-1.0)), lambda v, n: v * n),
    "gnmt": (decode.length_normalised(decode.gnmt(0.8)), lambda v, n: v / ((5 + n) / 6) ** 0.8),
    "reward": (
        decode.length_normalised(decode.average(0.0), word_reward=0.7),
        lambda v, n: v + 0.7 * n,
    ),
}


def assert_as_told(found, row, expected):
    got = answers(found, row)
    assert [one[0] for one in got] == [one[1] for one in expected]
    np.testing.assert_allclose([one[1] for one in got], [one[2] for one in expected], atol=1e-5)
    np.testing.assert_allclose([one[2] for one in got], [one[0] for one in expected], atol=1e-5)
    assert [one[3] for one in got] == [one[3] for one in expected]


STOPS = ("exact", "current_length", "first_full", "patience")


@pytest.mark.parametrize(
    ("stop", "score", "size"),
    (
        *((stop, "mean", 2) for stop in STOPS),
        *(("exact", score, 3) for score in SCORES),
        ("current_length", "inverse", 3),
        ("current_length", "reward", 3),
        ("first_full", "gnmt", 3),
        ("patience", "sum", 3),
    ),
)
def test_the_rules_are_as_told(stop, score, size):
    way = decode.Beam(size, n_best=2, score_fn=SCORES[score][0], stop=stop, patience=1.6)
    found = found_by(way, tables_of(CHAINS), max_length=LENGTH)
    for row, chain in enumerate(CHAINS):
        expected = oracle.beam_search(
            chain,
            size,
            2,
            LENGTH,
            score=SCORES[score][1],
            stop=stop,
            patience=1.6,
            bos=BOS,
            eos=EOS,
        )
        assert_as_told(found, row, expected)


def test_stop_rules_are_not_the_same():
    """Else the test above would not tell them apart."""
    found = {}
    for stop in STOPS:
        way = decode.Beam(2, n_best=2, score_fn=SCORES["mean"][0], stop=stop, patience=2.0)
        hypotheses = found_by(way, tables_of(CHAINS), max_length=LENGTH)
        found[stop] = tuple(str(answers(hypotheses, row)) for row in range(len(CHAINS)))
    assert len(set(found.values())) == 4


def test_patience_is_rounded_up():
    waits_for = lambda width: decode.Beam(width, stop="patience", patience=0.5)._wanted
    assert list(map(waits_for, (1, 4, 5, 7))) == [1, 2, 3, 4]


def test_of_all_groups_what_was_cut_stands_after_what_ended():
    logits = jnp.log(jnp.array([0.1, 0.9]))
    step_fn = lambda tokens, state: (jnp.broadcast_to(logits, (tokens.shape[0], 2)), state)
    way = decode.Beam(2, n_best=2, groups=2, diversity=10.0)
    symbols = decode.Symbols(1, 0, 0)
    found = decode.search(step_fn, jnp.zeros(1), way, symbols=symbols, max_length=3)
    assert found.tokens[0].tolist() == [[0, 0, 0], [1, 1, 1]]
    assert found.finished[0].tolist() == [True, False]
    assert float(found.scores[0, 1]) > float(found.scores[0, 0])  # cut, but likelier


@pytest.mark.parametrize(
    ("groups", "diversity", "stop"),
    (
        (2, 0.8, "exact"),
        (4, 0.8, "first_full"),
        (2, 0.3, "first_full"),
        (4, 0.0, "exact"),
        (2, 0.8, "patience"),  # done with one finished: what was cut then fills the other slots
    ),
)
def test_groups_choose_one_after_the_other(groups, diversity, stop):
    way = decode.Beam(
        4,
        n_best=4,
        score_fn=SCORES["mean"][0],
        stop=stop,
        patience=0.5,
        groups=groups,
        diversity=diversity,
    )
    found = found_by(way, tables_of(CHAINS), max_length=LENGTH)
    for row, chain in enumerate(CHAINS):
        expected = oracle.beam_search(
            chain,
            4,
            4,
            LENGTH,
            score=SCORES["mean"][1],
            stop=stop,
            patience=0.5,
            groups=groups,
            diversity=diversity,
            bos=BOS,
            eos=EOS,
        )
        assert_as_told(found, row, expected)


def test_groups_without_diversity_find_the_same_and_the_first_is_a_small_beam():
    settings = {"score_fn": SCORES["mean"][0]}
    two = found_by(decode.Beam(4, n_best=4, groups=2, **settings), tables_of(CHAINS), max_length=4)
    one = found_by(decode.Beam(2, n_best=2, **settings), tables_of(CHAINS), max_length=4)
    for row in range(len(CHAINS)):
        alone = answers(one, row)
        twice = [answer for answer in alone for _ in range(2)]
        assert answers(two, row) == twice


def test_strong_diversity_makes_groups_begin_differently():
    way = decode.Beam(3, n_best=3, groups=3, diversity=50.0)
    chains = [oracle.Chain(seed, VOCAB, eos_bias=-30.0) for seed in range(10)]
    found = found_by(way, tables_of(chains), max_length=3)
    for row in range(10):
        assert len({answer[0][0] for answer in answers(found, row)}) == 3


PHRASES = (((1, 2), (3,)), ((2, 2, 1),), ((1,), (3, 1)), ((1, 1), (1, 2)))


def required_of(rows, phrases):
    longest = max(map(len, phrases))
    values = [list(phrase) + [PADDED] * (longest - len(phrase)) for phrase in phrases]
    return decode.Required(
        jnp.broadcast_to(jnp.array(values)[None], (rows, len(phrases), longest)),
        jnp.broadcast_to(jnp.array([len(p) for p in phrases])[None], (rows, len(phrases))),
    )


PADDED = 3
"""Stands beyond a phrase's length, where nothing is read."""


def found_with_phrases(way_fn, tables, required, max_length):
    """What a way of searching finds, of which `way_fn` is told the phrases, too."""

    def search(tables, required):
        rows = tables.shape[0]
        limits = jnp.full((rows,), max_length)
        return decode.search(
            step_fn_of(tables),
            start(rows),
            way_fn(required),
            symbols=SYMBOLS,
            max_length=max_length,
            processor=decode.require(required, eos_id=EOS, limits=limits),
        )

    return jax.jit(search)(tables, required)


@pytest.mark.parametrize(
    ("phrases", "size"),
    (
        *zip(PHRASES, (2, 4, 3, 2), strict=True),
        (PHRASES[0], VOCAB**LENGTH),
    ),
)
def test_phrases_are_met_and_the_beam_is_shared_out_as_told(phrases, size):
    chains = CHAINS[:12] if size < 100 else CHAINS[:3]
    required = required_of(len(chains), phrases)
    way_fn = lambda required: decode.Beam(
        size, n_best=2, score_fn=SCORES["mean"][0], required=required
    )
    found = found_with_phrases(way_fn, tables_of(chains), required, LENGTH)
    process = functools.partial(oracle.require, phrases=phrases, eos=EOS, limit=LENGTH)
    for row, chain in enumerate(chains):
        if size < 100:
            expected = oracle.beam_search(
                chain,
                size,
                2,
                LENGTH,
                score=SCORES["mean"][1],
                stop="exact",
                phrases=phrases,
                bos=BOS,
                eos=EOS,
                process=process,
            )
        else:
            expected = oracle.n_best(
                chain, 2, LENGTH, lambda n: n, bos=BOS, eos=EOS, process=process
            )
        assert_as_told(found, row, expected)
        for tokens, *_ in answers(found, row):
            assert all(oracle.fulfilled(tokens, phrases)[0])


def test_phrases_are_met_by_greedy_search_and_draws_too():
    phrases = ((1, 2), (3,))
    chains = CHAINS[:10]
    required = required_of(10, phrases)
    keys = jax.vmap(jax.random.key)(jnp.arange(10))
    for way in (decode.Greedy(), decode.Sample(keys, 3)):
        found = found_with_phrases(lambda _, way=way: way, tables_of(chains), required, 4)
        for row in range(10):
            for tokens, *_ in answers(found, row):
                assert all(oracle.fulfilled(tokens, phrases)[0])

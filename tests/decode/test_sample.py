"""Sampling draws from the distribution, and from nothing else."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from decode.chains import (
    BOS,
    EOS,
    SYMBOLS,
    VOCAB,
    answers,
    found_by,
    start,
    step_fn_of,
    tables_of,
)
from oracles import search as oracle

from seqjax import decode


@functools.partial(jax.jit, static_argnames=("size", "max_length", "processor"))
def draw(tables, keys, *, size, max_length=4, processor=decode.chain()):
    return decode.search(
        step_fn_of(tables),
        start(tables.shape[0]),
        decode.Sample(keys, size),
        symbols=SYMBOLS,
        max_length=max_length,
        processor=processor,
    )


def keys_of(*numbers):
    return jax.vmap(jax.random.fold_in, (None, 0))(jax.random.key(7), jnp.array(numbers))


def test_frequencies_are_those_of_the_distribution():
    chain = oracle.Chain(3, VOCAB, scale=1.0)
    count = 4_000
    found = draw(tables_of([chain]), keys_of(0), size=count, max_length=2)
    finished, cut = oracle.score_all(chain, 2, bos=BOS, eos=EOS)
    expected = {tokens: np.exp(value) * count for tokens, value in (finished | cut).items()}
    assert sum(expected.values()) == np.float64(count) or abs(sum(expected.values()) - count) < 1e-6
    observed = dict.fromkeys(expected, 0)
    for tokens, *_ in answers(found, 0):
        observed[tokens] += 1
    chi_square = sum((observed[t] - e) ** 2 / e for t, e in expected.items())
    freedom = len(expected) - 1
    assert chi_square < freedom + 5 * np.sqrt(2 * freedom)  # five standard deviations


def test_filters_remove_what_they_remove():
    tables = tables_of([oracle.Chain(0, VOCAB)])
    narrow = draw(tables, keys_of(0), size=200, processor=decode.top_k(1))
    greedy = found_by(decode.Greedy(), tables, max_length=4)
    assert {a[0] for a in answers(narrow, 0)} == {answers(greedy, 0)[0][0]}
    without = draw(tables, keys_of(0), size=200, processor=decode.forbid([2]))
    assert all(2 not in a[0] for a in answers(without, 0))


def test_a_sample_depends_on_its_key_and_on_nothing_else():
    chains = [oracle.Chain(seed, VOCAB) for seed in range(3)]
    three = draw(tables_of(chains), keys_of(5, 6, 7), size=4)
    alone = draw(tables_of(chains[1:2]), keys_of(6), size=4)
    again = draw(tables_of(chains[1:2]), keys_of(6), size=4)
    more = draw(tables_of(chains[1:2]), keys_of(6), size=8)
    other = draw(tables_of(chains[1:2]), keys_of(9), size=4)
    assert answers(three, 1) == answers(alone, 0) == answers(again, 0)
    assert {a[0] for a in answers(alone, 0)} <= {a[0] for a in answers(more, 0)}
    assert answers(alone, 0) != answers(other, 0)


def test_samples_carry_their_own_log_probability_best_first():
    chain = oracle.Chain(1, VOCAB)
    found = answers(draw(tables_of([chain]), keys_of(0), size=16), 0)
    finished, cut = oracle.score_all(chain, 4, bos=BOS, eos=EOS)
    for tokens, log_prob, score, ended in found:
        np.testing.assert_allclose(log_prob, (finished if ended else cut)[tokens], atol=1e-5)
        assert score == log_prob
    assert [a[1] for a in found] == sorted((a[1] for a in found), reverse=True)


def test_a_row_whose_tokens_are_all_forbidden_ends_without_an_answer():
    tables = tables_of([oracle.Chain(0, VOCAB), oracle.Chain(1, VOCAB)])
    everything = decode.forbid(range(VOCAB))
    for found in (
        draw(tables, keys_of(0, 1), size=2, processor=everything),
        found_by(decode.Greedy(), tables, max_length=3, processor=everything),
    ):
        assert answers(found, 0) == [] == answers(found, 1)
        assert not bool(jnp.any(found.lengths)) and not bool(jnp.any(found.finished))


def test_of_no_room_there_is_nothing_and_no_number_that_is_none():
    tables = tables_of([oracle.Chain(seed, VOCAB) for seed in range(2)])
    mean = decode.length_normalised(decode.average(1.0))
    for way in (decode.Greedy(), decode.Beam(2, n_best=2, score_fn=mean)):
        found = found_by(way, tables, jnp.array([0, 3]), max_length=3)
        assert answers(found, 0) == [] and answers(found, 1)
        assert not bool(jnp.any(jnp.isnan(found.scores))) and not bool(jnp.any(found.lengths[0]))


def test_greedy_honours_limits():
    tables = tables_of([oracle.Chain(seed, VOCAB, eos_bias=-1e9) for seed in range(3)])
    found = found_by(decode.Greedy(), tables, jnp.array([1, 3, 9]), max_length=5)
    assert found.lengths[:, 0].tolist() == [1, 3, 5]
    assert not bool(jnp.any(found.finished))

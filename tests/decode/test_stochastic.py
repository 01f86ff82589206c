"""Whole sequences drawn without replacement."""

import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
from decode.chains import BOS, EOS, SYMBOLS, VOCAB, answers, start, step_fn_of, tables_of
from oracles import search as oracle

from seqjax import decode
from seqjax.decode.stochastic import _below


@functools.partial(jax.jit, static_argnames=("size", "max_length"))
def draw(tables, keys, *, size, max_length=2):
    return decode.search(
        step_fn_of(tables),
        start(tables.shape[0]),
        decode.StochasticBeam(keys, size),
        symbols=SYMBOLS,
        max_length=max_length,
    )


CHAIN = oracle.Chain(5, VOCAB, scale=1.0)
COUNT = 4_000


def distribution():
    finished, cut = oracle.score_all(CHAIN, 2, bos=BOS, eos=EOS)
    return {tokens: float(np.exp(value)) for tokens, value in (finished | cut).items()}


def test_pairs_come_as_often_as_when_drawn_one_after_the_other():
    """P(first a, then b) = p(a) p(b) / (1 - p(a)): by chi-square over all ordered pairs."""
    probs = distribution()
    tables = jnp.broadcast_to(tables_of([CHAIN]), (COUNT, VOCAB, VOCAB, VOCAB))
    keys = jax.vmap(jax.random.key)(jnp.arange(COUNT))
    found = jax.device_get(draw(tables, keys, size=2))
    observed = dict.fromkeys(itertools.permutations(probs, 2), 0)
    for row in range(COUNT):
        first, second = (
            tuple(found.tokens[row, slot, : found.lengths[row, slot]].tolist()) for slot in (0, 1)
        )
        observed[first, second] += 1
    expected = {(a, b): COUNT * probs[a] * probs[b] / (1 - probs[a]) for a, b in observed}
    frequent = [pair for pair, value in expected.items() if value > 5]
    rest = [sum(count[p] for p in expected if p not in frequent) for count in (observed, expected)]
    cells = [(observed[p], expected[p]) for p in frequent] + [tuple(rest)]
    chi_square = sum((o - e) ** 2 / e for o, e in cells)
    freedom = len(cells) - 1
    assert chi_square < freedom + 5 * np.sqrt(2 * freedom)  # five standard deviations


def test_all_answers_come_once_with_their_own_log_probability():
    probs = distribution()
    found = answers(draw(tables_of([CHAIN]), jax.random.split(jax.random.key(0), 1), size=30), 0)
    assert {one[0] for one in found} == set(probs) and len(found) == len(probs)
    for tokens, log_prob, _, finished in found:
        np.testing.assert_allclose(np.exp(log_prob), probs[tokens], rtol=1e-4)
        assert finished == (tokens[-1] == EOS)
    assert [one[2] for one in found] == sorted((one[2] for one in found), reverse=True)


def test_variables_under_a_known_maximum_are_the_formula():
    """-log(exp(-top) - exp(-largest) + exp(-gumbel)), in float64; the largest becomes the top."""
    rng = np.random.default_rng(0)
    gumbels = rng.gumbel(size=(3, 4, 7))
    gumbels[0, 0, 2] = -np.inf
    top = rng.gumbel(size=(3, 4))
    largest = gumbels.max(axis=-1, keepdims=True)
    with np.errstate(over="ignore"):
        inside = np.exp(-top[..., None]) - np.exp(-largest) + np.exp(-gumbels)
    found = _below(jnp.asarray(gumbels, jnp.float32), jnp.asarray(top, jnp.float32))
    np.testing.assert_allclose(found, -np.log(inside), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(found.max(axis=-1), top, rtol=1e-5)


def test_a_draw_depends_on_its_key_and_on_no_other_row():
    chains = tables_of([oracle.Chain(seed, VOCAB) for seed in range(3)])
    keys = jax.random.split(jax.random.key(1), 3)
    together = draw(chains, keys, size=3, max_length=4)
    alone = draw(chains[1:2], keys[1:2], size=3, max_length=4)
    assert [a[0] for a in answers(together, 1)] == [a[0] for a in answers(alone, 0)]


def test_without_room_there_is_no_answer():
    keys = jax.random.split(jax.random.key(0), 2)
    found = decode.search(
        step_fn_of(tables_of([CHAIN, CHAIN])),
        start(2),
        decode.StochasticBeam(keys, 2),
        symbols=SYMBOLS,
        max_length=2,
        limits=jnp.array([0, 2]),
    )
    np.testing.assert_array_equal(found.scores[0], -jnp.inf)
    assert float(found.scores[1, 0]) == 0.0  # scores are told from the first one on

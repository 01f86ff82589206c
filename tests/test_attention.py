import jax
import jax.numpy as jnp
import numpy as np
import pytest
from oracles.recurrent import softmax

from seqjax.attention import (
    AdditiveScorer,
    DotScorer,
    GeneralScorer,
    attend,
    attention_weights,
)

SIZE = 4
SCORERS = (DotScorer(), DotScorer(scaled=True), GeneralScorer(SIZE), AdditiveScorer(3))


def make(lengths=(3, 1, 0), source=5, queries=2):
    rng = np.random.default_rng(0)
    query = jnp.asarray(rng.normal(size=(len(lengths), queries, SIZE)), jnp.float32)
    memory = jnp.asarray(rng.normal(size=(len(lengths), source, SIZE)), jnp.float32)
    return query, memory, jnp.arange(source)[None] < jnp.array(lengths)[:, None]


def look(scorer, params, query, memory, mask):
    keys = scorer.apply({"params": params}, memory, method="prepare")
    weights = attention_weights(scorer.apply({"params": params}, query, keys), mask)
    return attend(weights, memory), weights


def init(scorer, query, memory):
    def both(scorer):
        return scorer(query, scorer.prepare(memory))

    return scorer.init(jax.random.key(0), method=both).get("params", {})


def score_by_hand(scorer, params, q, k):
    params = jax.tree.map(np.float64, params)
    match scorer:
        case DotScorer(scaled=scaled):
            return q @ k / (np.sqrt(SIZE) if scaled else 1)
        case GeneralScorer():
            return q @ (k @ params["key_map"]["kernel"])
        case AdditiveScorer():
            hidden = k @ params["key_map"]["kernel"] + params["key_map"]["bias"]
            hidden = hidden + q @ params["query_map"]["kernel"]
            return np.tanh(hidden) @ params["direction"]


@pytest.mark.parametrize("scorer", SCORERS)
def test_context_and_weights_are_the_equations(scorer):
    query, memory, mask = make()
    params = init(scorer, query, memory)
    context, weights = look(scorer, params, query, memory, mask)
    for row in range(2):
        valid = int(mask[row].sum())
        for position in range(query.shape[1]):
            q = np.float64(query[row, position])
            scores = [score_by_hand(scorer, params, q, np.float64(k)) for k in memory[row, :valid]]
            expected = softmax(np.array(scores))
            np.testing.assert_allclose(weights[row, position, :valid], expected, atol=2e-6)
            np.testing.assert_allclose(
                context[row, position], expected @ np.float64(memory[row, :valid]), atol=2e-6
            )
    np.testing.assert_array_equal(jnp.where(mask[:, None], 0, weights), 0)


def test_a_sentence_without_positions_gives_zeros_and_finite_gradients():
    query, memory, mask = make()
    context, weights = look(DotScorer(), {}, query, memory, mask)
    np.testing.assert_array_equal(context[2], 0)
    np.testing.assert_array_equal(weights[2], 0)
    gradient = jax.grad(lambda m: jnp.sum(look(DotScorer(), {}, query, m, mask)[0] ** 2))(memory)
    assert bool(jnp.all(jnp.isfinite(gradient)))


@pytest.mark.parametrize("bad", (np.nan, np.inf, 1e30))
def test_scores_at_padding_change_nothing(bad):
    _, _, mask = make()
    scores = jnp.asarray(np.random.default_rng(1).normal(size=(3, 2, 5)), jnp.float32)
    spoilt = jnp.where(mask[:, None], scores, bad)
    loss = lambda s: jnp.sum(attention_weights(s, mask) ** 2)
    np.testing.assert_array_equal(attention_weights(spoilt, mask), attention_weights(scores, mask))
    np.testing.assert_array_equal(jax.grad(loss)(spoilt), jax.grad(loss)(scores))


@pytest.mark.parametrize(
    ("dtype", "scale"),
    (*((jnp.bfloat16, s) for s in (1.0, 1e4, 1e30)), *((jnp.float16, s) for s in (1.0, 1e4))),
)
def test_a_mask_holds_in_half_precision(dtype, scale):
    _, _, mask = make()
    scores = scale * jnp.asarray(np.random.default_rng(1).normal(size=(3, 2, 5)), dtype)
    loss = lambda s: jnp.sum(attention_weights(s, mask) ** 2)
    weights, gradient = attention_weights(scores, mask), jax.grad(loss)(scores)
    assert weights.dtype == dtype
    np.testing.assert_array_equal(jnp.where(mask[:, None], 0, weights), 0)
    np.testing.assert_allclose(np.float32(weights[:2]).sum(-1), 1, atol=2e-2)
    assert bool(jnp.all(jnp.isfinite(gradient)))


def test_permuting_positions_permutes_weights_and_keeps_the_context():
    query, memory, mask = make()
    order = jnp.array([2, 4, 0, 1, 3])
    context, weights = look(DotScorer(), {}, query, memory, mask)
    moved_context, moved = look(DotScorer(), {}, query, memory[:, order], mask[:, order])
    np.testing.assert_allclose(moved, weights[..., order], atol=1e-6)
    np.testing.assert_allclose(moved_context, context, atol=1e-6)

"""What a decoder sees of the source, against loops written from the equations."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from oracles.recurrent import sigmoid, softmax

from seqjax.attention import AdditiveScorer, DotScorer
from seqjax.models.copier import Copier
from seqjax.models.encoder import Encoded
from seqjax.models.reader import Reader

BATCH, QUERIES, SOURCE, HIDDEN, EMBEDDING = 3, 2, 5, 4, 3
LENGTHS = np.array([5, 2, 0])


def draw(*shape, seed=0):
    return jnp.asarray(np.random.default_rng(seed).normal(size=shape), jnp.float32)


def make(reader):
    """A reader's weights, drawn at random, and all that it looks at."""
    values = jnp.where(
        np.arange(SOURCE)[None, :, None] < LENGTHS[:, None, None], draw(BATCH, SOURCE, HIDDEN), 0
    )
    encoded = Encoded(values, jnp.asarray(LENGTHS), ())
    queries, embedded = (
        draw(BATCH, QUERIES, HIDDEN, seed=1),
        draw(BATCH, QUERIES, EMBEDDING, seed=2),
    )
    coverage = jnp.abs(draw(BATCH, QUERIES, SOURCE, seed=3))

    def everything(reader):
        memory = reader.prepare(encoded)
        weights = reader.weigh(queries, memory, coverage)
        return weights, reader.read(queries, embedded, weights, memory)

    params = nn.init(everything, reader)(jax.random.key(0))["params"]
    rng = np.random.default_rng(4)
    params = jax.tree.map(lambda p: jnp.asarray(rng.normal(size=p.shape), jnp.float32), params)
    weights, readout = nn.apply(everything, reader)({"params": params})
    rest = (params, values, queries, embedded, coverage)
    return weights, readout, *jax.tree.map(np.float64, rest)


def test_coverage_moves_the_keys_of_each_query():
    weights, _, params, values, queries, _, coverage = make(
        Reader(AdditiveScorer(6), 7, coverage=True)
    )
    scorer, moved = params["scorer"], params["moved_keys"]["direction"]
    for row, length in enumerate(LENGTHS):
        for query in range(QUERIES):
            scores = []
            for place in range(length):
                hidden = (
                    values[row, place] @ scorer["key_map"]["kernel"] + scorer["key_map"]["bias"]
                )
                hidden += queries[row, query] @ scorer["query_map"]["kernel"]
                hidden += coverage[row, query, place] * moved
                scores.append(np.tanh(hidden) @ scorer["direction"])
            expected = np.zeros(SOURCE)
            expected[:length] = softmax(np.array(scores)) if length else ()
            np.testing.assert_allclose(weights[row, query], expected, atol=2e-5)


@pytest.mark.parametrize("gate", ("none", "source", "target", "both"))
def test_a_gate_weighs_source_and_target_side(gate):
    weights, readout, params, values, queries, embedded, _ = make(Reader(DotScorer(), 7, gate=gate))
    affine = lambda name, x: x @ params[name]["kernel"] + params[name].get("bias", 0)
    for row in range(BATCH):
        context = np.float64(weights[row]) @ values[row]
        said = np.concatenate([embedded[row], queries[row]], axis=-1)
        if gate == "none":
            total = affine("readout_map", np.concatenate([context, queries[row]], axis=-1))
        else:
            z = sigmoid(affine("gate_map", np.concatenate([said, context], axis=-1)))
            by = {"source": (1, z), "target": (z, 1), "both": (1 - z, z)}[gate]
            total = by[0] * affine("query_map", said) + by[1] * affine("context_map", context)
        np.testing.assert_allclose(readout[row], np.tanh(total), atol=2e-5)


def test_what_is_copied_adds_to_what_is_written():
    vocab = 6
    logits, seen = draw(BATCH, QUERIES, vocab), (draw(BATCH, QUERIES, HIDDEN, seed=1),)
    weights = jax.nn.softmax(draw(BATCH, QUERIES, SOURCE, seed=2))
    ids = jnp.array([[4, 7, 4, 9, 7], [5, 5, 5, 5, 5], [6, 7, 8, 9, 10]])
    found, variables = Copier(3).init_with_output(jax.random.key(0), logits, seen, weights, ids)
    switch = variables["params"]["Dense_0"]
    for row in range(BATCH):
        for query in range(QUERIES):
            p = sigmoid(seen[0][row, query] @ switch["kernel"][:, 0] + switch["bias"][0])
            expected = np.concatenate(
                [p * softmax(np.float64(logits[row, query])), np.zeros(SOURCE)]
            )
            for place in range(SOURCE):
                expected[ids[row, place]] += (1 - p) * weights[row, query, place]
            np.testing.assert_allclose(np.exp(found[row, query]), expected, atol=2e-6)
            assert np.all(np.exp(found[row, query])[expected == 0] < 1e-20)


def test_copying_has_finite_gradients_where_nothing_can_be_copied():
    def loss(weights):
        ids = jnp.array([[3, 4]])  # nor written
        arguments = jnp.zeros((1, 1, 3)), (jnp.ones((1, 1, 1)),), weights, ids
        return jnp.sum(Copier(3).init_with_output(jax.random.key(0), *arguments)[0])

    assert bool(jnp.all(jnp.isfinite(jax.grad(loss)(jnp.zeros((1, 1, 2))))))

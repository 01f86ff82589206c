"""Models that say something of a whole sequence, or of each of its steps."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from seqjax.build.model import build_classifier, build_tagger
from seqjax.build.steps import build_tagger_learner
from seqjax.config import ModelConfig, ObjectiveConfig
from seqjax.decode.viterbi import viterbi
from seqjax.models.encoder import Encoded
from seqjax.models.pooling import Pooling
from seqjax.types import Batch, Padded

LENGTHS = jnp.array([4, 1, 0])


def encoded(filler):
    generator = np.random.default_rng(0)
    outputs = generator.normal(size=(3, 5, 4)).astype(np.float32)
    for row, length in enumerate(LENGTHS):
        outputs[row, length:] = filler
    last = jnp.array(generator.normal(size=(3, 4)), jnp.float32)
    return Encoded(jnp.array(outputs), LENGTHS, (last,))


@pytest.mark.parametrize("kind", ["last", "mean", "max", "attention"])
def test_pooling_is_its_equations_and_padding_has_no_part(kind):
    pooling, source = Pooling(kind), encoded(0.0)
    params = pooling.init(jax.random.key(1), source)
    found = np.asarray(pooling.apply(params, source))
    outputs = np.asarray(source.outputs)
    for row, length in enumerate(LENGTHS.tolist()):
        steps = outputs[row, :length]
        match kind:
            case "last":
                wanted = np.asarray(source.carries[0][row])
            case "mean":
                wanted = steps.mean(axis=0) if length else np.zeros(4)
            case "max":
                wanted = steps.max(axis=0) if length else np.zeros(4)
            case "attention":
                weights = params["params"]
                hidden = np.tanh(
                    steps @ np.asarray(weights["hidden_map"]["kernel"])
                    + np.asarray(weights["hidden_map"]["bias"])
                )
                scores = hidden @ np.asarray(weights["score_map"]["kernel"])[:, 0]
                shares = np.exp(scores - scores.max()) if length else scores
                wanted = (shares / shares.sum()) @ steps if length else np.zeros(4)
        np.testing.assert_allclose(found[row], wanted, atol=1e-6)
    if kind in ("max", "attention"):  # the others are given outputs that are 0 there
        other = pooling.apply(params, encoded(9.0))
        np.testing.assert_array_equal(found, np.asarray(other))


def test_batch_mates_and_padding_change_no_label_and_no_tag():
    config = ModelConfig(embedding_size=3, hidden_size=4, dropout=0.0, crf=True)
    long = Padded(jnp.array([[5, 6, 7, 0], [4, 0, 0, 0]]), jnp.array([3, 1]))
    alone = Padded(jnp.array([[5, 6, 7]]), jnp.array([3]))
    for model in (
        build_classifier(config, vocab_size=9, num_classes=3),
        build_tagger(config, vocab_size=9, num_tags=3),
    ):
        params = model.init(jax.random.key(0), long)
        one, other = model.apply(params, long), model.apply(params, alone)
        first = lambda said: jax.tree.leaves(said)[0]
        steps = 1 if first(one).shape[1] == 1 else 3
        np.testing.assert_allclose(first(one)[:1, :steps], first(other), atol=1e-6)


@pytest.mark.standard_promotion
@pytest.mark.parametrize("chain", [True, False])
def test_a_chain_learns_what_a_tag_alone_cannot_know(chain):
    """A text is tagged in one of two ways as a whole; only a chain never mixes them."""
    config = ModelConfig(embedding_size=4, hidden_size=4, dropout=0.0, crf=chain)
    model = build_tagger(config, vocab_size=6, num_tags=2)
    learner = build_tagger_learner(model, ObjectiveConfig())
    source = Padded(jnp.array([[4, 4, 4, 4]] * 2), jnp.array([4, 4]))
    tags = Padded(jnp.array([[0, 0, 0, 0], [1, 1, 1, 1]]), jnp.array([4, 4]))
    batch, rule, key = Batch(source, tags), optax.adam(0.05), jax.random.key(0)
    params = learner.init(batch, key)
    state = rule.init(params)

    def loss(params):
        return learner.loss_fn(params, (), batch, key, 0, train=False)[0].value()

    @jax.jit
    def step(params, state):
        updates, state = rule.update(jax.grad(loss)(params), state)
        return optax.apply_updates(params, updates), state

    for _ in range(150):
        params, state = step(params, state)
    # A choice between two for all four tags, or for each of the four: nats per tag.
    assert float(loss(params)) == pytest.approx(np.log(2) / (4 if chain else 1), abs=0.02)
    if chain:
        said = model.apply({"params": params}, source)
        found = viterbi(said.logits, said.lengths, said.transitions, pad_id=0, n_best=2)
        assert sorted(map(tuple, found.tokens[0].tolist())) == [(0, 0, 0, 0), (1, 1, 1, 1)]
        np.testing.assert_allclose(np.exp(found.log_probs[0]), 0.5, atol=0.03)

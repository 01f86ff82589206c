import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from seqjax.build.learner import build_seq2seq_learner
from seqjax.build.model import build_seq2seq
from seqjax.config import ModelConfig, ObjectiveConfig
from seqjax.losses import (
    attention_spread,
    coverage_loss,
    cross_entropy,
    token_accuracy,
)
from seqjax.types import Batch, Padded, sum_means


def make(vocab=5):
    rng = np.random.default_rng(0)
    logits = jnp.asarray(rng.normal(size=(3, 4, vocab)), jnp.float32)
    targets = jnp.asarray(rng.integers(0, vocab, size=(3, 4)), jnp.int32)
    return logits, Padded(targets, jnp.array([4, 2, 0]))


def test_a_uniform_model_costs_log_v():
    _, targets = make()
    loss = cross_entropy(jnp.zeros((3, 4, 7)), targets)
    np.testing.assert_allclose(loss.value(), np.log(7), rtol=1e-6)
    assert loss.weight == 6


@pytest.mark.parametrize("smoothing", (0.0, 0.1, 0.4))
def test_smoothing_is_that_of_optax(smoothing):
    logits, targets = make()
    soft = optax.smooth_labels(jax.nn.one_hot(targets.values, 5), smoothing)
    mask = jnp.arange(4)[None] < targets.lengths[:, None]
    wanted = lambda z: jnp.sum(jnp.where(mask, optax.softmax_cross_entropy(z, soft), 0))
    ours = lambda z: cross_entropy(z, targets, label_smoothing=smoothing).total
    expected, slope = jax.value_and_grad(wanted)(logits)
    got, own_slope = jax.value_and_grad(ours)(logits)
    np.testing.assert_allclose(got, expected, rtol=1e-6)
    np.testing.assert_allclose(own_slope, slope, atol=1e-6)


@pytest.mark.parametrize("smoothing", (0.1, 0.4))
def test_smoothing_of_the_others_leaves_gold_what_it_says(smoothing):
    logits, targets = make()
    wanted = 0.0
    for row, length in enumerate([4, 2, 0]):
        for time in range(length):
            soft = np.full(5, smoothing / 4)
            soft[targets.values[row, time]] = 1 - smoothing
            wanted -= float(np.sum(soft * np.asarray(jax.nn.log_softmax(logits[row, time]))))
    loss = cross_entropy(logits, targets, label_smoothing=smoothing, others_only=True)
    np.testing.assert_allclose(loss.total, wanted, rtol=1e-5)


def test_the_parts_of_a_batch_add_up_to_the_whole():
    logits, targets = make()
    whole = cross_entropy(logits, targets)
    parts = [
        cross_entropy(
            logits[i : i + 1], Padded(targets.values[i : i + 1], targets.lengths[i : i + 1])
        )
        for i in range(3)
    ]
    np.testing.assert_allclose(sum_means(parts).value(), whole.value(), rtol=1e-6)


def test_padding_changes_neither_loss_nor_gradient():
    logits, targets = make()
    mask = jnp.arange(4)[None] < targets.lengths[:, None]
    spoilt_logits = jnp.where(mask[..., None], logits, jnp.nan)
    spoilt = Padded(jnp.where(mask, targets.values, 99), targets.lengths)
    loss = lambda l, t: cross_entropy(l, t, label_smoothing=0.1).value()
    np.testing.assert_array_equal(loss(spoilt_logits, spoilt), loss(logits, targets))
    np.testing.assert_array_equal(
        jax.grad(loss)(spoilt_logits, spoilt), jax.grad(loss)(logits, targets)
    )


def test_a_gradient_can_be_had_of_what_is_compiled_already():
    logits, targets = make()
    loss = lambda z, targets: cross_entropy(z, targets).total
    twice = jax.jit(jax.grad(jax.jit(loss)))(logits, targets)
    np.testing.assert_allclose(twice, jax.grad(loss)(logits, targets), atol=1e-6)


def test_a_batch_of_nothing_costs_nothing():
    logits, targets = make()
    empty = Padded(targets.values, jnp.zeros(3, jnp.int32))
    assert cross_entropy(logits, empty).value() == 0
    gradient = jax.grad(lambda l: cross_entropy(l, empty).value())(logits)
    np.testing.assert_array_equal(gradient, 0)


def test_accuracy_counts_valid_tokens_only():
    _, targets = make()
    logits = jax.nn.one_hot(targets.values, 5).at[0, 0].set(0).at[2].set(0)
    accuracy = token_accuracy(logits, targets)
    right = 5 + int(targets.values[0, 0] == 0)
    assert (accuracy.total, accuracy.weight) == (right, 6)


def test_coverage_loss_is_what_is_looked_at_again():
    weights = jax.nn.softmax(make()[0])
    lengths = np.array([4, 2, 0])
    loss = coverage_loss(weights.at[1, 2:].set(jnp.nan), jnp.asarray(lengths))
    total = 0.0
    for row, length in enumerate(lengths):
        before = np.zeros(5)
        for time in range(length):
            total += np.minimum(weights[row, time], before).sum()
            before += weights[row, time]
    np.testing.assert_allclose(loss, (total, 6), rtol=1e-6)


def test_looking_at_every_position_once_costs_nothing():
    weights = jnp.eye(4)[None]
    assert coverage_loss(weights, jnp.array([4])).total == 0
    assert coverage_loss(weights[:, jnp.array([0, 0, 1, 1])], jnp.array([4])).total == 2


def test_coverage_and_own_words_are_for_learning_alone(monkeypatch):
    _, targets = make()
    model = build_seq2seq(ModelConfig(), source_vocab_size=5, target_vocab_size=5, bos_id=1)
    asked = []

    def apply(self, variables, source, target, own_share, **learning):
        asked.append(own_share)
        said, nothing = (jnp.zeros((3, 4, 5)), jnp.ones((3, 4, 1))), jnp.zeros((3, 4, 0))
        shown = {"intermediates": {"decoder": {"outputs": nothing, "dropped": nothing}}}
        return (said, shown) if learning else said

    monkeypatch.setattr(type(model), "apply", apply)
    config = ObjectiveConfig(
        coverage_weight=0.5, scheduled_sampling=0.8, scheduled_sampling_steps=10
    )
    loss_fn = build_seq2seq_learner(model, config).loss_fn
    batch, key = Batch(targets, targets), jax.random.key(0)
    loss = lambda step, train: loss_fn({}, (), batch, key, jnp.asarray(step), train=train)[
        0
    ].value()
    np.testing.assert_allclose(loss(0, False), np.log(5), rtol=1e-6)
    for step in (0, 4, 9, 100):  # 4 of 6 tokens look where one before them looked
        np.testing.assert_allclose(loss(step, True), np.log(5) + 0.5 * 4 / 6, rtol=1e-6)
    assert asked[0] is None
    np.testing.assert_allclose(asked[1:], [0.08, 0.4, 0.8, 0.8], rtol=1e-6)


def test_attention_is_spread_as_its_entropy_says():
    """Three positions alike are spread over all of them, one is not spread, two are in between."""
    rows = [[1 / 3, 1 / 3, 1 / 3, 0], [1, 0, 0, 0], [0.5, 0.4, 0.1, 0], [0, 0, 0, 0]]
    weights = jnp.array([rows, rows], jnp.float32)
    found = attention_spread(weights, jnp.array([3, 0]))
    uneven = -sum(p * np.log(p) for p in (0.5, 0.4, 0.1)) / np.log(3)
    np.testing.assert_allclose(found.total, 1 + uneven, rtol=1e-6)
    assert found.weight == 2  # one position leaves nothing to choose, padding counts for nothing


def test_the_spread_of_attention_is_measured_where_there_is_attention_and_not_in_training():
    batch = Batch(*(Padded(jnp.full((2, 3), 5), jnp.array([3, 2])) for _ in range(2)))

    def measured(attention, train):
        config = ModelConfig(embedding_size=4, hidden_size=4, attention=attention)
        sizes: dict[str, Any] = {
            "source_vocab_size": 9,
            "target_vocab_size": 9,
            "bos_id": 1,
            "unk_id": 3,
        }
        learner = build_seq2seq_learner(build_seq2seq(config, **sizes), ObjectiveConfig())
        key = jax.random.key(0)
        params = jax.eval_shape(learner.init, batch, key)
        loss_fn = functools.partial(learner.loss_fn, train=train)
        _, (means, _) = jax.eval_shape(loss_fn, params, (), batch, key, 0)
        return "attention_spread" in means

    assert measured("dot", False)
    assert not measured("dot", True) and not measured("none", False)


@pytest.mark.parametrize("smoothing", (0.0, 0.1))
def test_the_z_loss_is_the_squared_normaliser_with_its_gradient(smoothing):
    logits, targets = make()
    mask = jnp.arange(4)[None] < targets.lengths[:, None]

    def wanted(z):
        squares = jnp.where(mask, jax.nn.logsumexp(z, axis=-1) ** 2, 0)
        return cross_entropy(z, targets, label_smoothing=smoothing).total + 0.3 * jnp.sum(squares)

    ours = lambda z: cross_entropy(z, targets, label_smoothing=smoothing, z_loss=0.3).total
    expected, slope = jax.value_and_grad(wanted)(logits)
    got, own_slope = jax.value_and_grad(ours)(logits)
    np.testing.assert_allclose(got, expected, rtol=1e-6)
    np.testing.assert_allclose(own_slope, slope, atol=1e-6)
    direction = jax.random.normal(jax.random.key(0), logits.shape)
    differences = (ours(logits + 1e-2 * direction) - ours(logits - 1e-2 * direction)) / 2e-2
    np.testing.assert_allclose(jnp.vdot(own_slope, direction), differences, rtol=1e-3)


@pytest.mark.standard_promotion
def test_a_label_is_a_target_of_one_step():
    rng = np.random.default_rng(7)
    logits = jnp.asarray(rng.normal(size=(5, 4)).astype(np.float32))
    labels, mask = jnp.array([3, 0, 1, 3, 2]), jnp.array([True, True, False, True, False])
    targets = Padded(labels[:, None], mask.astype(jnp.int32))
    each = optax.softmax_cross_entropy_with_integer_labels(logits, labels)
    got = jax.jit(cross_entropy)(logits[:, None], targets)
    np.testing.assert_allclose(got, (np.sum(np.asarray(each)[mask]), 3), rtol=1e-6)
    right = np.argmax(logits, axis=1) == np.asarray(labels)
    assert token_accuracy(logits[:, None], targets) == (np.sum(right[mask]), 3)


def test_half_precision_is_added_up_in_single():
    logits = jnp.zeros((1, 1_001, 7), jnp.bfloat16)
    targets = Padded(jnp.zeros((1, 1_001), jnp.int32), jnp.array([1_001]))
    loss = cross_entropy(logits, targets)
    np.testing.assert_allclose(loss.total, 1_001 * np.log(7), rtol=1e-5)
    gradient = jax.grad(lambda logits: cross_entropy(logits, targets).total)(logits)
    assert gradient.dtype == jnp.bfloat16

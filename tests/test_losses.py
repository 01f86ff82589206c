import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from seqjax.losses import coverage_loss, cross_entropy, token_accuracy
from seqjax.types import Padded, sum_means


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
    per_token = optax.softmax_cross_entropy(logits, soft)
    mask = jnp.arange(4)[None] < targets.lengths[:, None]
    expected = jnp.sum(jnp.where(mask, per_token, 0))
    got = cross_entropy(logits, targets, label_smoothing=smoothing)
    np.testing.assert_allclose(got.total, expected, rtol=1e-6)


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

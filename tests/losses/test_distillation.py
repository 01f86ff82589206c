import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seqjax.losses import distillation_loss, teacher_log_probs
from seqjax.types import sum_means

LENGTHS = np.array([3, 1, 0])


def logits_of(seed):
    return np.random.default_rng(seed).normal(size=(3, 4, 5)).astype(np.float32)


def softmax(logits):
    return np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)


@pytest.mark.parametrize("temperature", (1.0, 3.0))
def test_it_is_the_divergence_from_the_mean_of_the_teachers(temperature):
    own, teachers = logits_of(0), [logits_of(1), logits_of(2)]
    wanted = 0.0
    for row, length in enumerate(LENGTHS):
        for time in range(length):
            q = np.mean([softmax(one[row, time] / temperature) for one in teachers], axis=0)
            p = softmax(own[row, time] / temperature)
            wanted += temperature**2 * np.sum(q * np.log(q / p))
    softened = teacher_log_probs([jnp.asarray(one) for one in teachers], temperature)
    got = distillation_loss(jnp.asarray(own), softened, jnp.asarray(LENGTHS), temperature)
    np.testing.assert_allclose(got, (wanted, 4), rtol=1e-5)


def test_its_gradient_is_that_of_the_cross_entropy_and_none_goes_to_the_teacher():
    def loss(own, teacher):
        softened = teacher_log_probs([teacher], 2.0)
        return distillation_loss(own, softened, jnp.asarray(LENGTHS), 2.0).total

    own, teacher = jnp.asarray(logits_of(0)), jnp.asarray(logits_of(1))
    slopes = jax.grad(loss, argnums=(0, 1))(own, teacher)
    mask = (np.arange(4)[None] < LENGTHS[:, None])[..., None]
    wanted = 2.0 * mask * (softmax(logits_of(0) / 2) - softmax(logits_of(1) / 2))
    np.testing.assert_allclose(slopes[0], wanted, atol=1e-6)
    np.testing.assert_array_equal(slopes[1], 0)
    np.testing.assert_allclose(loss(own, own), 0, atol=1e-6)


def test_padding_has_no_part_and_parts_add_up():
    own, teacher, lengths = jnp.asarray(logits_of(0)), jnp.asarray(logits_of(1)), LENGTHS
    mask = (np.arange(4)[None] < LENGTHS[:, None])[..., None]
    total = lambda own, teacher: distillation_loss(own, teacher, jnp.asarray(lengths), 1.0)
    whole = total(own, teacher)
    spoilt = total(jnp.where(mask, own, jnp.nan), jnp.where(mask, teacher, jnp.nan))
    np.testing.assert_array_equal(spoilt, whole)
    parts = [
        distillation_loss(own[cut], teacher[cut], jnp.asarray(lengths[cut]), 1.0)
        for cut in (slice(0, 1), slice(1, 3))
    ]
    np.testing.assert_allclose(sum_means(parts), whole, rtol=1e-6)


def test_what_a_teacher_forbids_costs_nothing():
    teacher = jnp.log(jnp.array([[[0.5, 0.5, 0.0]]]))
    loss = distillation_loss(jnp.zeros((1, 1, 3)), teacher, jnp.array([1]), 1.0)
    np.testing.assert_allclose(loss.value(), np.log(3) - np.log(2), rtol=1e-6)

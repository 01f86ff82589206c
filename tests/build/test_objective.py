import jax
import jax.numpy as jnp
import numpy as np

from seqjax.build.learner import build_language_learner
from seqjax.build.model import build_language_model
from seqjax.build.objective import Said, build_own_share, token_loss
from seqjax.config import ModelConfig, ObjectiveConfig
from seqjax.losses import (
    activation_penalty,
    change_penalty,
    coverage_loss,
    cross_entropy,
    repetition_unlikelihood,
)
from seqjax.types import Batch, Mean, Padded


def share_at(numbers, curve, share=0.5, steps=1000):
    """Of updates counted from 1."""
    config = ObjectiveConfig(
        scheduled_sampling=share, scheduled_sampling_steps=steps, scheduled_sampling_curve=curve
    )
    share_fn = build_own_share(config)
    assert share_fn is not None
    return np.array([share_fn(jnp.asarray(number - 1)) for number in numbers])


def test_a_linear_share_arrives():
    np.testing.assert_allclose(
        share_at([1, 250, 1000, 5000], "linear"), [0.0005, 0.125, 0.5, 0.5], rtol=1e-5
    )


def test_an_exponential_share_gains_the_same_part_of_what_is_left():
    share = share_at([1, 2, 3, 1000], "exponential", share=1.0)
    k = 1 - share[0]
    np.testing.assert_allclose(share, [1 - k, 1 - k**2, 1 - k**3, 0.99], atol=2e-6)


def test_a_share_by_inverse_sigmoid_is_that_of_the_paper():
    share = share_at([1, 500, 1000, 10**6], "inverse_sigmoid", share=1.0)
    k = 1 / share[0] - 1  # about, as 1 - k / (k + exp(1 / k))
    for _ in range(20):
        k = np.exp(1 / k) * (1 / share[0] - 1)
    np.testing.assert_allclose(share[1], 1 - k / (k + np.exp(500 / k)), atol=1e-3)
    np.testing.assert_allclose(share[2:], [0.99, 1.0], atol=1e-6)


def test_without_steps_the_share_is_there_at_once():
    np.testing.assert_array_equal(share_at([1, 5], "linear", steps=0), [0.5, 0.5])


def test_no_share_is_nothing():
    assert build_own_share(ObjectiveConfig()) is None


def test_the_loss_of_tokens_is_its_parts_by_weight():
    rng = np.random.default_rng(0)
    numbers = lambda *shape: jnp.asarray(rng.normal(size=shape), jnp.float32)
    said = Said(numbers(2, 4, 5), abs(numbers(2, 4, 3)), numbers(2, 4, 6), numbers(2, 4, 2))
    targets = Padded(jnp.asarray(rng.integers(0, 5, size=(2, 4))), jnp.array([4, 3]))
    plain = cross_entropy(said.logits, targets).total
    parts = {
        "coverage_weight": coverage_loss(said.weights, targets.lengths),
        "activation_weight": activation_penalty(said.dropped, targets.lengths),
        "change_weight": change_penalty(said.outputs, targets.lengths),
        "unlikelihood": repetition_unlikelihood(said.logits, targets),
        "z_loss": Mean(cross_entropy(said.logits, targets, z_loss=1.0).total - plain, 7),
    }
    for name, part in parts.items():
        loss = token_loss(ObjectiveConfig(**{name: 0.5}), said, targets)
        np.testing.assert_allclose(loss, (plain + 0.5 * part.total, 7), rtol=1e-6)
    together = token_loss(ObjectiveConfig(**dict.fromkeys(parts, 0.5)), said, targets)
    wanted = plain + 0.5 * sum(part.total for part in parts.values())
    np.testing.assert_allclose(together, (wanted, 7), rtol=1e-6)


def test_penalties_are_for_learning_alone():
    everything = ObjectiveConfig(
        label_smoothing=0.1, z_loss=1.0, activation_weight=1.0, change_weight=1.0, unlikelihood=1.0
    )
    config = ModelConfig(embedding_size=4, hidden_size=4, embedding_dropout=0.3, unroll="scan")
    model = build_language_model(config, vocab_size=5)
    targets = Padded(jnp.array([[1, 2, 1]]), jnp.array([3]))
    learners = [build_language_learner(model, one, 1) for one in (everything, ObjectiveConfig())]
    batch, key = Batch(targets, targets), jax.random.key(0)
    params = learners[0].init(batch, key)

    def losses(train):
        return [
            learner.loss_fn(params, learner.memory, batch, key, jnp.asarray(0), train=train)[0]
            for learner in learners
        ]

    np.testing.assert_array_equal(*losses(train=False))
    assert losses(train=True)[0].total > losses(train=True)[1].total + 1

"""Losses of keys that sound or not."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seqjax.losses import bernoulli_loss, chord_means
from seqjax.types import Padded

LENGTHS = [3, 0, 5, 1]


@pytest.fixture
def said():
    generator = np.random.default_rng(0)
    logits = generator.normal(size=(4, 5, 7)).astype(np.float32) * 3
    sounds = (generator.random((4, 5, 7)) < 0.3).astype(np.float32)
    return logits, sounds


def counted(logits, sounds):
    """Key by key, as the definitions say."""
    costs, first, steps = 0.0, 0.0, 0
    right = wrong = missed = 0
    for row, length in enumerate(LENGTHS):
        for time in range(length):
            steps += 1
            for z, y in zip(logits[row, time].tolist(), sounds[row, time].tolist(), strict=True):
                p = 1 / (1 + math.exp(-z))
                cost = -math.log(p if y else 1 - p)
                costs, first = costs + cost, first + cost * (time == 0)
                right += p > 0.5 and y == 1
                wrong += p > 0.5 and y == 0
                missed += p <= 0.5 and y == 1
    rows = sum(length > 0 for length in LENGTHS)
    precision, recall = right / (right + wrong), right / (right + missed)
    return {
        "loss": costs / steps,
        "loss_after_first": (costs - first) / (steps - rows),
        "frame_accuracy": right / (right + wrong + missed),
        "frame_f1": 2 * precision * recall / (precision + recall),
    }


def test_all_measures_are_those_of_a_loop_over_keys(said):
    logits, sounds = said
    targets = Padded(jnp.array(sounds), jnp.array(LENGTHS))
    loss, others = chord_means(jnp.array(logits), targets)
    found = {"loss": loss, **others}
    for name, value in counted(logits, sounds).items():
        assert float(found[name].value()) == pytest.approx(value, rel=1e-5), name
    assert float(loss.weight) == sum(LENGTHS)
    assert float(others["loss_after_first"].weight) == sum(LENGTHS) - 3


def test_padding_changes_nothing_not_even_a_gradient(said):
    logits, sounds = said
    mask = np.arange(5)[None] < np.array(LENGTHS)[:, None]
    results = []
    for filling in (0.0, np.nan):
        logits[~mask], sounds[~mask] = filling, filling
        targets = Padded(jnp.array(sounds), jnp.array(LENGTHS))
        loss_fn = lambda logits, targets=targets: bernoulli_loss(logits, targets).total
        gradient = jax.grad(loss_fn)(jnp.array(logits))
        measured = chord_means(jnp.array(logits), targets)
        results.append(jax.tree.leaves((measured, gradient)))
        assert not np.asarray(gradient)[~mask].any()
        wanted = 1 / (1 + np.exp(-logits[mask])) - sounds[mask]
        np.testing.assert_allclose(np.asarray(gradient)[mask], wanted, atol=1e-6)
    for one, other in zip(*results, strict=True):
        np.testing.assert_array_equal(one, other)


def test_certain_keys_cost_nothing_and_wrong_ones_are_finite():
    logits = jnp.array([[[200.0, -200.0]]])
    right, wrong = (Padded(jnp.array([[keys]]), jnp.array([1])) for keys in ([1.0, 0], [0, 1.0]))
    assert float(bernoulli_loss(logits, right).total) == 0.0
    assert float(bernoulli_loss(logits, wrong).total) == pytest.approx(400.0)

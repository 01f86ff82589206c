import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seqjax.losses import activation_penalty, change_penalty
from seqjax.types import sum_means

LENGTHS = np.array([4, 2, 0, 1])


def outputs():
    return np.random.default_rng(0).normal(size=(4, 5, 3)).astype(np.float32)


def activation_by_hand(values):
    return sum(
        np.mean(values[row, time] ** 2) for row, n in enumerate(LENGTHS) for time in range(n)
    )


def change_by_hand(values):
    return sum(
        np.mean((values[row, time] - values[row, time - 1]) ** 2)
        for row, n in enumerate(LENGTHS)
        for time in range(1, n)
    )


CASES = [(activation_penalty, activation_by_hand), (change_penalty, change_by_hand)]


@pytest.mark.parametrize(("penalty", "by_hand"), CASES)
def test_penalties_are_sums_over_valid_tokens(penalty, by_hand):
    np.testing.assert_allclose(
        penalty(jnp.asarray(outputs()), jnp.asarray(LENGTHS)), (by_hand(outputs()), 7), rtol=1e-5
    )


@pytest.mark.parametrize("penalty", [penalty for penalty, _ in CASES])
def test_padding_has_no_part_in_value_or_gradient(penalty):
    clean = outputs()
    spoilt = np.where(np.arange(5)[None, :, None] < LENGTHS[:, None, None], clean, np.nan)
    total = lambda values: penalty(values, jnp.asarray(LENGTHS)).total
    np.testing.assert_array_equal(total(jnp.asarray(spoilt)), total(jnp.asarray(clean)))
    np.testing.assert_array_equal(
        jax.grad(total)(jnp.asarray(spoilt)), jax.grad(total)(jnp.asarray(clean))
    )


@pytest.mark.parametrize("penalty", [penalty for penalty, _ in CASES])
def test_parts_add_up(penalty):
    values, lengths = jnp.asarray(outputs()), jnp.asarray(LENGTHS)
    parts = [penalty(values[cut], lengths[cut]) for cut in (slice(0, 1), slice(1, 4))]
    np.testing.assert_allclose(
        sum_means(parts).value(), penalty(values, lengths).value(), rtol=1e-6
    )

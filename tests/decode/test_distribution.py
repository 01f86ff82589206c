"""Normalising, and the best of a distribution."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seqjax.decode.distribution import BLOCK, Next, best, log_sum, normalised


@pytest.mark.parametrize("size", (3, BLOCK, 5 * BLOCK, 12 * BLOCK - 1, 12 * BLOCK, 20 * BLOCK + 7))
@pytest.mark.parametrize("count", (1, 3, 6))
def test_the_best_are_those_of_top_k(size, count):
    """With many ties, rows of one value, and rows that are forbidden but for little."""
    rng = np.random.default_rng(size * 10 + count)
    values = rng.integers(0, 9, (40, size)).astype(np.float32)
    values[:10] = rng.normal(size=(10, size))
    values[10:14] = 1.0
    values[14:20][rng.random((6, size)) < 0.995] = -np.inf
    values[20] = -np.inf
    count = min(count, size)
    found, expected = jax.jit(best, static_argnums=1)(values, count), jax.lax.top_k(values, count)
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_array_equal(found[1], expected[1])


def test_what_is_normalised_adds_up_to_one_unless_everything_is_forbidden():
    logits = jnp.array([[1e30, 0.0, -1e30], [jnp.nan, jnp.inf, 3.0], [-jnp.inf] * 3])
    found = normalised(logits)
    np.testing.assert_array_equal(found[1], [-np.inf, -np.inf, 0.0])
    np.testing.assert_array_equal(found[2], [-np.inf] * 3)
    np.testing.assert_allclose(jnp.exp(found[0]).sum(), 1.0)
    assert float(log_sum(jnp.full((3,), -jnp.inf))) == 0.0


def test_what_comes_next_can_be_asked_in_three_ways():
    logits = jnp.array([[[0.5, -jnp.inf, 2.0]]])
    upcoming = Next(logits, log_sum(logits), ())
    everything = upcoming.log_probs()
    np.testing.assert_allclose(everything, normalised(logits), atol=1e-6)
    np.testing.assert_array_equal(
        upcoming.log_prob_of(jnp.array([[[2, 0]]])), everything[:, :, jnp.array([2, 0])]
    )
    log_probs, tokens = upcoming.best(5)
    assert tokens[0, 0].tolist() == [2, 0, 1]
    np.testing.assert_array_equal(log_probs[0, 0], everything[0, 0, tokens[0, 0]])

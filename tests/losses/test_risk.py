import jax
import jax.numpy as jnp
import numpy as np

from seqjax.losses import expected_costs

LOG_PROBS = jnp.array([[-1.0, -2.0, -0.5, -3.0], [-9.0, -1.0, -1.0, 0.0], [0.0, 0.0, 0.0, 0.0]])
COSTS = jnp.array([[0.5, 0.1, 0.9, 0.0], [1.0, 0.0, 0.3, 7.0], [1.0, 1.0, 1.0, 1.0]])
COUNTS = jnp.array([[True] * 4, [True, True, True, False], [False] * 4])


def by_hand(log_probs, alpha):
    found = []
    for row, costs, counts in zip(
        np.asarray(log_probs, np.float64), np.asarray(COSTS), np.asarray(COUNTS), strict=True
    ):
        weights = np.exp(alpha * row[counts])
        found.append(weights @ costs[counts] / weights.sum() if counts.any() else 0.0)
    return np.array(found)


def test_candidates_weigh_as_likely_as_they_are():
    for alpha in (1.0, 0.3, 0.005):
        got = expected_costs(LOG_PROBS, COSTS, COUNTS, alpha=alpha)
        np.testing.assert_allclose(got, by_hand(LOG_PROBS, alpha), rtol=1e-5)


def test_the_gradient_is_that_of_the_mean():
    ours = jax.grad(lambda z: jnp.sum(expected_costs(z, COSTS, COUNTS, alpha=0.3)))(LOG_PROBS)
    base = np.asarray(LOG_PROBS)
    for row in range(3):
        for place in range(4):
            moved = np.zeros((3, 4))
            moved[row, place] = 1e-5
            there, here = (by_hand(base + sign * moved, 0.3).sum() for sign in (1, -1))
            np.testing.assert_allclose(ours[row, place], (there - here) / 2e-5, atol=1e-6)


def test_what_does_not_count_may_be_anything():
    spoilt = jnp.where(COUNTS, LOG_PROBS, -jnp.inf)
    loss = lambda z, costs: jnp.sum(expected_costs(z, costs, COUNTS))
    clean = jax.value_and_grad(loss)(LOG_PROBS, COSTS)
    got = jax.value_and_grad(loss)(spoilt, jnp.where(COUNTS, COSTS, jnp.nan))
    np.testing.assert_array_equal(got[0], clean[0])
    np.testing.assert_array_equal(got[1], clean[1])

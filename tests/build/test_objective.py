import jax.numpy as jnp
import numpy as np
import pytest

from seqjax.build.objective import build_own_share
from seqjax.config import ObjectiveConfig


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


@pytest.mark.parametrize("curve", ["linear", "exponential", "inverse_sigmoid"])
def test_without_steps_the_share_is_there_at_once(curve):
    np.testing.assert_array_equal(share_at([1, 5], curve, steps=0), [0.5, 0.5])


def test_no_share_is_nothing():
    assert build_own_share(ObjectiveConfig()) is None

import jax.numpy as jnp
import numpy as np

from seqjax.lattice import wide

LOGS = np.array([-5000.0, -300.5, -87.4, -1.0, 0.0, 0.7, 88.7, 4000.25, -np.inf], np.float32)
"""Far below and above what float32 holds."""


def log_add(one, other):
    return float(np.logaddexp(np.float64(one), np.float64(other)))


def test_sums_and_products_have_the_digits_of_single_precision_at_any_size():
    ones, others = (side.reshape(-1) for side in np.meshgrid(LOGS, LOGS - np.float32(0.3)))
    one, other = wide.of_log(jnp.asarray(ones)), wide.of_log(jnp.asarray(others))
    total = wide.times(wide.add(one, other), wide.of_log(jnp.zeros(len(ones))))
    wanted = [log_add(*pair) for pair in zip(ones, others, strict=True)]
    np.testing.assert_allclose(wide.log(total), wanted, rtol=2e-7, atol=1e-6)
    product = wide.log(wide.times(one, other))
    np.testing.assert_allclose(product, np.float64(ones) + others, rtol=2e-7, atol=1e-6)
    exists = ones > -np.inf
    assert np.all((total.mantissa[exists] >= 1) & (total.mantissa[exists] < 2))


def test_nothing_stays_nothing():
    nothing = wide.of_log(jnp.full(1, -jnp.inf))
    for _ in range(40):
        nothing = wide.times(wide.add(nothing, nothing), nothing)
    assert nothing.exponent[0] == wide.NOTHING
    assert wide.log(nothing)[0] == -np.inf
    one = wide.of_log(jnp.zeros(1))
    assert wide.share(one, nothing, one)[0] == 0
    assert wide.share(one, one, nothing)[0] == 0


def test_a_share_is_what_it_is_of_the_whole():
    logs = np.array([[-900.0, -4.0, -905.0], [3.0, 2.0, 5.0], [-1.0, -2000.0, -1.0]], np.float32)
    parts = [wide.of_log(jnp.asarray(column)) for column in logs.T]
    wanted = np.exp(logs[:, 0] + logs[:, 1] - logs[:, 2])
    np.testing.assert_allclose(wide.share(*parts), wanted, rtol=1e-6, atol=1e-25)


def test_what_is_too_small_is_nothing_and_wraps_around_nowhere():
    small = np.array([-1e8, -1.9e8, -1e9, -3e9, -1e30, np.finfo(np.float32).min], np.float32)
    numbers = wide.of_log(jnp.asarray(small))
    np.testing.assert_allclose(wide.log(numbers)[0], small[0], rtol=1e-6)
    assert np.all(wide.log(numbers)[1:] == -np.inf)
    twice = wide.log(wide.times(numbers, numbers))
    assert np.all(twice == -np.inf)  # -2e8, of which the first is, is too small as well

import jax.numpy as jnp
import numpy as np
import pytest

from seqjax.unroll.scan import scan_steps


@pytest.mark.parametrize("reverse", (False, True))
def test_steps_without_weights_are_a_loop_that_passes_over_padding(reverse):
    rng = np.random.default_rng(0)
    inputs, lengths = rng.normal(size=(4, 3, 2)).astype(np.float32), (4, 2, 0)
    mask = np.arange(4)[:, None] < np.array(lengths)
    start = np.ones((3, 2), np.float32)
    step = lambda carry, x: (0.5 * carry + x, carry * x)
    carry, found = scan_steps(
        step, jnp.asarray(start), jnp.asarray(inputs), jnp.asarray(mask), reverse=reverse
    )
    for row, length in enumerate(lengths):
        state, wanted = start[row], np.zeros((4, 2), np.float32)
        for time in reversed(range(length)) if reverse else range(length):
            state, wanted[time] = step(state, inputs[time, row])
        np.testing.assert_allclose(carry[row], state, rtol=1e-6)
        np.testing.assert_allclose(found[:, row], wanted, rtol=1e-6)

"""What an sLSTM's state says does not depend on the scale that it is kept on."""

import jax.numpy as jnp
import numpy as np

from seqjax.cells.cell import carry_features
from seqjax.cells.slstm import SLSTMCarry, SLSTMCell


def test_features_of_a_state_know_no_scale():
    hidden, cell, normaliser = (jnp.array([[v, -v / 3]]) for v in (0.3, 0.8, 0.5))
    features = [
        carry_features(
            SLSTMCarry(
                hidden,
                cell * np.exp(-shift),
                jnp.abs(normaliser) * np.exp(-shift),
                jnp.full_like(cell, shift),
            )
        )
        for shift in (0.0, 3.0, -5.0)
    ]
    np.testing.assert_allclose(features[1], features[0], rtol=1e-6)
    np.testing.assert_allclose(features[2], features[0], rtol=1e-6)


def test_a_state_that_has_read_nothing_says_nothing():
    np.testing.assert_array_equal(carry_features(SLSTMCell(2, 3).initial_carry(2)), 0)

import jax
import jax.numpy as jnp
import numpy as np

from seqjax.cells.lstm import LSTMCell


def test_the_forget_bias_is_a_parameter_and_added_once():
    cell = LSTMCell(2, 3)
    params = cell.init(jax.random.key(0), cell.initial_carry(1), jnp.zeros((1, 2)))["params"]
    np.testing.assert_array_equal(params["bias"], [0] * 3 + [1] * 3 + [0] * 6)
    zeros = jax.tree.map(jnp.zeros_like, params)
    ones = cell.initial_carry(1)._replace(cell=jnp.ones((1, 3)))
    carry, _ = cell.apply({"params": zeros}, ones, jnp.zeros((1, 2)))
    np.testing.assert_allclose(carry.cell, 0.5)  # sigmoid(0), not sigmoid(1)


def test_recurrent_kernels_start_orthogonal_for_each_gate():
    cell = LSTMCell(2, 5)
    params = cell.init(jax.random.key(0), cell.initial_carry(1), jnp.zeros((1, 2)))["params"]
    for gate in np.split(np.asarray(params["recurrent_kernel"]), 4, axis=1):
        np.testing.assert_allclose(gate.T @ gate, np.eye(5), atol=1e-5)

"""What an LSTM starts from, and which weights its relatives have."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seqjax.cells.lstm import LSTMCell
from seqjax.cells.lstm_variant import VARIANTS


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


def test_chrono_biases_lie_between_one_step_and_the_longest():
    cell = LSTMCell(2, 500, longest=100)

    @jax.jit  # so that only what is returned is drawn
    def bias(key):
        return cell.init(key, cell.initial_carry(1), jnp.zeros((1, 2)))["params"]["bias"]

    i, f, g, o = np.split(np.asarray(bias(jax.random.key(0))), 4)
    np.testing.assert_array_equal(i, -f)
    np.testing.assert_array_equal(g, 0)
    assert 0 <= f.min() < 1 and np.log(80) < f.max() <= np.log(99)
    np.testing.assert_allclose(np.exp(f).mean(), 50, rtol=0.1)


@pytest.mark.parametrize(
    ("variant", "blocks"),
    (("standard", "ifgo"), ("no_input_gate", "fgo"), ("coupled", "igo"), ("no_output_gate", "ifg")),
)
def test_a_gate_that_is_not_there_has_no_weights(variant, blocks):
    cell = LSTMCell(2, 3, variant=VARIANTS[variant])
    assert cell.variant.blocks == blocks
    params = cell.init(jax.random.key(0), cell.initial_carry(1), jnp.zeros((1, 2)))["params"]
    assert params["bias"].shape == (3 * len(blocks),)
    assert ("peepholes" in params) == (variant != "standard")


def test_peepholes_of_zero_are_none_and_every_other_one_counts():
    """Where the old cell is empty, that of the output gate alone: it reads the new one."""
    plain, cell = LSTMCell(2, 3), LSTMCell(2, 3, variant=VARIANTS["peepholes"])
    inputs, empty = jnp.ones((1, 2)), plain.initial_carry(1)
    params = plain.init(jax.random.key(0), empty, inputs)["params"]

    def differs(peepholes, carry):
        expected, _ = plain.apply({"params": params}, carry, inputs)
        found, _ = cell.apply({"params": {**params, "peepholes": peepholes}}, carry, inputs)
        return bool(jnp.any(jnp.abs(found.hidden - expected.hidden) > 1e-3))

    full = empty._replace(cell=jnp.ones((1, 3)))
    assert not differs(jnp.zeros((3, 3)), full)
    one_by_one = [jnp.zeros((3, 3)).at[gate].set(0.5) for gate in range(3)]
    assert [differs(peepholes, full) for peepholes in one_by_one] == [True, True, True]
    assert [differs(peepholes, empty) for peepholes in one_by_one] == [False, False, True]


def test_the_output_gate_peeps_at_the_new_cell():
    """With i = 1 and f = 0 the new cell is g, and the old one must not matter."""
    cell = LSTMCell(1, 1, variant=VARIANTS["peepholes"])
    params = {
        "input_kernel": jnp.zeros((1, 4)),
        "recurrent_kernel": jnp.zeros((1, 4)),
        "bias": jnp.array([50.0, -50.0, 0.7, 0.2]),
        "peepholes": jnp.array([[0.0], [0.0], [1.5]]),
    }
    g = np.tanh(0.7)
    for before in (3.0, -3.0):
        carry = cell.initial_carry(1)._replace(cell=jnp.full((1, 1), before))
        _, output = cell.apply({"params": params}, carry, jnp.zeros((1, 1)))
        expected = np.tanh(g) / (1 + np.exp(-(0.2 + 1.5 * g)))
        np.testing.assert_allclose(output, [[expected]], rtol=1e-6)


def test_a_projection_must_be_narrower():
    cell = LSTMCell(2, 3, output_size=3)
    with pytest.raises(ValueError, match="output_size must be between 0 and hidden_size=3, got 3"):
        cell.init(jax.random.key(0), cell.initial_carry(1), jnp.zeros((1, 2)))

"""`unroll` against the equations, in every way through time."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from oracles import recurrent as oracle

from seqjax.cells.lstm import LSTMCarry, LSTMCell
from seqjax.unroll.unroll import unroll

METHODS = ("scan", "fused")
FEATURES, HIDDEN = 3, 4


class Layer(nn.Module):
    method: str = "auto"
    reverse: bool = False

    def setup(self):
        self.cell = LSTMCell(FEATURES, HIDDEN)

    def __call__(self, carry, inputs, lengths):
        return unroll(self.cell, carry, inputs, lengths, reverse=self.reverse, method=self.method)


def make(seed=0, lengths=(5, 2, 0, 4), time=6):
    """Random weights, a random state that is not zero, random inputs."""
    rng = np.random.default_rng(seed)
    draw = lambda *shape: jnp.asarray(rng.normal(size=shape), jnp.float32)
    batch = len(lengths)
    params = {
        "cell": {
            "input_kernel": draw(FEATURES, 4 * HIDDEN),
            "recurrent_kernel": draw(HIDDEN, 4 * HIDDEN),
            "bias": draw(4 * HIDDEN),
        }
    }
    carry = LSTMCarry(draw(batch, HIDDEN), draw(batch, HIDDEN))
    return params, carry, draw(batch, time, FEATURES), jnp.asarray(lengths)


def run(method, reverse, params, carry, inputs, lengths):
    return Layer(method, reverse).apply({"params": params}, carry, inputs, lengths)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("reverse", (False, True))
def test_unroll_is_the_equations(method, reverse):
    params, carry, inputs, lengths = make()
    final, outputs = run(method, reverse, params, carry, inputs, lengths)
    weights = [np.float64(params["cell"][n]) for n in ("input_kernel", "recurrent_kernel", "bias")]
    expected, hidden, cell = oracle.lstm(
        *weights,
        np.float64(carry.hidden),
        np.float64(carry.cell),
        np.float64(inputs),
        np.asarray(lengths),
        reverse=reverse,
    )
    np.testing.assert_allclose(outputs, expected, atol=2e-5)
    np.testing.assert_allclose(final.hidden, hidden, atol=2e-5)
    np.testing.assert_allclose(final.cell, cell, atol=2e-5)


@pytest.mark.parametrize("reverse", (False, True))
def test_fused_and_scan_have_the_same_gradients(reverse):
    params, carry, inputs, lengths = make()
    rng = np.random.default_rng(1)
    weight = [jnp.asarray(rng.normal(size=s), jnp.float32) for s in ((4, 6, 4), (4, 4), (4, 4))]

    def loss(method, params, carry, inputs):
        final, outputs = run(method, reverse, params, carry, inputs, lengths)
        parts = zip((outputs, final.hidden, final.cell), weight, strict=True)
        return sum(jnp.sum(jnp.sin(value) * w) for value, w in parts)

    expected, got = (
        jax.grad(loss, argnums=(1, 2, 3))(method, params, carry, inputs) for method in METHODS
    )
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), got, expected)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("reverse", (False, True))
def test_gradients_are_finite_differences(method, reverse):
    with jax.enable_x64(True):
        params, carry, inputs, lengths = jax.tree.map(
            lambda leaf: jnp.asarray(leaf, jnp.float64) if leaf.dtype == jnp.float32 else leaf,
            make(lengths=(3, 0, 2), time=3),
        )

        def loss(params, carry, inputs):
            final, outputs = run(method, reverse, params, carry, inputs, lengths)
            return jnp.sum(jnp.sin(outputs)) + jnp.sum(final.hidden * final.cell)

        arguments = (params, carry, inputs)
        gradient = jax.grad(loss, argnums=(0, 1, 2))(*arguments)
        rng = np.random.default_rng(2)
        direction = jax.tree.map(lambda leaf: jnp.asarray(rng.normal(size=leaf.shape)), arguments)
        step = 1e-5
        moved = [
            loss(*jax.tree.map(lambda leaf, d, s=s: leaf + s * step * d, arguments, direction))
            for s in (1, -1)
        ]
        slope = sum(
            jnp.vdot(g, d)
            for g, d in zip(jax.tree.leaves(gradient), jax.tree.leaves(direction), strict=True)
        )
        np.testing.assert_allclose(slope, (moved[0] - moved[1]) / (2 * step), rtol=1e-7)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("garbage", (1e6, np.nan, np.inf))
def test_garbage_at_padding_changes_no_value_and_no_gradient(method, garbage):
    params, carry, inputs, lengths = make()
    padding = np.arange(inputs.shape[1]) >= np.asarray(lengths)[:, None]
    spoilt = jnp.where(padding[..., None], garbage, inputs)

    def loss(params, inputs):
        final, outputs = run(method, False, params, carry, inputs, lengths)
        return jnp.sum(outputs**2) + jnp.sum(final.cell**2)

    for one, other in zip(
        jax.tree.leaves(jax.value_and_grad(loss, argnums=(0, 1))(params, inputs)),
        jax.tree.leaves(jax.value_and_grad(loss, argnums=(0, 1))(params, spoilt)),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("method", METHODS)
def test_an_empty_row_keeps_its_carry_and_outputs_zeros(method):
    params, carry, inputs, lengths = make()
    final, outputs = run(method, False, params, carry, inputs, lengths)
    np.testing.assert_array_equal(final.hidden[2], carry.hidden[2])
    np.testing.assert_array_equal(final.cell[2], carry.cell[2])
    np.testing.assert_array_equal(outputs[2], 0)


@pytest.mark.parametrize("method", METHODS)
def test_a_sequence_cut_in_two_gives_what_the_whole_gives(method):
    params, carry, inputs, _ = make(time=6)
    lengths = jnp.array([6, 2, 0, 4])
    final, outputs = run(method, False, params, carry, inputs, lengths)
    middle, first = run(method, False, params, carry, inputs[:, :3], jnp.minimum(lengths, 3))
    end, second = run(method, False, params, middle, inputs[:, 3:], jnp.maximum(lengths - 3, 0))
    np.testing.assert_allclose(jnp.concatenate([first, second], axis=1), outputs, atol=1e-6)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6), end, final)


@pytest.mark.parametrize("method", METHODS)
def test_permuting_the_batch_permutes_the_outputs(method):
    params, carry, inputs, lengths = make()
    order = jnp.array([2, 0, 3, 1])
    _, outputs = run(method, False, params, carry, inputs, lengths)
    moved = jax.tree.map(lambda leaf: leaf[order], carry)
    _, permuted = run(method, False, params, moved, inputs[order], lengths[order])
    np.testing.assert_allclose(permuted, outputs[order], atol=1e-6)


def test_jit_is_eager():
    arguments = make()
    for method in METHODS:
        eager = run(method, True, *arguments)
        jitted = jax.jit(lambda *a, m=method: run(m, True, *a))(*arguments)
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6), jitted, eager)


def test_a_users_own_cell_runs_like_a_built_in_one():
    class Counter(nn.Module):
        """Adds up its inputs; has no `project`."""

        @nn.compact
        def __call__(self, carry, inputs):
            carry = carry + nn.Dense(2, use_bias=False)(inputs)
            return carry, carry

    class Outer(nn.Module):
        @nn.compact
        def __call__(self, inputs, lengths):
            return unroll(Counter(), jnp.zeros((2, 2)), inputs, lengths)

    inputs, lengths = jnp.ones((2, 3, 1)), jnp.array([3, 1])
    variables = Outer().init(jax.random.key(0), inputs, lengths)
    final, outputs = Outer().apply(variables, inputs, lengths)
    kernel = variables["params"]["Counter_0"]["Dense_0"]["kernel"][0]
    np.testing.assert_allclose(final, np.outer([3, 1], kernel), rtol=1e-6)
    np.testing.assert_allclose(outputs[0], np.outer([1, 2, 3], kernel), rtol=1e-6)
    np.testing.assert_array_equal(outputs[1, 1:], 0)


def test_fused_refuses_what_is_not_an_lstm():
    class Outer(nn.Module):
        @nn.compact
        def __call__(self, inputs, lengths):
            return unroll(nn.Dense(2), jnp.zeros((2, 2)), inputs, lengths, method="fused")

    with pytest.raises(ValueError, match="fused.*Dense"):
        Outer().init(jax.random.key(0), jnp.ones((2, 3, 1)), jnp.array([3, 1]))

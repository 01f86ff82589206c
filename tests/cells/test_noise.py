"""What is dropped: how much, when, and the same at all times where it should be."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seqjax.cells.lstm import LSTMCell
from seqjax.cells.noise import kept, noisy
from seqjax.cells.zoneout import Zoneout
from seqjax.unroll.unroll import unroll

KEY = jax.random.key(0)
NOISY = {"state": {"state_dropout": 0.5}, "connections": {"connection_dropout": 0.5}}


class Layer(nn.Module):
    cell: nn.Module
    method: str = "auto"

    def __call__(self, inputs, lengths):
        carry = self.cell.initial_carry(inputs.shape[0])
        return unroll(self.cell, carry, inputs, lengths, method=self.method)


def layers(noise):
    """The same weights in a noisy and in a quiet layer."""
    noisy_cell = Zoneout(LSTMCell(2, 8), 0.3, 0.3) if noise == "zoneout" else None
    layer = Layer(noisy_cell or LSTMCell(2, 8, **NOISY[noise]))
    inputs = jax.random.normal(KEY, (3, 5, 2))
    lengths = jnp.array([5, 2, 0])
    return layer, layer.init(KEY, inputs, lengths), inputs, lengths


@pytest.mark.parametrize("noise", ("state", "connections", "zoneout"))
def test_noise_needs_a_key_and_follows_it(noise):
    layer, variables, inputs, lengths = layers(noise)
    run = lambda seed: layer.apply(
        variables, inputs, lengths, rngs={} if seed is None else {"dropout": jax.random.key(seed)}
    )[1]
    np.testing.assert_array_equal(run(None), run(None))
    np.testing.assert_array_equal(run(1), run(1))
    assert bool(jnp.any(run(1) != run(2))) and bool(jnp.any(run(1) != run(None)))
    np.testing.assert_array_equal(run(1)[1, 2:], 0)


@pytest.mark.parametrize("noise", ("state", "connections"))
def test_a_quiet_cell_is_the_plain_one(noise):
    layer, variables, inputs, lengths = layers(noise)
    expected = Layer(LSTMCell(2, 8)).apply(variables, inputs, lengths)
    found = layer.apply(variables, inputs, lengths)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6), found, expected)


def test_what_is_drawn_stays_the_same_at_all_times():
    """An LSTM that only its state moves: a unit that is dropped is dropped at every step."""
    cell = LSTMCell(1, 4, state_dropout=0.5)

    class Watched(nn.Module):
        def setup(self):
            self.cell = cell.clone(parent=None)

        def __call__(self):
            kernel, mask = self.cell.draw(3)
            again = [self.cell.recur(carry, jnp.zeros((3, 16)), (kernel, mask)) for carry in ones]
            return mask, again

    ones = [cell.initial_carry(3)._replace(hidden=jnp.ones((3, 4)))] * 2
    watched = Watched()
    variables = watched.init(KEY)
    mask, (first, second) = watched.apply(variables, rngs={"dropout": KEY})
    assert set(np.unique(mask)) == {0.0, 2.0}
    jax.tree.map(np.testing.assert_array_equal, first, second)


@pytest.mark.parametrize("method", ("scan", "fused"))
def test_a_dropped_unit_is_dropped_at_every_step_of_a_sequence(method):
    """Of units that each feed themselves alone: one goes the way of the kept or of the dropped."""
    size = 16
    layer = Layer(LSTMCell(1, size, state_dropout=0.5), method)

    def way(scale, rngs):
        weights = {
            "input_kernel": jnp.zeros((1, 4 * size)),
            "recurrent_kernel": scale * jnp.tile(jnp.eye(size), 4),
            "bias": jnp.full((4 * size,), 0.5),
        }
        arguments = jnp.zeros((3, 6, 1)), jnp.full((3,), 6)
        return layer.apply({"params": {"cell": weights}}, *arguments, rngs=rngs)[1]

    noisy, twice, never = way(1.0, {"dropout": KEY}), way(2.0, {}), way(0.0, {})
    is_kept, is_dropped = (jnp.all(abs(noisy - one) < 1e-6, axis=1) for one in (twice, never))
    np.testing.assert_array_equal(is_kept, ~is_dropped)
    assert 0.2 < float(jnp.mean(is_dropped)) < 0.8


def test_zoneout_draws_anew_at_every_step_of_a_sequence():
    layer = Layer(Zoneout(LSTMCell(2, 64), 0.5, 0.0))
    arguments = jax.random.normal(KEY, (3, 5, 2)), jnp.full((3,), 5)
    _, outputs = layer.apply(layer.init(KEY, *arguments), *arguments, rngs={"dropout": KEY})
    stayed = outputs[:, 1:] == outputs[:, :-1]
    np.testing.assert_allclose(jnp.mean(stayed, axis=(0, 2)), 0.5, atol=0.15)
    np.testing.assert_allclose(jnp.mean(stayed[:, 1:] == stayed[:, :-1]), 0.5, atol=0.15)


def test_the_kept_share_is_the_one_asked_for_and_the_mean_stays():
    class Module(nn.Module):
        @nn.compact
        def __call__(self):
            return kept(self, 0.3, jnp.ones((200, 200))), noisy(self)

    values, was_noisy = Module().apply({}, rngs={"dropout": KEY})
    assert was_noisy
    np.testing.assert_allclose(jnp.mean(values == 0), 0.3, atol=0.01)
    np.testing.assert_allclose(jnp.mean(values), 1, atol=0.02)
    values, was_noisy = Module().apply({})
    assert not was_noisy and bool(jnp.all(values == 1))


def test_zoneout_keeps_old_values_or_mixes_them():
    cell = Zoneout(LSTMCell(2, 400), hidden_rate=0.1, rate=0.6)
    carry = cell.initial_carry(1)._replace(
        hidden=jnp.full((1, 400), 9.0), cell=jnp.full((1, 400), 9.0)
    )
    inputs = jnp.ones((1, 2))
    variables = cell.init(KEY, carry, inputs)
    inner = {"params": variables["params"]["cell"]}
    new, _ = LSTMCell(2, 400).apply(inner, carry, inputs)
    learning, output = cell.apply(variables, carry, inputs, rngs={"dropout": KEY})
    np.testing.assert_array_equal(output, learning.hidden)
    for name, rate in (("hidden", 0.1), ("cell", 0.6)):
        old, got, fresh = (np.asarray(getattr(c, name)) for c in (carry, learning, new))
        stayed = got == old
        np.testing.assert_allclose(got[~stayed], fresh[~stayed], rtol=1e-6)
        np.testing.assert_allclose(stayed.mean(), rate, atol=0.08)
    used, _ = cell.apply(variables, carry, inputs)
    np.testing.assert_allclose(used.cell, 0.6 * carry.cell + 0.4 * new.cell, rtol=1e-6)
    np.testing.assert_allclose(used.hidden, 0.1 * carry.hidden + 0.9 * new.hidden, rtol=1e-6)

"""Flax linen's cells under `nn.RNN`, always there to be asked."""

import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from interop.stacks import (
    HIDDEN,
    LENGTHS,
    TOLERANCE,
    Sequences,
    assert_same,
    distance,
    random_sequences,
    random_stack,
    run,
)

from seqjax.interop.flax import from_flax, to_flax

CELLS = {
    "lstm": ("lstm", nn.LSTMCell),
    "lstm optimized": ("lstm", nn.OptimizedLSTMCell),
    "gru": ("gru", nn.GRUCell),
    "rnn": ("rnn", nn.SimpleCell),
    "rnn relu": ("rnn_relu", functools.partial(nn.SimpleCell, activation_fn=jax.nn.relu)),
}


def run_flax(cell_fn, trees, given):
    """Runs layers of `nn.RNN`; the carry of its LSTM is cell first."""
    values, ends = jnp.asarray(given.values), []
    for directions in trees:
        outputs = []
        for backward, tree in enumerate(directions):
            layer = nn.RNN(cell_fn(HIDDEN), reverse=bool(backward), keep_order=True)
            hidden = given.hidden[len(ends)]
            carry = hidden if given.cell is None else (given.cell[len(ends)], hidden)
            end, output = layer.apply(
                {"params": {"cell": tree}},
                values,
                initial_carry=carry,
                seq_lengths=jnp.asarray(LENGTHS),
                return_carry=True,
            )
            ends.append((end,) if given.cell is None else end[::-1])
            outputs.append(output)
        values = jnp.concatenate(outputs, axis=-1)
    return Sequences(values, *(np.stack(part) for part in zip(*ends, strict=True)))


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize(("layers", "directions"), ((1, 1), (1, 2), (2, 2)))
def test_we_answer_as_flax_does(name, layers, directions):
    kind, cell_fn = CELLS[name]
    stack = random_stack(kind, layers, directions)
    given = random_sequences(stack, kind)
    expected = run_flax(cell_fn, to_flax(stack, kind), given)
    assert distance(run(stack, kind, given), expected) < TOLERANCE


@pytest.mark.parametrize("name", CELLS)
def test_trees_are_those_that_flax_makes(name):
    kind, cell_fn = CELLS[name]
    layer = nn.Bidirectional(nn.RNN(cell_fn(HIDDEN)), nn.RNN(cell_fn(HIDDEN)))
    made = layer.init(jax.random.key(0), jnp.zeros((1, 2, 5)))["params"]
    trees = ((made["forward_rnn"]["cell"], made["backward_rnn"]["cell"]),)
    stack = from_flax(trees, kind)
    assert_same(to_flax(stack, kind), jax.tree.map(np.asarray, trees))


def test_valid_outputs_of_flax_reach_the_layer_above():
    """Its outputs at padding are not zeros; the layer above must not read them, and does not."""
    stack = random_stack("lstm", 2, 2)
    given = random_sequences(stack, "lstm")
    spoilt = given._replace(values=given.values.copy())
    spoilt.values[1, LENGTHS[1] :] = 1e3
    one, other = (run_flax(nn.LSTMCell, to_flax(stack, "lstm"), s) for s in (given, spoilt))
    assert distance(one, other) == 0.0

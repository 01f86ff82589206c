"""`unroll` against the equations: every cell, in every way through time that takes it."""

import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from oracles import recurrent as oracle
from unroll.cases import CASES, FEATURES, HIDDEN, WAYS

from seqjax.cells.cell import RecurrentCell
from seqjax.cells.lstm import LSTMCell
from seqjax.cells.minimal import MinGRUCell
from seqjax.cells.slstm import NOTHING_YET, SLSTMCarry
from seqjax.unroll.unroll import unroll

LENGTHS = (5, 2, 0, 4)
TIME = 6

# The other ways, and reading backwards, differ in nothing that these do not show; all are `slow`.
CHECKED = [("lstm", "scan"), ("lstm", "fused"), ("gru", "fused"), ("slstm", "fused")]
CHECKED += [("min lstm", "parallel"), ("lstm projected", "fused")]
either_way = pytest.mark.parametrize(
    "reverse", (False, pytest.param(True, marks=pytest.mark.slow)), ids=("forward", "backward")
)
every_way = pytest.mark.parametrize(("name", "method"), WAYS)


class Outer(nn.Module):
    cell: RecurrentCell
    method: str = "auto"
    reverse: bool = False
    keep_every: int | None = None

    def __call__(self, carry, inputs, lengths):
        return unroll(
            self.cell,
            carry,
            inputs,
            lengths,
            reverse=self.reverse,
            method=self.method,
            keep_every=self.keep_every,
        )


@functools.cache
def make(name):
    """Random weights, a random state that is not zero, random inputs."""
    rng = np.random.default_rng(0)
    draw = lambda leaf: jnp.asarray(rng.normal(size=leaf.shape), jnp.float32)
    cell = CASES[name].cell_fn()
    carry = jax.tree.map(draw, cell.initial_carry(len(LENGTHS)))
    if isinstance(carry, SLSTMCarry):
        carry = carry._replace(normaliser=1 + jnp.abs(carry.normaliser))
    inputs, lengths = draw(np.zeros((len(LENGTHS), TIME, FEATURES))), jnp.array(LENGTHS)
    params = Outer(cell).init(jax.random.key(0), carry, inputs, lengths)["params"]
    return jax.tree.map(draw, params), carry, inputs, lengths


@functools.cache
def runner(name, method, reverse=False, keep_every=None):
    layer = Outer(CASES[name].cell_fn(), method, reverse, keep_every)

    def loss(params, carry, inputs, lengths):
        """Sees every output and every leaf of the last carry."""
        found = layer.apply({"params": params}, carry, inputs, lengths)
        leaves = jax.tree.leaves(found)
        waves = [jnp.cos(jnp.arange(leaf.size, dtype=leaf.dtype)) for leaf in leaves]
        parts = zip(leaves, waves, strict=True)
        total = sum(jnp.sum(jnp.sin(leaf) * wave.reshape(leaf.shape)) for leaf, wave in parts)
        return total, found

    return jax.jit(jax.value_and_grad(loss, argnums=(0, 1, 2), has_aux=True))


def run(name, method, *arguments, reverse=False):
    """Returns the last carry and the outputs."""
    (_, found), _ = runner(name, method, reverse)(*arguments)
    return found


def loss_and_gradients(name, method, *arguments, reverse=False):
    """Returns a loss that sees everything, and its gradients to weights, carry and inputs."""
    (loss, _), gradients = runner(name, method, reverse)(*arguments)
    return loss, gradients


def assert_close(one, other, tolerance):
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=tolerance), one, other)


@every_way
@either_way
def test_unroll_is_the_equations(name, method, reverse):
    params, carry, inputs, lengths = make(name)
    final, outputs = run(name, method, params, carry, inputs, lengths, reverse=reverse)
    double = lambda tree: jax.tree.map(np.float64, tree)
    expected, expected_final = oracle.run(
        CASES[name].step,
        double(params["cell"]),
        tuple(double(jax.tree.leaves(carry))),
        np.float64(inputs),
        np.asarray(lengths),
        reverse=reverse,
    )
    np.testing.assert_allclose(outputs, expected, atol=2e-5)
    if isinstance(final, SLSTMCarry):  # the equations know no scale
        scale = jnp.exp(final.stabiliser)
        final = SLSTMCarry(final.hidden, final.cell * scale, final.normaliser * scale, 0 * scale)
        scale = np.exp(expected_final[3])[:, :]
        expected_final = (
            expected_final[0],
            expected_final[1] * scale,
            expected_final[2] * scale,
            0 * scale,
        )
    for leaf, wanted in zip(jax.tree.leaves(final), expected_final, strict=True):
        np.testing.assert_allclose(leaf, wanted, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("name", CASES)
def test_unroll_is_a_loop_over_the_cell(name):
    params, carry, inputs, lengths = make(name)
    arguments = params, carry, inputs, jnp.full_like(lengths, TIME)
    final, outputs = run(name, CASES[name].methods[1], *arguments)
    # A rectifier has no bound: one unit in the last place of 14 is 1e-6 already.
    within = 1e-6 * max(1.0, float(jnp.max(jnp.abs(outputs))))
    step = jax.jit(CASES[name].cell_fn().apply)
    for time in range(TIME):
        carry, output = step({"params": params["cell"]}, carry, inputs[:, time])
        np.testing.assert_allclose(outputs[:, time], output, atol=within)
    assert_close(final, carry, within)


@pytest.mark.parametrize("name", CASES)
@either_way
def test_every_way_has_the_gradients_of_the_reference(name, reverse):
    arguments = make(name)
    expected = loss_and_gradients(name, "scan", *arguments, reverse=reverse)
    got = loss_and_gradients(name, CASES[name].methods[1], *arguments, reverse=reverse)
    assert_close(got, expected, 1e-5)


@pytest.mark.parametrize(
    ("name", "method"),
    [pytest.param(*way, marks=[] if way in CHECKED else pytest.mark.slow) for way in WAYS],
)
def test_gradients_are_finite_differences(name, method):
    params, carry, inputs, lengths = make(name)
    with jax.enable_x64(True):
        double = lambda leaf: jnp.asarray(leaf, jnp.float64)
        arguments = jax.tree.map(double, (params, carry, inputs))
        _, gradient = loss_and_gradients(name, method, *arguments, lengths)
        rng = np.random.default_rng(2)
        direction = jax.tree.map(lambda leaf: jnp.asarray(rng.normal(size=leaf.shape)), arguments)
        step = 1e-6
        moved = [
            loss_and_gradients(
                name,
                method,
                *jax.tree.map(lambda leaf, d, s=s: leaf + s * step * d, arguments, direction),
                lengths,
            )[0]
            for s in (1, -1)
        ]
        slope = sum(
            jnp.vdot(g, d)
            for g, d in zip(jax.tree.leaves(gradient), jax.tree.leaves(direction), strict=True)
        )
        np.testing.assert_allclose(slope, (moved[0] - moved[1]) / (2 * step), rtol=1e-6)


@every_way
def test_garbage_at_padding_changes_no_value_and_no_gradient(name, method):
    params, carry, inputs, lengths = make(name)
    padding = np.arange(TIME) >= np.asarray(lengths)[:, None]
    expected = loss_and_gradients(name, method, params, carry, inputs, lengths)
    for garbage in (1e6, np.nan, np.inf):
        spoilt = jnp.where(padding[..., None], garbage, inputs)
        found = loss_and_gradients(name, method, params, carry, spoilt, lengths)
        jax.tree.map(np.testing.assert_array_equal, found, expected)
    np.testing.assert_array_equal(np.asarray(expected[1][2])[padding], 0)


@every_way
def test_an_empty_row_keeps_its_carry_and_outputs_zeros(name, method):
    params, carry, inputs, lengths = make(name)
    final, outputs = run(name, method, params, carry, inputs, lengths)
    jax.tree.map(lambda a, b: np.testing.assert_array_equal(a[2], b[2]), final, carry)
    np.testing.assert_array_equal(outputs[2], 0)
    np.testing.assert_array_equal(outputs[1, 2:], 0)


@every_way
def test_a_sequence_cut_in_two_gives_what_the_whole_gives(name, method):
    params, carry, inputs, lengths = make(name)
    final, outputs = run(name, method, params, carry, inputs, lengths)
    middle, first = run(name, method, params, carry, inputs, jnp.minimum(lengths, 3))
    rest = jnp.roll(inputs, -3, axis=1)
    end, second = run(name, method, params, middle, rest, jnp.maximum(lengths - 3, 0))
    assert_close(jnp.concatenate([first[:, :3], second[:, :3]], axis=1), outputs, 1e-5)
    assert_close(end, final, 1e-5)


@pytest.mark.parametrize(("name", "method"), CHECKED)
@pytest.mark.parametrize("reverse", (False, True), ids=("forward", "backward"))
def test_of_no_steps_and_of_no_rows_there_is_nothing(name, method, reverse):
    params, carry, inputs, lengths = make(name)
    layer = Outer(CASES[name].cell_fn(), method, reverse)
    final, outputs = layer.apply({"params": params}, carry, inputs[:, :0], 0 * lengths)
    jax.tree.map(np.testing.assert_array_equal, final, carry)
    assert outputs.shape == (len(LENGTHS), 0, layer.cell.width)
    none = jax.tree.map(lambda leaf: leaf[:0], (carry, inputs, lengths))
    final, outputs = layer.apply({"params": params}, *none)
    assert jax.tree.map(jnp.shape, final) == jax.tree.map(jnp.shape, none[0])
    assert outputs.shape == (0, TIME, layer.cell.width)


@pytest.mark.parametrize("method", ("scan", "fused"))
def test_weights_know_nothing_of_time(method):
    cell = LSTMCell(FEATURES, HIDDEN)
    carry = cell.initial_carry(1)
    one, many = (
        Outer(cell, method).init(
            jax.random.key(0), carry, jnp.ones((1, time, FEATURES)), jnp.array([1])
        )
        for time in (1, 7)
    )
    jax.tree.map(np.testing.assert_array_equal, one, many)
    alone = cell.init(jax.random.key(0), carry, jnp.ones((1, FEATURES)))["params"]
    shapes = functools.partial(jax.tree.map, jnp.shape)
    assert shapes(one["params"]["cell"]) == shapes(alone)


@every_way
def test_permuting_the_batch_permutes_the_outputs(name, method):
    params, carry, inputs, lengths = make(name)
    order = jnp.array([2, 0, 3, 1])
    expected = jax.tree.map(
        lambda leaf: leaf[order], run(name, method, params, carry, inputs, lengths)
    )
    moved = jax.tree.map(lambda leaf: leaf[order], (carry, inputs, lengths))
    assert_close(run(name, method, params, *moved), expected, 1e-6)


@every_way
def test_a_row_alone_is_the_row_in_its_batch(name, method):
    params, carry, inputs, lengths = make(name)
    final, outputs = run(name, method, params, carry, inputs, lengths)
    # The same shape, so that nothing is compiled anew: the row, and rows without a step.
    alone = jnp.where(jnp.arange(len(LENGTHS)) == 1, lengths, 0)
    other_final, other = run(name, method, params, carry, 3 * inputs.at[1].divide(3), alone)
    np.testing.assert_allclose(other[1], outputs[1], atol=1e-6)
    assert_close(
        jax.tree.map(lambda leaf: leaf[1], other_final),
        jax.tree.map(lambda leaf: leaf[1], final),
        1e-6,
    )


@pytest.mark.parametrize(
    ("name", "method"),
    [pytest.param(*way, marks=[] if way in CHECKED else pytest.mark.slow) for way in WAYS],
)
def test_reading_backwards_is_reading_the_reversed_row(name, method):
    params, carry, inputs, lengths = make(name)
    index = np.array([[(n - 1 - t) if t < n else t for t in range(TIME)] for n in LENGTHS])
    flip = lambda values: jnp.take_along_axis(values, index[..., None], axis=1)
    final, outputs = run(name, method, params, carry, inputs, lengths, reverse=True)
    other_final, other = run(name, method, params, carry, flip(inputs), lengths)
    np.testing.assert_allclose(flip(other), outputs, atol=1e-6)
    assert_close(other_final, final, 1e-6)


@every_way
def test_extreme_inputs_stay_finite(name, method):
    params, carry, inputs, lengths = make(name)
    if name == "rnn relu":
        pytest.skip("what a rectifier lets through grows with every step")
    found = loss_and_gradients(name, method, params, carry, 1e4 * jnp.sign(inputs), lengths)
    assert all(bool(jnp.all(jnp.isfinite(leaf))) for leaf in jax.tree.leaves(found))


@pytest.mark.parametrize("name", ("lstm", "lstm peepholes", "gru", "mgu", "rnn", "slstm"))
def test_what_a_tanh_bounds_stays_bounded_under_extreme_inputs(name):
    params, _, inputs, lengths = make(name)
    carry = CASES[name].cell_fn().initial_carry(len(LENGTHS))
    _, outputs = run(name, "fused", params, carry, 1e4 * jnp.sign(inputs), lengths)
    assert bool(jnp.all(jnp.abs(outputs) <= 1))


def test_an_slstm_starts_from_nothing_whatever_its_first_gate_is():
    """With nothing in it, a cell shows what it is given first: the scale has no say."""
    params, carry, inputs, lengths = make("slstm")
    carry = jax.tree.map(jnp.zeros_like, carry)
    carry = carry._replace(stabiliser=jnp.full_like(carry.stabiliser, NOTHING_YET))
    for shift in (-200.0, 0.0, 200.0):
        size = HIDDEN
        bias = params["cell"]["bias"].at[:size].add(shift)
        shifted = {"cell": {**params["cell"], "bias": bias}}
        _, outputs = run("slstm", "scan", shifted, carry, inputs, lengths)
        gates = inputs[0, 0] @ params["cell"]["input_kernel"] + bias
        expected = jax.nn.sigmoid(gates[3 * size :]) * jnp.tanh(gates[2 * size : 3 * size])
        np.testing.assert_allclose(outputs[0, 0], expected, atol=1e-6)


def test_a_users_own_cell_runs_like_a_built_in_one():
    class Counter(nn.Module):
        """Adds up its inputs."""

        width: int = 2

        def initial_carry(self, rows):
            return jnp.zeros((rows, self.width))

        @nn.compact
        def __call__(self, carry, inputs):
            carry = carry + nn.Dense(self.width, use_bias=False)(inputs)
            return carry, carry

    layer = Outer(Counter())
    arguments = jnp.zeros((2, 2)), jnp.ones((2, 3, 1)), jnp.array([3, 1])
    variables = layer.init(jax.random.key(0), *arguments)
    final, outputs = layer.apply(variables, *arguments)
    kernel = variables["params"]["cell"]["Dense_0"]["kernel"][0]
    np.testing.assert_allclose(final, np.outer([3, 1], kernel), rtol=1e-6)
    np.testing.assert_allclose(outputs[0], np.outer([1, 2, 3], kernel), rtol=1e-6)
    np.testing.assert_array_equal(outputs[1, 1:], 0)


@pytest.mark.parametrize(("name", "method"), (("min gru", "fused"), ("lstm", "parallel")))
def test_a_way_that_does_not_take_the_cell_is_refused(name, method):
    params, *arguments = make(name)
    cell = CASES[name].cell_fn()
    with pytest.raises(ValueError, match=f"'{method}' takes a .*, got {type(cell).__name__}"):
        Outer(cell, method).apply({"params": params}, *arguments)


@pytest.mark.parametrize("name", ("lstm", "min gru"))
@pytest.mark.parametrize("reverse", (False, True), ids=("forward", "backward"))
def test_keeping_less_changes_nothing(name, reverse):
    arguments, method = make(name), CASES[name].methods[1]
    whole = runner(name, method, reverse)(*arguments)
    for keep_every in (4, 99):
        found = runner(name, method, reverse, keep_every)(*arguments)
        assert_close(found, whole, 1e-5)


@pytest.mark.parametrize(
    "cell",
    (LSTMCell(8, 32), pytest.param(MinGRUCell(8, 32), marks=pytest.mark.slow)),
    ids=("lstm", "min gru"),
)
def test_keeping_less_takes_less_memory(cell):
    inputs, lengths = jnp.ones((4, 1024, 8)), jnp.full((4,), 1024)
    carry = cell.initial_carry(4)

    def scratch(keep_every):
        layer = Outer(cell, keep_every=keep_every)
        variables = jax.eval_shape(layer.init, jax.random.key(0), carry, inputs, lengths)
        loss = lambda v: jnp.sum(layer.apply(v, carry, inputs, lengths)[1] ** 2)
        compiled = jax.jit(jax.grad(loss)).lower(variables).compile()
        return compiled.memory_analysis().temp_size_in_bytes

    assert scratch(32) < 0.5 * scratch(None)


def test_the_last_state_is_had_without_the_history():
    """Where nobody asks for outputs, a chunk at a time is all there is, and never a history."""
    cell, shape = LSTMCell(4, 32), (4, 1024, 4)
    carry, lengths = cell.initial_carry(4), jnp.full((4,), 1024)
    layer = Outer(cell, keep_every=32)
    inputs = jax.ShapeDtypeStruct(shape, jnp.float32)
    variables = jax.eval_shape(layer.init, jax.random.key(0), carry, inputs, lengths)
    last = jax.jit(lambda v, inputs: layer.apply(v, carry, inputs, lengths)[0])
    memory = last.lower(variables, inputs).compile().memory_analysis()
    history = 4 * 1024 * 32 * 4  # bytes of all hidden states
    assert memory.temp_size_in_bytes < 0.75 * history


def test_the_reference_keeps_everything():
    params, *arguments = make("lstm")
    with pytest.raises(ValueError, match="keep_every must be None for method 'scan', got 3"):
        Outer(CASES["lstm"].cell_fn(), "scan", keep_every=3).apply({"params": params}, *arguments)

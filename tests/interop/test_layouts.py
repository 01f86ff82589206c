"""Every layout read right gives the equations; read in any other order of blocks it does not."""

import itertools

import jax
import numpy as np
import pytest
from interop.layouts import FORMATS, PAIRS, draw_blocks, ours
from interop.stacks import (
    DIFFERENT,
    HIDDEN,
    TOLERANCE,
    assert_same,
    distance,
    normal,
    random_sequences,
    random_stack,
    run,
    run_equations,
)

from seqjax.interop.flax import to_flax
from seqjax.interop.onnx import from_onnx, to_onnx
from seqjax.interop.torch import from_torch, to_torch

every_pair = pytest.mark.parametrize(("name", "kind"), PAIRS)

# kind, layers, directions, what else: a format takes those that it has a place for
OUTLINES = {
    "lstm": ("lstm", 1, 1, {}),
    "lstm deep": ("lstm", 2, 2, {}),
    "lstm projected": ("lstm", 2, 2, {"projection": 2}),
    "lstm peepholes": ("lstm", 2, 2, {"peepholes": True}),
    "gru deep": ("gru", 2, 2, {}),
    "gru reset before": ("gru_reset_before", 2, 2, {}),
    "rnn": ("rnn", 3, 1, {}),
    "rnn relu": ("rnn_relu", 1, 2, {}),
}
HELD = {
    "torch": ("lstm", "lstm deep", "lstm projected", "gru deep", "rnn", "rnn relu"),
    "keras": ("lstm", "lstm deep", "gru deep", "gru reset before", "rnn", "rnn relu"),
    "flax": ("lstm", "lstm deep", "gru deep", "rnn", "rnn relu"),
    "onnx": ("lstm", "lstm deep", "lstm peepholes", "gru deep", "gru reset before", "rnn relu"),
}
every_held = pytest.mark.parametrize(
    ("name", "outline"), [(name, outline) for name, held in HELD.items() for outline in held]
)


@every_pair
def test_only_the_right_order_of_blocks_gives_the_equations(name, kind):
    layout_fn, from_fn, _, orders = FORMATS[name]
    blocks = draw_blocks(kind)
    truth = ((ours(blocks, kind),),)
    given = random_sequences(truth, kind)
    expected = run_equations(truth, kind, given)
    right = orders[kind]
    for order in itertools.permutations(right):
        stack = from_fn(layout_fn(blocks, order, kind), kind)
        error = distance(run(stack, kind, given), expected)
        assert error < TOLERANCE if order == tuple(right) else error > DIFFERENT, order


def test_only_the_right_order_of_peepholes_gives_the_equations():
    stack = random_stack("lstm", directions=2, peepholes=True)
    given = random_sequences(stack, "lstm")
    expected = run_equations(stack, "lstm", given)
    (node,) = to_onnx(stack, "lstm")
    i, f, o = (np.stack([weights["peepholes"][row] for weights in stack[0]]) for row in range(3))
    for order in itertools.permutations((i, o, f)):
        read = from_onnx([node | {"P": np.concatenate(order, axis=-1)}], "lstm")
        error = distance(run(read, "lstm", given), expected)
        right = order[0] is i and order[1] is o
        assert error < TOLERANCE if right else error > DIFFERENT


def test_the_two_conventions_of_resetting_are_not_one():
    layout = FORMATS["onnx"].layout_fn(draw_blocks("gru"), "zrn", "gru")
    given = random_sequences(from_onnx(layout, "gru"), "gru")
    after, before = (
        run(from_onnx(layout, kind), kind, given) for kind in ("gru", "gru_reset_before")
    )
    assert distance(after, before) > DIFFERENT


@every_held
def test_out_and_in_again_is_the_stack_bit_for_bit(name, outline):
    kind, layers, directions, extras = OUTLINES[outline]
    stack = random_stack(kind, layers, directions, **extras)
    _, from_fn, to_fn, _ = FORMATS[name]
    assert_same(from_fn(to_fn(stack, kind), kind), stack)


@every_pair
def test_in_and_out_again_is_the_layout_and_keeps_the_sum_of_two_biases(name, kind):
    layout_fn, from_fn, to_fn, orders = FORMATS[name]
    blocks = draw_blocks(kind)
    again = to_fn(from_fn(layout_fn(blocks, orders[kind], kind), kind), kind)
    # the same layout of the sums, zeros beside them; a GRU's candidate keeps both of its own
    summed = {
        block: parts
        if kind == "gru" and block == "n"
        else parts._replace(b=parts.b + parts.c, c=np.zeros_like(parts.c))
        for block, parts in blocks.items()
    }
    wanted = layout_fn(summed, orders[kind], kind)
    for got, expected in zip(jax.tree.leaves(again), jax.tree.leaves(wanted), strict=True):
        np.testing.assert_array_equal(got, expected)


@every_held
def test_stacks_run_as_the_equations_do(name, outline):
    kind, layers, directions, extras = OUTLINES[outline]
    stack = random_stack(kind, layers, directions, **extras)
    _, from_fn, to_fn, _ = FORMATS[name]
    given = random_sequences(stack, kind)
    found = run(from_fn(to_fn(stack, kind), kind), kind, given)
    assert distance(found, run_equations(stack, kind, given)) < TOLERANCE


@every_pair
@pytest.mark.parametrize("dtype", ("float16", "bfloat16", "float32", "float64"))
def test_dtypes_are_kept(name, kind, dtype):
    layout_fn, from_fn, to_fn, orders = FORMATS[name]
    cast = lambda leaf: leaf.astype(jax.numpy.dtype(dtype))
    layout = jax.tree.map(cast, layout_fn(draw_blocks(kind), orders[kind], kind))
    stack = from_fn(layout, kind)
    for leaf in jax.tree.leaves((stack, to_fn(stack, kind))):
        assert leaf.dtype == dtype


@every_pair
def test_what_is_read_and_written_shares_no_memory(name, kind):
    layout_fn, from_fn, to_fn, orders = FORMATS[name]
    layout = layout_fn(draw_blocks(kind), orders[kind], kind)
    stack = from_fn(layout, kind)
    written = to_fn(stack, kind)
    for one, other in ((layout, stack), (stack, written)):
        for a, b in itertools.product(jax.tree.leaves(one), jax.tree.leaves(other)):
            assert not np.shares_memory(a, b)


@every_pair
def test_arrays_of_jax_are_taken(name, kind):
    stack = random_stack(kind)
    _, from_fn, to_fn, _ = FORMATS[name]
    on_device = jax.tree.map(jax.numpy.asarray, stack)
    written = to_fn(on_device, kind)
    assert all(isinstance(leaf, np.ndarray) for leaf in jax.tree.leaves(written))
    assert_same(from_fn(jax.tree.map(jax.numpy.asarray, written), kind), stack)


@pytest.mark.parametrize("kind", ("lstm", "rnn"))
def test_both_biases_of_pytorch_count(kind):
    state = FORMATS["torch"].layout_fn(draw_blocks(kind), FORMATS["torch"].orders[kind], kind)
    stack = from_torch(state, kind)
    given = random_sequences(stack, kind)
    for side in ("ih", "hh"):
        dropped = state | {f"bias_{side}_l0": np.zeros_like(state[f"bias_{side}_l0"])}
        one = run(from_torch(dropped, kind), kind, given)
        assert distance(one, run(stack, kind, given)) > DIFFERENT


def test_the_candidate_of_a_gru_keeps_its_two_biases_apart():
    state = FORMATS["torch"].layout_fn(draw_blocks("gru"), "rzn", "gru")
    stack = from_torch(state, "gru")
    given = random_sequences(stack, "gru")
    n = slice(2 * HIDDEN, None)
    summed = {name: array.copy() for name, array in state.items()}
    summed["bias_ih_l0"][n] += summed["bias_hh_l0"][n]
    summed["bias_hh_l0"][n] = 0
    wrong = run(from_torch(summed, "gru"), "gru", given)
    assert distance(wrong, run(stack, "gru", given)) > DIFFERENT


def test_biases_go_from_pytorch_to_flax_entry_by_entry():
    rng = np.random.default_rng(0)
    for kind, order in (("lstm", "ifgo"), ("gru", "rzn")):
        state = FORMATS["torch"].layout_fn(draw_blocks(kind), order, kind)
        state = {name: normal(rng, *array.shape) for name, array in state.items()}
        ((tree,),) = to_flax(from_torch(state, kind), kind)
        for side in ("ih", "hh"):
            state[side] = np.split(state[f"bias_{side}_l0"], len(order))
        for block, b_ih, b_hh in zip(order, state["ih"], state["hh"], strict=True):
            if kind == "lstm":
                np.testing.assert_array_equal(tree[f"h{block}"]["bias"], b_ih + b_hh)
                assert "bias" not in tree[f"i{block}"]
            elif block == "n":
                np.testing.assert_array_equal(tree["in"]["bias"], b_ih)
                np.testing.assert_array_equal(tree["hn"]["bias"], b_hh)
            else:
                np.testing.assert_array_equal(tree[f"i{block}"]["bias"], b_ih + b_hh)
                assert "bias" not in tree[f"h{block}"]


def test_biases_go_to_pytorch_on_one_side():
    state = to_torch(random_stack("lstm"), "lstm")
    np.testing.assert_array_equal(state["bias_hh_l0"], 0)
    assert np.all(state["bias_ih_l0"] != 0)


@pytest.mark.parametrize("name", ("torch", "keras"))
@pytest.mark.parametrize("kind", ("lstm", "gru", "rnn"))
def test_a_layer_without_biases_has_zeros(name, kind):
    _, from_fn, to_fn, _ = FORMATS[name]
    stack = random_stack(kind, 2, 2)
    stack = tuple(
        tuple({n: a * (0 if "bias" in n else 1) for n, a in weights.items()} for weights in layer)
        for layer in stack
    )
    written = to_fn(stack, kind, bias=False)
    assert len(jax.tree.leaves(written)) == 8
    assert_same(from_fn(written, kind, bias=False), stack)
    with pytest.raises(ValueError, match="bias"):
        to_fn(random_stack(kind), kind, bias=False)

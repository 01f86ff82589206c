"""What cannot be is said, with the name of the entry and both shapes."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from interop.stacks import random_stack

from seqjax.cells.lstm import LSTMCell
from seqjax.cells.lstm_variant import VARIANTS
from seqjax.cells.slstm import SLSTMCell
from seqjax.interop.flax import from_flax, to_flax
from seqjax.interop.keras import from_keras, to_keras
from seqjax.interop.onnx import from_onnx, to_onnx
from seqjax.interop.stack import build_cells
from seqjax.interop.torch import from_torch, to_torch


def refused(message):
    return pytest.raises(ValueError, match=re.escape(message))


def without(mapping, name):
    return {other: array for other, array in mapping.items() if other != name}


def deep(kind="lstm", **extras):
    return random_stack(kind, 2, 2, **extras)


@pytest.mark.parametrize(
    ("changes", "message"),
    (
        ({"weight_hh_l0": np.zeros((3, 12))}, "weight_hh_l0 must have shape (12, 3), got (3, 12)"),
        (
            {"weight_ih_l0": np.zeros((5, 12))},
            "weight_ih_l0 must have shape (12, input), got (5, 12)",
        ),
        (
            {"weight_ih_l1": np.zeros((12, 3))},
            "weight_ih_l1 must have shape (12, 6), got (12, 3)",
        ),
        (
            {"bias_hh_l1_reverse": np.zeros((3,))},
            "bias_hh_l1_reverse must have shape (12), got (3)",
        ),
        (
            {"weight_hh_l0": np.zeros((12,))},
            "weight_hh_l0 must have shape (rows, hidden), got (12)",
        ),
        (
            {"decoder.weight": np.zeros((2, 2))},
            "decoder.weight must not be there, got one of shape (2, 2)",
        ),
        ({"weight_ih_l2": np.zeros((2, 2))}, "weight_ih_l2 must have shape (12, 6), got (2, 2)"),
        (
            {"bias_ih_l0": np.zeros(12, np.int32)},
            "bias_ih_l0 must be of floating point, got int32",
        ),
        (
            {"bias_ih_l0": np.zeros(12, np.float64)},
            "bias_ih_l0 must be float32 as weight_ih_l0 is, got float64",
        ),
        (
            {"weight_hr_l0": np.zeros((2, 3))},
            "weight_hh_l0 must have shape (12, 2), got (12, 3)",
        ),
    ),
)
def test_a_state_dict_that_does_not_fit_is_refused(changes, message):
    with refused(message):
        from_torch(to_torch(deep(), "lstm") | changes, "lstm")


@pytest.mark.parametrize(
    "name", ("weight_ih_l0", "weight_hh_l0", "bias_hh_l1", "weight_hh_l1_reverse")
)
def test_a_missing_entry_of_a_state_dict_is_named(name):
    with pytest.raises(ValueError, match=rf"^{name} must have shape \(.*\), got no such entry"):
        from_torch(without(to_torch(deep(), "lstm"), name), "lstm")


def test_biases_are_there_or_not_as_was_said():
    state = to_torch(deep("gru"), "gru")
    with refused("bias_ih_l0 must not be there, got one of shape (9)"):
        from_torch(state, "gru", bias=False)
    with refused("bias_ih_l0 must have shape (9), got no such entry"):
        from_torch({name: a for name, a in state.items() if "bias" not in name}, "gru")


def test_keras_arrays_that_do_not_fit_are_refused():
    forward, backward = to_keras(random_stack("gru", 1, 1), "gru")[0], [np.zeros((5, 9))]
    with refused("layer 0 must have 3 arrays (kernel, recurrent_kernel, bias), or twice as many"):
        from_keras([forward + backward], "gru")
    with refused("layer 0 must have 2 arrays (kernel, recurrent_kernel), or twice as many"):
        from_keras([forward], "gru", bias=False)
    with refused("layer 0 forward bias must have shape (9), got (2, 9)"):
        from_keras([forward], "gru_reset_before")
    with refused("layer 1 forward kernel must have shape (3, 9), got (5, 9)"):
        from_keras([forward, forward], "gru")
    kernel, recurrent_kernel, bias = forward
    with refused("layer 0 forward kernel must have shape (input, 9), got (9, 5)"):
        from_keras([[kernel.T, recurrent_kernel, bias]], "gru")
    with refused("layer 0 forward recurrent_kernel must have shape (3, 9), got (9, 3)"):
        from_keras([[kernel, recurrent_kernel.T, bias]], "gru")
    with refused("layer 0 backward input_kernel must have shape (5, 9), got (4, 9)"):
        from_keras([[*forward, kernel[:4], recurrent_kernel, bias]], "gru")
    with refused("there must be layers, each of 1 or 2 directions, got []"):
        from_keras([], "gru")


def test_flax_trees_that_do_not_fit_are_refused():
    ((tree,),) = to_flax(random_stack("gru"), "gru")
    with refused("layer 0 forward hn/bias must have shape (3), got no such entry"):
        from_flax([[tree | {"hn": without(tree["hn"], "bias")}]], "gru")
    with refused("layer 0 forward hr/bias must not be there, got one of shape (3)"):
        from_flax([[tree | {"hr": tree["hn"]}]], "gru")
    with refused("layer 0 forward iz/kernel must have shape (input, 3), got (3, 5)"):
        from_flax([[tree | {"iz": tree["iz"] | {"kernel": tree["iz"]["kernel"].T}}]], "gru")
    with refused("layer 0 forward hr/kernel must have shape (hidden, hidden), got no such entry"):
        from_flax([[{"cell": tree}]], "gru")
    with refused("layer 1 forward ir/kernel must have shape (6, 3), got (5, 3)"):
        from_flax([[tree, tree], [tree, tree]], "gru")
    with refused("there must be layers, each of 1 or 2 directions, got [3]"):
        from_flax([[tree, tree, tree]], "gru")
    with refused("layer 0 forward wide must not be there, got one of shape (1)"):
        from_flax([[tree | {"wide": np.zeros(1)}]], "gru")


def test_onnx_nodes_that_do_not_fit_are_refused():
    (node,) = to_onnx(random_stack("lstm", 1, 2, peepholes=True), "lstm")
    with refused("layer 0 P must have shape (2, 9), got (1, 9)"):
        from_onnx([node | {"P": node["P"][:1]}], "lstm")
    with refused("layer 0 R must have shape (2, 12, 3), got (2, 3, 12)"):
        from_onnx([node | {"R": np.swapaxes(node["R"], 1, 2)}], "lstm")
    with refused("layer 0 W must have shape (2, 12, input), got no such entry"):
        from_onnx([without(node, "W")], "lstm")
    with refused("layer 1 W must have shape (2, 12, 6), got (2, 12, 5)"):
        from_onnx([node, node], "lstm")
    with refused("layer 0 initial_h must not be there, got one of shape (2, 3, 3)"):
        from_onnx([node | {"initial_h": np.zeros((2, 3, 3))}], "lstm")
    with refused("layer 0 R must have 1 or 2 directions, got 0"):
        from_onnx([{name: array[:0] for name, array in node.items()}], "lstm")
    (gru,) = to_onnx(random_stack("gru"), "gru")
    with refused("layer 0 P must not be there, got one of shape (1, 9)"):
        from_onnx([gru | {"P": np.zeros((1, 9))}], "gru")


@pytest.mark.parametrize(
    ("to_fn", "kind", "extras", "message"),
    (
        (
            to_torch,
            "lstm",
            {"peepholes": True},
            "layer 0 forward peepholes has no place in PyTorch",
        ),
        (to_keras, "lstm", {"peepholes": True}, "layer 0 forward peepholes has no place in Keras"),
        (to_flax, "lstm", {"peepholes": True}, "layer 0 forward peepholes has no place in Flax"),
        (to_keras, "lstm", {"projection": 2}, "layer 0 forward projection has no place in Keras"),
        (to_flax, "lstm", {"projection": 2}, "layer 0 forward projection has no place in Flax"),
        (to_onnx, "lstm", {"projection": 2}, "layer 0 forward projection has no place in ONNX"),
        (
            to_torch,
            "gru_reset_before",
            {},
            "kind must be one that PyTorch has (lstm, gru, rnn, rnn_relu), got 'gru_reset_before'",
        ),
        (
            to_flax,
            "gru_reset_before",
            {},
            "kind must be one that Flax has (lstm, gru, rnn, rnn_relu), got 'gru_reset_before'",
        ),
    ),
)
def test_what_a_format_cannot_hold_is_not_written(to_fn, kind, extras, message):
    with refused(message):
        to_fn(deep(kind, **extras), kind)


@pytest.mark.parametrize("from_fn", (from_torch, from_flax))
def test_a_gru_that_resets_before_is_not_read_as_one_that_resets_after(from_fn):
    with refused("got 'gru_reset_before'"):
        from_fn({} if from_fn is from_torch else [], "gru_reset_before")


def test_a_gru_of_keras_that_resets_before_does_not_go_to_flax():
    stack = from_keras(to_keras(deep("gru_reset_before"), "gru_reset_before"), "gru_reset_before")
    for kind in ("gru_reset_before", "gru"):
        with pytest.raises(ValueError, match="kind must be|candidate_bias must have shape"):
            to_flax(stack, kind)


OTHERS = {
    "normalised": LSTMCell(5, 3, normalised=True),
    "slstm": SLSTMCell(5, 3),
    **{
        name: LSTMCell(5, 3, variant=VARIANTS[name])
        for name in ("no_input_gate", "coupled", "gate_recurrence")
    },
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_cells_are_no_lstm_of_any_format(name):
    cell = OTHERS[name]
    shapes = jax.eval_shape(cell.init, jax.random.key(0), cell.initial_carry(1), jnp.zeros((1, 5)))
    params = jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), shapes["params"])
    for to_fn in (to_torch, to_keras, to_flax, to_onnx):
        with pytest.raises(ValueError, match="layer 0 forward .* must|has no place in"):
            to_fn(((params,),), "lstm")


def test_layers_of_pytorch_are_alike():
    one, two = random_stack("lstm"), random_stack("lstm", directions=2)
    above = tuple({**weights, "input_kernel": np.zeros((3, 12), np.float32)} for weights in two[0])
    with refused("layers must be alike in directions, hidden size, output size and projection"):
        to_torch((one[0], above), "lstm")


def test_a_stack_is_a_stack():
    stack = random_stack("lstm")
    with refused("layer 1 forward input_kernel must have shape (3, 12), got (5, 12)"):
        build_cells(stack + stack, "lstm")
    with refused("there must be layers, each of 1 or 2 directions, got [1, 0]"):
        build_cells((*stack, ()), "lstm")
    with refused("layer 0 forward candidate_bias must not be there"):
        build_cells(random_stack("gru"), "gru_reset_before")

"""Answers of onnxruntime and of the standard, stored; and those given where both are there."""

import itertools

import numpy as np
import pytest
from interop.fixtures.make_onnx import STORED, Case, run_case, standard_cases
from interop.stacks import (
    TOLERANCE,
    Sequences,
    assert_same,
    error_of,
    load_cases,
    run,
    weights_of,
)

from seqjax.interop.onnx import from_onnx, node_attributes, node_kind, to_onnx

STANDARD = load_cases("onnx_standard.npz")
DIRECTIONS = ("forward", "reverse", "bidirectional")
VARIANTS = [
    ("LSTM", (), False),
    ("LSTM", (), True),
    ("GRU", (("linear_before_reset", 0),), False),
    ("GRU", (("linear_before_reset", 1),), False),
    ("RNN", (), False),
    ("RNN", (("activations", ("Relu",)),), False),
]
LIVE = [
    Case(op_type, direction, attributes, peepholes, lengths=lengths)
    for (op_type, attributes, peepholes), direction, lengths in itertools.product(
        VARIANTS, DIRECTIONS, (None, (5, 2, 4))
    )
]
LIVE += [Case(*variant[:1], "bidirectional", variant[1], bias=False) for variant in VARIANTS[::2]]
LIVE += [Case("LSTM", "bidirectional", peepholes=True, layers=2), Case("GRU", layers=2)]


def kind_of(case):
    return node_kind(case.op_type, case.all_attributes)


def stack_of(found, kind):
    return from_onnx(list(weights_of(found).values()), kind)


def error_for(case, found):
    stack, kind = stack_of(found, kind_of(case)), kind_of(case)
    return error_of(stack, kind, found, reverse=case.direction == "reverse")


@pytest.mark.parametrize("name", STORED)
def test_we_answer_as_onnxruntime_did(name):
    assert error_for(STORED[name], load_cases("onnx.npz")[name]) < TOLERANCE


def test_there_are_thirty_combinations():
    assert len(set(LIVE)) == len(LIVE) >= 30


@pytest.mark.parametrize("case", LIVE, ids=str)
def test_we_answer_as_onnxruntime_does(case):
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    assert error_for(case, run_case(case)) < TOLERANCE


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_onnxruntime_answers_the_same_with_what_we_write(variant):
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    op_type, attributes, peepholes = variant
    case = Case(op_type, "bidirectional", attributes, peepholes)
    kind = kind_of(case)
    stack = stack_of(run_case(case), kind)
    written = run_case(case, written=to_onnx(stack, kind))
    assert node_kind(*node_attributes(stack[0], kind)) == kind
    assert error_for(case, written) < TOLERANCE


@pytest.mark.parametrize("name", STANDARD)
def test_the_cases_of_the_standard_hold(name):
    """Shapes, layouts and directions; not more, for their weights are nearly all constant.

    Where all gates compute the same, gates that are swapped are not seen, nor is a kernel that is
    transposed: for that there are onnxruntime's answers to random weights.
    """
    case = STANDARD[name]
    entries = lambda part: {
        key.removeprefix(part): array for key, array in case.items() if key.startswith(part)
    }
    attributes = {key: value.item() for key, value in entries("attributes/").items()}
    found = answer_to(case["op_type"].item(), attributes, entries("given/"))
    for key, array in entries("found/").items():
        np.testing.assert_allclose(found[key], array, atol=1e-5)


def test_all_cases_of_the_standard_are_there():
    outlines = [
        (case["op_type"].item(), case.get("attributes/direction", np.array("forward")).item())
        for case in STANDARD.values()
    ]
    assert len(outlines) == 18
    assert set(outlines) == set(itertools.product(("LSTM", "GRU", "RNN"), DIRECTIONS))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # cases of other operators overflow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_stored_cases_are_those_that_onnx_makes():
    pytest.importorskip("onnx")
    made = standard_cases()
    assert made.keys() == STANDARD.keys()
    for name, case in made.items():
        assert_same(case, STANDARD[name])


def answer_to(op_type, attributes, feed):
    """Returns Y, Y_h and Y_c of a node, in its layout."""
    kind = node_kind(op_type, attributes)
    weights = {name: feed[name] for name in ("W", "R", "B", "P") if name in feed}
    stack = from_onnx([weights], kind)
    batchwise = attributes.get("layout", 0) == 1
    values = feed["X"] if batchwise else np.swapaxes(feed["X"], 0, 1)
    rows, steps = values.shape[:2]
    zeros = np.zeros((len(stack[0]), rows, attributes["hidden_size"]), np.float32)
    start = lambda name: (
        np.swapaxes(feed.get(name, zeros), 0, 1)
        if batchwise and name in feed
        else feed.get(name, zeros)
    )
    given = Sequences(values, start("initial_h"), start("initial_c") if op_type == "LSTM" else None)
    lengths = feed.get("sequence_lens", np.full(rows, steps))
    found = run(stack, kind, given, lengths, reverse=attributes.get("direction") == "reverse")
    # batch time (directions hidden) -> batch time directions hidden
    outputs = np.asarray(found.values).reshape(rows, steps, len(stack[0]), -1)
    if batchwise:
        return {"Y": outputs, "Y_h": np.swapaxes(found.hidden, 0, 1)}
    answer = {"Y": np.transpose(outputs, (1, 2, 0, 3)), "Y_h": found.hidden}
    return answer | {"Y_c": found.cell}


def test_what_a_node_computes_otherwise_is_refused():
    usual = {"hidden_size": 3, "direction": b"bidirectional", "input_forget": 0}
    assert node_kind("LSTM", usual) == "lstm"
    assert node_kind("LSTM", usual | {"activations": [b"Sigmoid", b"Tanh", b"Tanh"] * 2}) == "lstm"
    with pytest.raises(ValueError, match="clip of GRU must not be there, got 1.5"):
        node_kind("GRU", {"clip": 1.5})
    with pytest.raises(ValueError, match="input_forget of LSTM must not be there, got 1"):
        node_kind("LSTM", {"input_forget": 1})
    with pytest.raises(ValueError, match=r"activations of RNN must be \('tanh',\), got \('affine"):
        node_kind("RNN", {"activations": [b"Affine"]})
    with pytest.raises(ValueError, match="operator must be one of LSTM, GRU, RNN, got Gemm"):
        node_kind("Gemm", {})

"""Weights of ONNX' `LSTM`, `GRU` and `RNN` operators, and the attributes that change their meaning.

Kernels are stored transposed, both directions in one array. Blocks are i o f c (c being our g) and
z r h. There are two biases, one behind the other. Peepholes are those of i o f; that of o reads the
new cell, as ours does.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from seqjax.interop.entries import check_entries, check_entry
from seqjax.interop.stack import (
    BLOCKS,
    Kind,
    Layout,
    Stack,
    Weights,
    check_stack,
    hidden_size,
    merge_biases,
    output_size,
    reorder_blocks,
    split_biases,
    transposed,
)

LAYOUT = Layout(
    "ONNX",
    BLOCKS | {"lstm": "iofg", "gru": "zrn", "gru_reset_before": "zrn"},
    ("peepholes",),
)
_OPERATORS: dict[str, str] = {
    "lstm": "LSTM",
    "gru": "GRU",
    "gru_reset_before": "GRU",
    "rnn": "RNN",
    "rnn_relu": "RNN",
}
_ACTIVATIONS: dict[str, tuple[str, ...]] = {
    "LSTM": ("sigmoid", "tanh", "tanh"),
    "GRU": ("sigmoid", "tanh"),
    "RNN": ("tanh",),
}
_HARMLESS = ("direction", "hidden_size", "layout", "linear_before_reset", "activations")


def from_onnx(nodes: Sequence[Mapping[str, Any]], kind: Kind) -> Stack:
    """Returns the stack of ONNX nodes.

    Args:
      nodes: From the bottom up, the inputs of each that are weights: `W`, `R`, and if there are,
        `B` (else our biases are 0) and `P`. A node whose direction is `reverse` gives one direction
        like any other: it is `unroll` that is told to run it in reverse.
      kind: What `node_kind` says of the nodes.

    Raises:
      ValueError: If there is no node; if an entry is missing, is one too many, or has a wrong
        shape or dtype.

    >>> node = {"W": np.ones((1, 1, 2)), "R": np.ones((1, 1, 1)), "B": np.array([[3.0, 4.0]])}
    >>> ((cell,),) = from_onnx([node], "rnn")
    >>> cell["bias"]
    array([7.])
    """
    LAYOUT.order(kind)
    stack, below = [], "input"
    for layer, node in enumerate(nodes):
        cells = _cells(node, kind, below, f"layer {layer} ")
        below = len(cells) * output_size(cells[0])
        stack.append(cells)
    return check_stack(tuple(stack), kind, LAYOUT)


def to_onnx(stack: Stack, kind: Kind) -> list[dict[str, np.ndarray]]:
    """Returns `W`, `R`, `B`, and if there are peepholes `P`, of a node for each layer.

    Every bias goes into the first half of `B`, but for that of a GRU's candidate. What attributes a
    node must have, `node_attributes` says.

    Raises:
      ValueError: If the stack has projections; if an entry is missing, is one too many, or has a
        wrong shape or dtype.

    >>> cell = {"input_kernel": np.ones((2, 1)), "recurrent_kernel": np.ones((1, 1))}
    >>> (node,) = to_onnx((({**cell, "bias": np.array([7.0])},),), "rnn")
    >>> node["B"]
    array([[7., 0.]])
    """
    return [_node(layer, kind) for layer in check_stack(stack, kind, LAYOUT)]


def node_kind(op_type: str, attributes: Mapping[str, Any]) -> Kind:
    """Returns which cells a node has.

    Args:
      op_type: `LSTM`, `GRU` or `RNN`.
      attributes: Those that the node has, by name.

    Raises:
      ValueError: If there is another operator or an attribute that we have no cell for: a clip,
        coupled gates, other activations than the default ones and an RNN's `Relu`.

    >>> node_kind("GRU", {"hidden_size": 3})
    'gru_reset_before'
    >>> node_kind("LSTM", {"hidden_size": 3, "clip": 2.0})
    Traceback (most recent call last):
    ValueError: clip of LSTM must not be there, got 2.0
    """
    if op_type not in _ACTIVATIONS:
        raise ValueError(f"operator must be one of {', '.join(_ACTIVATIONS)}, got {op_type}")
    for name, value in attributes.items():
        coupled = name == "input_forget" and value == 0
        if name not in _HARMLESS and not coupled:
            raise ValueError(f"{name} of {op_type} must not be there, got {value}")
    directions = 2 if _text(attributes.get("direction", "forward")) == "bidirectional" else 1
    usual = _ACTIVATIONS[op_type] * directions
    found = tuple(_text(name) for name in attributes.get("activations", usual))
    if op_type == "RNN" and found == ("relu",) * directions:
        return "rnn_relu"
    if found != usual:
        raise ValueError(f"activations of {op_type} must be {usual}, got {found}")
    if op_type == "GRU":
        return "gru" if attributes.get("linear_before_reset", 0) else "gru_reset_before"
    return "lstm" if op_type == "LSTM" else "rnn"


def node_attributes(layer: tuple[Weights, ...], kind: Kind) -> tuple[str, dict[str, Any]]:
    """Returns the operator of a layer's node and the attributes that it must have.

    >>> zeros = {"recurrent_kernel": np.zeros((4, 12))}
    >>> node_attributes((zeros, zeros), "gru")
    ('GRU', {'hidden_size': 4, 'direction': 'bidirectional', 'linear_before_reset': 1})
    """
    LAYOUT.order(kind)
    attributes: dict[str, Any] = {
        "hidden_size": hidden_size(layer[0]),
        "direction": "bidirectional" if len(layer) == 2 else "forward",
    }
    if kind == "gru":
        attributes["linear_before_reset"] = 1
    if kind == "rnn_relu":
        attributes["activations"] = ["Relu"] * len(layer)
    return _OPERATORS[kind], attributes


def _cells(
    node: Mapping[str, Any], kind: Kind, below: int | str, place: str
) -> tuple[Weights, ...]:
    stored, blocks = LAYOUT.order(kind), BLOCKS[kind]
    # The hidden size is taken so that a kernel the wrong way round is told by its own name.
    kernel = check_entry(node, "R", ("directions", "blocks * hidden", "hidden"), place)
    directions, hidden = kernel.shape[0], min(kernel.shape[1:])
    if directions not in (1, 2):
        raise ValueError(f"{place}R must have 1 or 2 directions, got {directions}")
    width = len(blocks) * hidden
    shapes = {"W": (directions, width, below), "R": (directions, width, hidden)}
    if "B" in node:
        shapes["B"] = (directions, 2 * width)
    if "P" in node and kind == "lstm":
        shapes["P"] = (directions, 3 * hidden)
    entries = check_entries(node, shapes, place)
    biases = entries.get("B", np.zeros((directions, 2 * width), entries["W"].dtype))
    cells = []
    for direction in range(directions):
        input_bias, recurrent_bias = (
            reorder_blocks(bias, stored, blocks) for bias in np.split(biases[direction], 2)
        )
        weights = {
            "input_kernel": reorder_blocks(transposed(entries["W"][direction]), stored, blocks),
            "recurrent_kernel": reorder_blocks(transposed(entries["R"][direction]), stored, blocks),
            **merge_biases(input_bias, recurrent_bias, kind),
        }
        if "P" in entries:
            peepholes = reorder_blocks(entries["P"][direction], "iof", "ifo")
            weights["peepholes"] = peepholes.reshape(3, hidden)
        cells.append(weights)
    return tuple(cells)


def _node(layer: tuple[Weights, ...], kind: Kind) -> dict[str, np.ndarray]:
    ours, wanted = BLOCKS[kind], LAYOUT.order(kind)
    node = {
        "W": [transposed(reorder_blocks(w["input_kernel"], ours, wanted)) for w in layer],
        "R": [transposed(reorder_blocks(w["recurrent_kernel"], ours, wanted)) for w in layer],
        "B": [
            np.concatenate([reorder_blocks(b, ours, wanted) for b in split_biases(weights)])
            for weights in layer
        ],
    }
    if "peepholes" in layer[0]:
        node["P"] = [reorder_blocks(w["peepholes"].reshape(-1), "ifo", "iof") for w in layer]
    return {name: np.stack(arrays) for name, arrays in node.items()}


def _text(value: str | bytes) -> str:
    return (value.decode() if isinstance(value, bytes) else value).lower()

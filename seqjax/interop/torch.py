"""Weights of `torch.nn.LSTM`, `GRU` and `RNN`, from and to a state dict.

Kernels are stored transposed, blocks in our order (i f g o, r z n), and there are two biases. The
GRU resets after the recurrent product. Entries are called `weight_ih_l0`, `weight_hh_l0`,
`bias_ih_l0`, `bias_hh_l0`, with a projection also `weight_hr_l0`; those of the backward direction
end in `_reverse`, those of the next layer have `l1`.
"""

import re
from collections.abc import Mapping
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
    split_biases,
    transposed,
)

LAYOUT = Layout(
    "PyTorch",
    {kind: BLOCKS[kind] for kind in ("lstm", "gru", "rnn", "rnn_relu")},
    ("projection",),
)
_SUFFIXES = ("", "_reverse")


def from_torch(state: Mapping[str, Any], kind: Kind, *, bias: bool = True) -> Stack:
    """Returns the stack of one PyTorch layer, which may be of any depth.

    Layers, directions and projection are seen from the entries' names. The two biases are added up,
    but for that of a GRU's candidate, which PyTorch has inside of what the reset gate scales.

    Args:
      state: The layer's `state_dict()`: tensors in CPU memory, or arrays. Take a prefix off the
        names before, and cast bfloat16 tensors, which NumPy cannot read.
      kind: `rnn_relu` for an `RNN` with `nonlinearity="relu"`.
      bias: As the layer was built. Without, our biases are 0.

    Raises:
      ValueError: If PyTorch has no such kind; if an entry is missing, is one too many, or has a
        wrong shape or dtype.

    >>> state = {
    ...     "weight_ih_l0": np.ones((1, 2)),
    ...     "weight_hh_l0": np.ones((1, 1)),
    ...     "bias_ih_l0": np.array([3.0]),
    ...     "bias_hh_l0": np.array([4.0]),
    ... }
    >>> ((cell,),) = from_torch(state, "rnn")
    >>> cell["bias"]
    array([7.])
    """
    LAYOUT.order(kind)
    layers = [re.search(r"_l(\d+)(_reverse)?$", name) for name in state]
    depth = 1 + max((int(match[1]) for match in layers if match), default=0)
    suffixes = _SUFFIXES if any(match and match[2] for match in layers) else _SUFFIXES[:1]
    projected = kind == "lstm" and any(name.startswith("weight_hr_l") for name in state)
    # The hidden size is taken so that a kernel the wrong way round is told by its own name.
    if projected:
        sizes = check_entry(state, "weight_hr_l0", ("proj", "hidden")).shape
        hidden, proj = max(sizes), min(sizes)
    else:
        hidden, proj = min(check_entry(state, "weight_hh_l0", ("rows", "hidden")).shape), None
    shapes = _shapes(kind, depth, suffixes, hidden, proj, bias)
    entries = check_entries(state, shapes)
    return tuple(
        tuple(_cell(entries, kind, f"_l{layer}{suffix}", bias) for suffix in suffixes)
        for layer in range(depth)
    )


def to_torch(stack: Stack, kind: Kind, *, bias: bool = True) -> dict[str, np.ndarray]:
    """Returns the state dict of one PyTorch layer; make tensors of its arrays to load it.

    Every bias goes into `bias_ih` and `bias_hh` is 0, but for a GRU's candidate.

    Args:
      stack: All layers with equally many units and directions.
      kind: Which cells the stack has.
      bias: Whether the layer has biases.

    Raises:
      ValueError: If PyTorch has no such kind; if the stack has peepholes; if its layers differ in
        size, in their directions or in whether they project; if an entry is missing, is one too
        many, or has a wrong shape or dtype; if there is a bias that is not 0 and `bias` is off.

    >>> cell = {"input_kernel": np.ones((2, 1)), "recurrent_kernel": np.ones((1, 1))}
    >>> state = to_torch((({**cell, "bias": np.array([7.0])},),), "rnn")
    >>> state["bias_ih_l0"], state["bias_hh_l0"]
    (array([7.]), array([0.]))
    """
    stack = check_stack(stack, kind, LAYOUT)
    outlines = [
        (len(layer), hidden_size(layer[0]), output_size(layer[0]), "projection" in layer[0])
        for layer in stack
    ]
    for layer, outline in enumerate(outlines):
        if outline != outlines[0]:
            raise ValueError(
                "layers must be alike in directions, hidden size, output size and projection, got "
                f"{outlines[0]} in layer 0 and {outline} in layer {layer}"
            )
    state = {}
    for layer, directions in enumerate(stack):
        for suffix, weights in zip(_SUFFIXES, directions, strict=False):
            state |= _entries(weights, f"_l{layer}{suffix}", bias)
    return state


def _shapes(
    kind: Kind, depth: int, suffixes: tuple[str, ...], hidden: int, proj: int | None, bias: bool
) -> dict[str, tuple[int | str, ...]]:
    rows, output = len(BLOCKS[kind]) * hidden, proj or hidden
    shapes, below = {}, "input"
    for layer in range(depth):
        for suffix in (f"_l{layer}{suffix}" for suffix in suffixes):
            shapes[f"weight_ih{suffix}"] = (rows, below)
            shapes[f"weight_hh{suffix}"] = (rows, output)
            if bias:
                shapes[f"bias_ih{suffix}"] = shapes[f"bias_hh{suffix}"] = (rows,)
            if proj is not None:
                shapes[f"weight_hr{suffix}"] = (proj, hidden)
        below = len(suffixes) * output
    return shapes


def _cell(entries: dict[str, np.ndarray], kind: Kind, suffix: str, bias: bool) -> Weights:
    weights: Weights = {
        "input_kernel": transposed(entries[f"weight_ih{suffix}"]),
        "recurrent_kernel": transposed(entries[f"weight_hh{suffix}"]),
    }
    zeros = np.zeros_like(weights["input_kernel"][0])
    input_bias, recurrent_bias = (
        entries[f"bias_{side}{suffix}"] if bias else zeros for side in ("ih", "hh")
    )
    weights |= merge_biases(input_bias, recurrent_bias, kind)
    if f"weight_hr{suffix}" in entries:
        weights["projection"] = transposed(entries[f"weight_hr{suffix}"])
    return weights


def _entries(weights: Weights, suffix: str, bias: bool) -> dict[str, np.ndarray]:
    state = {
        f"weight_ih{suffix}": transposed(weights["input_kernel"]),
        f"weight_hh{suffix}": transposed(weights["recurrent_kernel"]),
    }
    input_bias, recurrent_bias = split_biases(weights)
    if bias:
        state |= {f"bias_ih{suffix}": input_bias, f"bias_hh{suffix}": recurrent_bias}
    elif np.any(input_bias) or np.any(recurrent_bias):
        raise ValueError(f"the bias of {suffix[1:]} must be 0 to be left out, got another")
    if "projection" in weights:
        state[f"weight_hr{suffix}"] = transposed(weights["projection"])
    return state

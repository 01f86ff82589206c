"""Weights of Keras' `LSTM`, `GRU` and `SimpleRNN`, from and to what `get_weights` returns.

Kernels are stored as ours, an LSTM's blocks in our order (i f c o, c being our g), a GRU's as
z r h. There is one bias, but a GRU that resets after the recurrent product has two, as two rows.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from seqjax.interop.entries import check_entries, check_entry
from seqjax.interop.stack import (
    BLOCKS,
    DIRECTIONS,
    Kind,
    Layout,
    Stack,
    Weights,
    check_stack,
    merge_biases,
    output_size,
    reorder_blocks,
    split_biases,
)

LAYOUT = Layout("Keras", BLOCKS | {"gru": "zrn", "gru_reset_before": "zrn"})
_NAMES = ("kernel", "recurrent_kernel", "bias")


def from_keras(layers: Sequence[Sequence[Any]], kind: Kind, *, bias: bool = True) -> Stack:
    """Returns the stack of Keras layers.

    Args:
      layers: `layer.get_weights()` of each recurrent layer, from the bottom up: the kernel, the
        recurrent kernel and the bias, and if the layer is a `Bidirectional` (which must merge by
        concatenation, as is its default), the same of its backward layer.
      kind: `gru` for `reset_after=True`, `gru_reset_before` for `reset_after=False`; `rnn_relu` for
        a `SimpleRNN` with `activation="relu"`. Other activations cannot be seen here.
      bias: The layers' `use_bias`. Without, our biases are 0.

    Raises:
      ValueError: If there is no layer; if a layer has too many or too few arrays; if one of them
        has a wrong shape or dtype.

    >>> layer = [np.ones((2, 3)), np.ones((1, 3)), np.array([1.0, 2.0, 3.0])]  # z r h
    >>> ((cell,),) = from_keras([layer], "gru_reset_before")
    >>> cell["bias"]  # r z n
    array([2., 1., 3.])
    """
    names = _NAMES if bias else _NAMES[:-1]
    stack, below = [], "input"
    for layer, arrays in enumerate(layers):
        if len(arrays) not in (len(names), 2 * len(names)):
            raise ValueError(
                f"layer {layer} must have {len(names)} arrays ({', '.join(names)}), or twice as "
                f"many if it is bidirectional, got {len(arrays)}"
            )
        cells = []
        for start in range(0, len(arrays), len(names)):
            entries: dict[str, Any] = dict(
                zip(names, arrays[start : start + len(names)], strict=True)
            )
            cells.append(_cell(entries, kind, below, f"layer {layer} {DIRECTIONS[len(cells)]} "))
        below = len(cells) * output_size(cells[0])
        stack.append(tuple(cells))
    return check_stack(tuple(stack), kind, LAYOUT)


def to_keras(stack: Stack, kind: Kind, *, bias: bool = True) -> list[list[np.ndarray]]:
    """Returns what `set_weights` of each Keras layer takes, from the bottom up.

    Args:
      stack: Any; the layers of a stack of two directions are `Bidirectional`.
      kind: Which cells the stack has; it says what `reset_after` must be, as in `from_keras`.
      bias: The layers' `use_bias`.

    Raises:
      ValueError: If the stack has peepholes or projections; if an entry is missing, is one too
        many, or has a wrong shape or dtype; if there is a bias that is not 0 and `bias` is off.

    >>> cell = {"input_kernel": np.ones((2, 3)), "recurrent_kernel": np.ones((1, 3))}
    >>> cell |= {"bias": np.array([2.0, 1.0, 3.0]), "candidate_bias": np.array([4.0])}  # r z n
    >>> ((kernel, recurrent_kernel, bias),) = to_keras(((cell,),), "gru")
    >>> bias  # z r h
    array([[1., 2., 3.],
           [0., 0., 4.]])
    """
    return [
        [
            array
            for weights, direction in zip(directions, DIRECTIONS, strict=False)
            for array in _arrays(weights, kind, bias, f"layer {layer} {direction} ")
        ]
        for layer, directions in enumerate(check_stack(stack, kind, LAYOUT))
    ]


def _cell(arrays: Mapping[str, Any], kind: Kind, below: int | str, place: str) -> Weights:
    stored, blocks = LAYOUT.order(kind), BLOCKS[kind]
    # The hidden size is taken so that a kernel the wrong way round is told by its own name.
    kernel = check_entry(arrays, "recurrent_kernel", ("hidden", "blocks * hidden"), place)
    hidden = min(kernel.shape)
    width = len(blocks) * hidden
    shapes = {"kernel": (below, width), "recurrent_kernel": (hidden, width)}
    if "bias" in arrays:
        shapes["bias"] = (2, width) if kind == "gru" else (width,)
    entries = check_entries(arrays, shapes, place)
    kernel, recurrent_kernel, *biases = (
        reorder_blocks(values, stored, blocks) for values in entries.values()
    )
    zeros = np.zeros_like(kernel[0])
    bias = biases[0] if biases else zeros
    input_bias, recurrent_bias = bias if bias.ndim == 2 else (bias, zeros)
    return {
        "input_kernel": kernel,
        "recurrent_kernel": recurrent_kernel,
        **merge_biases(input_bias, recurrent_bias, kind),
    }


def _arrays(weights: Weights, kind: Kind, bias: bool, place: str) -> list[np.ndarray]:
    input_bias, recurrent_bias = split_biases(weights)
    arrays = [weights["input_kernel"], weights["recurrent_kernel"]]
    if bias:
        arrays.append(np.stack([input_bias, recurrent_bias]) if kind == "gru" else input_bias)
    elif np.any(input_bias) or np.any(recurrent_bias):
        raise ValueError(f"{place}bias must be 0 to be left out, got another")
    return [reorder_blocks(array, BLOCKS[kind], LAYOUT.order(kind)) for array in arrays]

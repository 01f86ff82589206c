"""Weights of Flax linen's `LSTMCell`, `OptimizedLSTMCell`, `GRUCell` and `SimpleCell`.

Every block has two kernels of its own, named by side and block: `ii if ig io hi hf hg ho` (both
LSTM cells have the same), `ir iz in hr hz hn`, and plain `i h`. An LSTM has its biases on the h
side, the others on the i side, where a GRU has that of `hn` besides: it resets after the recurrent
product.
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
    check_outline,
    check_stack,
    output_size,
)

LAYOUT = Layout("Flax", {kind: BLOCKS[kind] for kind in ("lstm", "gru", "rnn", "rnn_relu")})


def from_flax(layers: Sequence[Sequence[Mapping[str, Any]]], kind: Kind) -> Stack:
    """Returns the stack of Flax linen cells.

    Args:
      layers: From the bottom up, each with its directions, forward before backward: the parameters
        of a cell, which `nn.RNN` has under `cell`, and `nn.Bidirectional` under `forward_rnn/cell`
        and `backward_rnn/cell`.
      kind: `rnn` for a `SimpleCell`, which must not be residual.

    Raises:
      ValueError: If Flax has no such kind; if there is no layer, or one with no direction or more
        than 2; if an entry is missing, is one too many, or has a wrong shape or dtype.

    >>> tree = {"i": {"kernel": np.ones((2, 1)), "bias": np.array([7.0])}}
    >>> tree["h"] = {"kernel": np.ones((1, 1))}
    >>> ((cell,),) = from_flax([[tree]], "rnn")
    >>> cell["bias"]
    array([7.])
    """
    LAYOUT.order(kind)
    check_outline([len(trees) for trees in layers])
    stack, below = [], "input"
    for layer, trees in enumerate(layers):
        cells = []
        for direction, tree in zip(DIRECTIONS, trees, strict=False):
            place = f"layer {layer} {direction} "
            cells.append(_cell(_flat(tree), kind, below, place))
        stack.append(tuple(cells))
        below = len(cells) * output_size(cells[0])
    return check_stack(tuple(stack), kind, LAYOUT)


def to_flax(stack: Stack, kind: Kind) -> tuple[tuple[dict[str, Any], ...], ...]:
    """Returns the parameters of Flax linen cells, in the order that `from_flax` takes.

    Raises:
      ValueError: If Flax has no such kind; if the stack has peepholes or projections; if an entry
        is missing, is one too many, or has a wrong shape or dtype.

    >>> cell = {"input_kernel": np.ones((2, 1)), "recurrent_kernel": np.ones((1, 1))}
    >>> ((tree,),) = to_flax((({**cell, "bias": np.array([7.0])},),), "rnn")
    >>> tree["i"]["bias"]
    array([7.])
    """
    return tuple(
        tuple(_tree(weights, kind) for weights in directions)
        for directions in check_stack(stack, kind, LAYOUT)
    )


def _suffixes(kind: Kind) -> str | tuple[str, ...]:
    """What stands behind i and h in the name of each block."""
    return ("",) if kind in ("rnn", "rnn_relu") else BLOCKS[kind]


def _cell(entries: Mapping[str, Any], kind: Kind, below: int | str, place: str) -> Weights:
    suffixes = _suffixes(kind)
    first = check_entry(entries, f"h{suffixes[0]}/kernel", ("hidden", "hidden"), place)
    hidden, shapes = first.shape[0], {}
    for suffix in suffixes:
        shapes[f"i{suffix}/kernel"] = (below, hidden)
        shapes[f"h{suffix}/kernel"] = (hidden, hidden)
        shapes[f"{'h' if kind == 'lstm' else 'i'}{suffix}/bias"] = (hidden,)
    if kind == "gru":
        shapes["hn/bias"] = (hidden,)
    entries = check_entries(entries, shapes, place)
    joined = lambda form: np.concatenate([entries[form.format(s)] for s in suffixes], axis=-1)
    weights = {
        "input_kernel": joined("i{}/kernel"),
        "recurrent_kernel": joined("h{}/kernel"),
        "bias": joined("h{}/bias" if kind == "lstm" else "i{}/bias"),
    }
    return weights | ({"candidate_bias": entries["hn/bias"]} if kind == "gru" else {})


def _tree(weights: Weights, kind: Kind) -> dict[str, dict[str, np.ndarray]]:
    suffixes = _suffixes(kind)
    tree: dict[str, dict[str, np.ndarray]] = {}
    for name, entry, side in (
        ("input_kernel", "kernel", "i"),
        ("recurrent_kernel", "kernel", "h"),
        ("bias", "bias", "h" if kind == "lstm" else "i"),
    ):
        for suffix, block in zip(
            suffixes, np.split(weights[name], len(suffixes), axis=-1), strict=True
        ):
            tree.setdefault(f"{side}{suffix}", {})[entry] = np.ascontiguousarray(block)
    if kind == "gru":
        tree["hn"]["bias"] = weights["candidate_bias"]
    return tree


def _flat(tree: Mapping[str, Any]) -> dict[str, Any]:
    flat = {}
    for name, inner in tree.items():
        if isinstance(inner, Mapping):
            flat |= {f"{name}/{leaf}": array for leaf, array in inner.items()}
        else:
            flat[name] = inner
    return flat

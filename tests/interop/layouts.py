"""The formats as their makers describe them, written block by block and from nothing of ours."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from interop.stacks import FEATURES, HIDDEN, normal

from seqjax.interop.flax import from_flax, to_flax
from seqjax.interop.keras import from_keras, to_keras
from seqjax.interop.onnx import from_onnx, to_onnx
from seqjax.interop.torch import from_torch, to_torch

OURS = {"lstm": "ifgo", "gru": "rzn", "gru_reset_before": "rzn", "rnn": "h", "rnn_relu": "h"}


class Block(NamedTuple):
    """A block of a cell: features times hidden, hidden times hidden, and two biases."""

    x: np.ndarray
    h: np.ndarray
    b: np.ndarray
    c: np.ndarray


def draw_blocks(kind, seed=0, features=FEATURES):
    rng = np.random.default_rng(seed)
    shapes = ((features, HIDDEN), (HIDDEN, HIDDEN), (HIDDEN,), (HIDDEN,))
    return {name: Block(*(normal(rng, *shape) for shape in shapes)) for name in OURS[kind]}


def join(blocks, order, part):
    """Returns one part of all blocks side by side."""
    return np.concatenate([getattr(blocks[name], part) for name in order], axis=-1)


def ours(blocks, kind):
    """Returns what the equations of the oracle take."""
    order = OURS[kind]
    bias = {"bias": join(blocks, order, "b") + join(blocks, order, "c")}
    if kind == "gru":
        n = blocks["n"]
        gates = [blocks[name].b + blocks[name].c for name in "rz"]
        bias = {"bias": np.concatenate([*gates, n.b]), "candidate_bias": n.c}
    return {
        "input_kernel": join(blocks, order, "x"),
        "recurrent_kernel": join(blocks, order, "h"),
        **bias,
    }


def torch_layout(blocks, order, kind):
    del kind
    return {
        "weight_ih_l0": join(blocks, order, "x").T,
        "weight_hh_l0": join(blocks, order, "h").T,
        "bias_ih_l0": join(blocks, order, "b"),
        "bias_hh_l0": join(blocks, order, "c"),
    }


def keras_layout(blocks, order, kind):
    b, c = join(blocks, order, "b"), join(blocks, order, "c")
    bias = np.stack([b, c]) if kind == "gru" else b + c
    return [[join(blocks, order, "x"), join(blocks, order, "h"), bias]]


def onnx_layout(blocks, order, kind):
    del kind
    bias = np.concatenate([join(blocks, order, "b"), join(blocks, order, "c")])
    return [
        {
            "W": join(blocks, order, "x").T[None],
            "R": join(blocks, order, "h").T[None],
            "B": bias[None],
        }
    ]


def flax_layout(blocks, order, kind):
    tree = {}
    for name, block in zip([""] if kind == "rnn" else OURS[kind], order, strict=True):
        part = blocks[block]
        tree[f"i{name}"] = {"kernel": part.x}
        tree[f"h{name}"] = {"kernel": part.h}
        if kind == "gru" and name == "n":
            tree["in"]["bias"], tree["hn"]["bias"] = part.b, part.c
        else:
            tree[f"{'h' if kind == 'lstm' else 'i'}{name}"]["bias"] = part.b + part.c
    return [[tree]]


class Format(NamedTuple):
    layout_fn: Callable
    from_fn: Callable
    to_fn: Callable
    orders: dict[str, str]


FORMATS = {
    "torch": Format(torch_layout, from_torch, to_torch, {"lstm": "ifgo", "gru": "rzn", "rnn": "h"}),
    "keras": Format(
        keras_layout,
        from_keras,
        to_keras,
        {"lstm": "ifgo", "gru": "zrn", "gru_reset_before": "zrn", "rnn": "h"},
    ),
    "flax": Format(flax_layout, from_flax, to_flax, {"lstm": "ifgo", "gru": "rzn", "rnn": "h"}),
    "onnx": Format(
        onnx_layout,
        from_onnx,
        to_onnx,
        {"lstm": "iofg", "gru": "zrn", "gru_reset_before": "zrn", "rnn": "h"},
    ),
}
PAIRS = [(name, kind) for name, form in FORMATS.items() for kind in form.orders]

"""A stack of recurrent layers as plain arrays, and what all formats need to read and write one.

A stack is a tuple over layers, from the bottom up, of tuples over directions, forward before
backward, of the parameters of one cell. A bidirectional layer hands both outputs, side by side, to
the layer above.
"""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from jaxtyping import Shaped

from seqjax.cells.cell import RecurrentCell
from seqjax.cells.gru import GRUCell
from seqjax.cells.lstm import LSTMCell
from seqjax.cells.lstm_variant import VARIANTS
from seqjax.cells.rnn import RNNCell
from seqjax.interop.entries import check_entries, check_entry

Kind = Literal["lstm", "gru", "gru_reset_before", "rnn", "rnn_relu"]
"""What arrays alone do not say. The GRU is the one that resets after the recurrent product, unless
its kind says before; `rnn` has a tanh. Peepholes and projections are seen from the arrays. An LSTM
without the activation of its input or output has the arrays of one with it and is none of these."""

Weights = dict[str, Any]
"""The parameters of one cell: NumPy arrays where this package made them, else any arrays."""

Stack = tuple[tuple[Weights, ...], ...]
"""`stack[layer][direction]` is the parameters of a cell."""

BLOCKS: dict[str, str] = {
    "lstm": "ifgo",
    "gru": "rzn",
    "gru_reset_before": "rzn",
    "rnn": "h",
    "rnn_relu": "h",
}
"""The blocks of our kernels, in their order on the last axis."""

DIRECTIONS = ("forward", "backward")


class Layout(NamedTuple):
    """What a format can hold.

    Attributes:
      name: What messages call it.
      blocks: The kinds of cells that it knows, and the order of their blocks.
      optional: Which of our entries `peepholes` and `projection` it has a place for.
    """

    name: str
    blocks: dict[str, str]
    optional: tuple[str, ...] = ()

    def order(self, kind: Kind) -> str:
        """Returns the order of a kind's blocks.

        Raises:
          ValueError: If the format does not know the kind.
        """
        if kind not in self.blocks:
            raise ValueError(
                f"kind must be one that {self.name} has ({', '.join(self.blocks)}), got {kind!r}"
            )
        return self.blocks[kind]


def reorder_blocks(
    values: Shaped[np.ndarray, "*axes"], stored: str, wanted: str, axis: int = -1
) -> Shaped[np.ndarray, "*axes"]:
    """Returns a copy whose blocks along an axis stand in another order.

    >>> reorder_blocks(np.array([1, 2, 30, 40, 5, 6]), "zrn", "rzn").tolist()
    [30, 40, 1, 2, 5, 6]
    """
    blocks = dict(zip(stored, np.split(values, len(stored), axis=axis), strict=True))
    return np.concatenate([blocks[name] for name in wanted], axis=axis)


def transposed(
    values: Shaped[np.ndarray, "*leading rows columns"],
) -> Shaped[np.ndarray, "*leading columns rows"]:
    """Returns a copy with its last two axes changed over.

    >>> transposed(np.array([[1, 2, 3]])).shape
    (3, 1)
    """
    return np.ascontiguousarray(np.swapaxes(values, -1, -2))


def merge_biases(
    input_bias: Shaped[np.ndarray, " n_hidden"],
    recurrent_bias: Shaped[np.ndarray, " n_hidden"],
    kind: Kind,
) -> Weights:
    """Returns the bias entries of a cell for two biases, blocks in our order.

    Both are added up, but for the candidate of a GRU that resets after the product: there the
    recurrent one stands inside of what the reset gate scales.

    >>> merge_biases(np.array([1.0, 2.0, 3.0]), np.array([10.0, 20.0, 30.0]), "gru")
    {'bias': array([11., 22.,  3.]), 'candidate_bias': array([30.])}
    """
    if kind != "gru":
        return {"bias": input_bias + recurrent_bias}
    gates, candidate = np.split(recurrent_bias, [2 * len(recurrent_bias) // 3])
    inside = np.concatenate([gates, np.zeros_like(candidate)])
    return {"bias": input_bias + inside, "candidate_bias": candidate}


def split_biases(
    weights: Weights,
) -> tuple[Shaped[np.ndarray, " n_hidden"], Shaped[np.ndarray, " n_hidden"]]:
    """Returns two biases with all in the first one, but for what a GRU must have in the second.

    >>> split_biases({"bias": np.array([11.0, 22.0, 3.0]), "candidate_bias": np.array([30.0])})
    (array([11., 22.,  3.]), array([ 0.,  0., 30.]))
    """
    bias = np.array(weights["bias"])
    recurrent = np.zeros_like(bias)
    if "candidate_bias" in weights:
        recurrent[-len(weights["candidate_bias"]) :] = weights["candidate_bias"]
    return bias, recurrent


def check_outline(directions: Sequence[int]) -> None:
    """Looks at how many directions each layer has.

    Raises:
      ValueError: If there is no layer, or one with no direction or more than 2.

    >>> check_outline([])
    Traceback (most recent call last):
    ValueError: there must be layers, each of 1 or 2 directions, got []
    """
    if not directions or any(number not in (1, 2) for number in directions):
        raise ValueError(f"there must be layers, each of 1 or 2 directions, got {list(directions)}")


def check_stack(stack: Stack, kind: Kind, layout: Layout) -> Stack:
    """Returns a copy of a stack that a format can hold.

    Raises:
      ValueError: If the format does not know the kind or has no place for peepholes or for a
        projection; if an entry is missing, is one too many, or has a wrong shape or dtype; if a
        layer does not read what the one below it puts out.
    """
    layout.order(kind)
    check_outline([len(directions) for directions in stack])
    checked, below = [], "input"
    for layer, directions in enumerate(stack):
        cells, first = [], {}
        for direction, weights in zip(DIRECTIONS, directions, strict=False):
            place = f"layer {layer} {direction} "
            for name in ("peepholes", "projection"):
                if name in weights and name not in layout.optional:
                    raise ValueError(f"{place}{name} has no place in {layout.name}")
            shapes = first or _shapes_of(weights, kind, below, place)
            cells.append(check_entries(weights, shapes, place))
            # both directions are alike
            first = {name: array.shape for name, array in cells[-1].items()}
        below = len(cells) * output_size(cells[0])
        checked.append(tuple(cells))
    return tuple(checked)


def hidden_size(weights: Weights) -> int:
    """Returns how many units a cell has.

    >>> hidden_size({"recurrent_kernel": np.zeros((2, 12)), "projection": np.zeros((3, 2))})
    3
    """
    return (
        weights["projection"] if "projection" in weights else weights["recurrent_kernel"]
    ).shape[0]


def output_size(weights: Weights) -> int:
    """Returns how many features a cell puts out.

    >>> output_size({"recurrent_kernel": np.zeros((2, 12)), "projection": np.zeros((3, 2))})
    2
    """
    return weights["recurrent_kernel"].shape[0]


def cell_shapes(
    kind: Kind,
    input_size: int | str,
    hidden_size: int,
    output_size: int | None = None,
    *,
    peepholes: bool = False,
) -> dict[str, tuple[int | str, ...]]:
    """Returns the shapes of a cell's parameters.

    Args:
      kind: Which cell.
      input_size: Features of its input.
      hidden_size: Its units.
      output_size: Features of its output, if there is a projection.
      peepholes: Whether there are.

    >>> cell_shapes("rnn", 2, 3)
    {'input_kernel': (2, 3), 'recurrent_kernel': (3, 3), 'bias': (3,)}
    """
    width = len(BLOCKS[kind]) * hidden_size
    shapes: dict[str, tuple[int | str, ...]] = {
        "input_kernel": (input_size, width),
        "recurrent_kernel": (output_size or hidden_size, width),
        "bias": (width,),
    }
    if kind == "gru":
        shapes["candidate_bias"] = (hidden_size,)
    if peepholes:
        shapes["peepholes"] = (3, hidden_size)
    if output_size is not None:
        shapes["projection"] = (hidden_size, output_size)
    return shapes


def build_cells(stack: Stack, kind: Kind) -> tuple[tuple[RecurrentCell, ...], ...]:
    """Returns the module of every cell of a stack: `cell.apply({"params": weights}, ...)`.

    Raises:
      ValueError: If the stack is not one of this kind.

    >>> zeros = {name: np.zeros(shape) for name, shape in cell_shapes("gru", 2, 3).items()}
    >>> ((cell,),) = build_cells(((zeros,),), "gru")
    >>> cell.input_size, cell.hidden_size, cell.reset_after
    (2, 3, True)
    """
    everything = Layout("this library", BLOCKS, ("peepholes", "projection"))
    return tuple(
        tuple(_cell_of(weights, kind) for weights in directions)
        for directions in check_stack(stack, kind, everything)
    )


def _cell_of(weights: Weights, kind: Kind) -> RecurrentCell:
    sizes = (weights["input_kernel"].shape[0], hidden_size(weights))
    match kind:
        case "lstm":
            variant = VARIANTS["peepholes" if "peepholes" in weights else "standard"]
            projected = output_size(weights) if "projection" in weights else None
            return LSTMCell(*sizes, variant=variant, output_size=projected)
        case "gru" | "gru_reset_before":
            return GRUCell(*sizes, reset_after=kind == "gru")
        case "rnn" | "rnn_relu":
            return RNNCell(*sizes, activation="relu" if kind == "rnn_relu" else "tanh")


def _shapes_of(
    weights: Weights, kind: Kind, below: int | str, place: str
) -> dict[str, tuple[int | str, ...]]:
    # The hidden size is taken so that a kernel the wrong way round is told by its own name.
    kernel = check_entry(weights, "recurrent_kernel", ("output", "blocks * hidden"), place)
    if "projection" not in weights:
        return cell_shapes(kind, below, min(kernel.shape), peepholes="peepholes" in weights)
    projection = check_entry(weights, "projection", ("hidden", "output"), place)
    return cell_shapes(
        kind, below, max(projection.shape), min(projection.shape), peepholes="peepholes" in weights
    )

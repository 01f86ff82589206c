"""Cells of equal size: how wide a cell must be to have a given number of weights."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from seqjax.cells.cell import Cell


def count_weights(cell: Cell, input_size: int) -> int:
    """Returns how many numbers the weights of a cell are; nothing is computed.

    >>> from seqjax.cells.rnn import RNNCell
    >>> count_weights(RNNCell(3, 4), 3)
    32
    """
    module: Any = cell
    init = lambda key: module.init(key, cell.initial_carry(1), jnp.zeros((1, input_size)))
    shapes = jax.eval_shape(init, jax.random.key(0))
    return sum(leaf.size for leaf in jax.tree.leaves(shapes))


def hidden_size_for(
    weights: int, kind: Callable[[int, int], Cell], *, input_size: int | None = None
) -> int:
    """Returns the hidden size with which a cell comes nearest to a number of weights.

    For comparisons at equal parameters: cells of equal width differ up to four-fold.

    Args:
      weights: Wanted, biases and all.
      kind: `(input size, hidden size) -> cell`; wider ones must have more weights.
      input_size: Features of its input; by default its own hidden size, as between equal layers.

    Raises:
      ValueError: If already one unit has more than twice the weights.

    >>> from seqjax.cells.gru import GRUCell
    >>> from seqjax.cells.lstm import LSTMCell
    >>> hidden_size_for(2_100_000, LSTMCell), hidden_size_for(2_100_000, GRUCell)
    (512, 591)
    """

    def count(hidden: int) -> int:
        size = input_size or hidden
        return count_weights(kind(size, hidden), size)

    if count(1) > 2 * weights:
        raise ValueError(f"weights must be at least {count(1) // 2}, got {weights}")
    low, high = 1, 2
    while count(high) < weights:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        if count(middle) < weights:
            low = middle
        else:
            high = middle
    return min((low, high), key=lambda hidden: abs(count(hidden) - weights))

"""Everything that runs along time goes through `unroll`."""

from typing import Any, Literal

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from seqjax.cells.lstm import LSTMCell
from seqjax.masking import length_mask, where_valid
from seqjax.unroll.fused import fused_lstm
from seqjax.unroll.scan import scan_time


def unroll(
    cell: nn.Module,
    carry: Any,
    inputs: Float[Array, "batch time features"],
    lengths: Int[Array, " batch"],
    *,
    reverse: bool = False,
    method: Literal["auto", "scan", "fused"] = "auto",
) -> tuple[Any, Float[Array, "batch time hidden"]]:
    """Runs a cell over right-padded sequences.

    Args:
      cell: Any linen module `(carry, x) -> (carry, y)`. One that also has `project(inputs)` and
        `recur(carry, projected)` gets its inputs projected for all time steps in one product.
      carry: State before the first step.
      inputs: Right-padded; what stands at padding changes neither a value nor a gradient.
      lengths: Valid steps per row; a row of 0 gets back the carry it came with.
      reverse: Read every row from its own last valid step to its first. Outputs stay at the time
        of the input they belong to.
      method: `scan` is the reference. `fused` has a hand-written gradient and exists for
        `LSTMCell`. `auto` takes `fused` for an `LSTMCell`, `scan` for everything else.

    Returns:
      `(carry after the last valid step, outputs)`; outputs are exactly 0 at padding.

    Raises:
      ValueError: If `method` is `fused` and `cell` is not an `LSTMCell`.
    """
    mask = length_mask(lengths, inputs.shape[1])
    inputs = where_valid(mask, inputs)
    if method == "auto":
        method = "fused" if type(cell) is LSTMCell else "scan"
    match method:
        case "fused":
            if not isinstance(cell, LSTMCell):
                raise ValueError(f"method='fused' needs an LSTMCell, got {type(cell).__name__}")
            projected = cell.project(jnp.swapaxes(inputs, 0, 1))  # batch time x -> time batch gates
            carry, outputs = fused_lstm(
                cell.recurrent_kernel, cell.bias, carry, projected, mask.T, reverse=reverse
            )
            return carry, jnp.swapaxes(outputs, 0, 1)
        case "scan":
            if hasattr(cell, "project") and hasattr(cell, "recur"):
                inputs, step = cell.project(inputs), lambda cell, carry, x: cell.recur(carry, x)
            else:
                step = lambda cell, carry, x: cell(carry, x)
            return scan_time(step, cell, carry, inputs, mask, reverse=reverse)

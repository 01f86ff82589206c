"""Everything that runs along time goes through `unroll`."""

from typing import Any, Literal, Protocol, runtime_checkable

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from seqjax.cells.cell import Cell, HiddenCarry, ProductCell, RecurrentCell
from seqjax.cells.minimal import LinearCell
from seqjax.masking import length_mask, where_valid
from seqjax.unroll.chunks import in_chunks
from seqjax.unroll.cudnn import cudnn_scan
from seqjax.unroll.fused import StepFns, fused_scan
from seqjax.unroll.parallel import linear_recurrence
from seqjax.unroll.scan import scan_time

UnrollMethod = Literal["auto", "scan", "fused", "parallel", "cudnn"]


@runtime_checkable
class UnrollFn(Protocol):
    """`unroll`, perhaps with some of its choices made."""

    def __call__(
        self, cell: Cell, carry: Any, inputs: Any, lengths: Any, *, reverse: bool = False
    ) -> tuple[Any, Array]: ...


def unroll(
    cell: Cell,
    carry: Any,
    inputs: Float[Array, "batch time features"],
    lengths: Int[Array, " batch"],
    *,
    reverse: bool = False,
    method: UnrollMethod = "auto",
    keep_every: int | None = None,
) -> tuple[Any, Float[Array, "batch time hidden"]]:
    """Runs a cell over right-padded sequences.

    Args:
      cell: Any cell. A `RecurrentCell` gets its inputs projected for all time steps in one product.
      carry: State before the first step.
      inputs: Right-padded; what stands at padding changes neither a value nor a gradient.
      lengths: Valid steps per row; a row of 0 gets back the carry it came with.
      reverse: Read every row from its own last valid step to its first. Outputs stay at the time
        of the input they belong to.
      method: `scan` is the reference and takes any cell. `fused` takes a `ProductCell`, and the
        gradient of its product for all time steps in one. `parallel` takes a `LinearCell`. `auto`
        is the one of these two that takes the cell, or else `scan`. `cudnn` takes a standard
        `LSTMCell` in float32, on a GPU.
      keep_every: If given, only the state of every so many steps is kept for the gradient, and what
        lies between is computed again; see `in_chunks`. `scan` and `cudnn` keep everything.

    Returns:
      `(carry after the last valid step, outputs)`; outputs are exactly 0 at padding.

    Raises:
      ValueError: If the method does not take the cell, or not `keep_every`.
      RuntimeError: If cuDNN computes something else than `scan` here.
    """
    mask = length_mask(lengths, inputs.shape[1])
    inputs = where_valid(mask, inputs)
    method = _chosen(cell, method)
    if keep_every is not None and method in ("scan", "cudnn"):
        raise ValueError(f"keep_every must be None for method {method!r}, got {keep_every}")
    if method == "scan":
        return _scanned(cell, carry, inputs, mask, reverse)
    if method == "cudnn":
        return cudnn_scan(cell, carry, inputs, lengths, reverse=reverse)
    run_fn: Any = (
        _fused(cell, inputs.shape[0], reverse) if method == "fused" else _parallel(cell, reverse)
    )
    time_first = lambda leaf: jnp.swapaxes(leaf, 0, 1)
    if keep_every is None:
        carry, outputs = run_fn(carry, time_first(inputs), mask.T)
    else:
        carry, outputs = in_chunks(
            run_fn, carry, time_first(inputs), mask.T, every=keep_every, reverse=reverse
        )
    return carry, time_first(outputs)


def _scanned(cell: Cell, carry: Any, inputs: Any, mask: Any, reverse: bool) -> tuple[Any, Array]:
    if not isinstance(cell, RecurrentCell):
        step = lambda cell, carry, x: cell(carry, x)
        return scan_time(step, cell, carry, inputs, mask, reverse=reverse)
    drawn = cell.draw(inputs.shape[0])
    step = lambda cell, carry, x: cell.recur(carry, x, drawn)
    return scan_time(step, cell, carry, cell.project(inputs), mask, reverse=reverse)


def _fused(cell: Any, rows: int, reverse: bool):
    """Returns `(carry, inputs, mask) -> (carry, outputs)`, time first, of a `ProductCell`."""
    drawn = cell.draw(rows)

    def run(carry, inputs, mask):
        return fused_scan(
            StepFns(cell.multiply_fn, *cell.gradient_fns),
            drawn,
            cell.unit_weights(),
            carry,
            cell.project(inputs),
            mask,
            reverse=reverse,
        )

    return run


def _parallel(cell: Any, reverse: bool):
    """Returns `(carry, inputs, mask) -> (carry, outputs)`, time first, of a `LinearCell`."""

    def run(carry, inputs, mask):
        decay, addition = cell.project(inputs)
        hidden, outputs = linear_recurrence(carry.hidden, decay, addition, mask, reverse=reverse)
        return HiddenCarry(hidden), outputs

    return run


def _chosen(cell: Cell, method: UnrollMethod) -> UnrollMethod:
    takes = {"fused": ProductCell, "parallel": LinearCell}
    if method == "auto":
        fitting = (name for name, kind in takes.items() if isinstance(cell, kind))
        return next(fitting, "scan")  # pyright: ignore[reportReturnType]
    kind = takes.get(method)
    if kind is not None and not isinstance(cell, kind):
        raise ValueError(f"method {method!r} takes a {kind.__name__}, got {type(cell).__name__}")
    return method

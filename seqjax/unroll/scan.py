"""The reference way through time: `nn.scan` over any cell, and the same without weights."""

from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool

from seqjax.masking import where_rows


def scan_time(
    step: Any,
    module: Any,
    carry: Any,
    inputs: Any,
    mask: Bool[Array, "batch time"],
    *,
    reverse: bool = False,
) -> tuple[Any, Any]:
    """Runs `step(module, carry, x) -> (carry, y)` along axis 1 of `inputs`, skipping padding.

    Args:
      step: One time step; `module` is the linen module whose parameters it uses, the same at every
        time, while its dropout differs from step to step.
      carry: Any pytree of arrays that lead with `batch`.
      inputs: Any pytree of arrays `[batch, time, ...]`.
      mask: True where a step is valid. Elsewhere the carry stays as it was and `y` is 0.
      reverse: Start at the last time step; with right-padded rows that is each row's own last
        valid step, because the padding before it changes nothing.

    Returns:
      `(carry after the last valid step, ys)` with leaves `[batch, time, ...]`; the carry of a row
      without valid steps is the one it came with.
    """

    def body(module, carry, scanned):
        return _valid_step(lambda carry, x: step(module, carry, x), carry, *scanned)

    scan = nn.scan(
        body,
        variable_broadcast="params",
        split_rngs={"params": False, "dropout": True},
        in_axes=1,
        out_axes=1,
        reverse=reverse,
    )
    return scan(module, carry, (inputs, mask))


def scan_steps(
    step: Callable[[Any, Any], tuple[Any, Any]],
    carry: Any,
    inputs: Any,
    mask: Bool[Array, "time batch"],
    *,
    reverse: bool = False,
) -> tuple[Any, Any]:
    """Returns what `scan_time` does of a step that has no weights; time first.

    Args:
      step: `(carry, x) -> (carry, y)`, one time step.
      carry: Any pytree of arrays that lead with `batch`.
      inputs: Any pytree of arrays `[time, batch, ...]`.
      mask: True where a step is valid. Elsewhere the carry stays as it was and `y` is 0.
      reverse: Start at the last time step.
    """
    body = lambda carry, scanned: _valid_step(step, carry, *scanned)
    return jax.lax.scan(body, carry, (inputs, mask), reverse=reverse)


def _valid_step(
    step: Callable[[Any, Any], tuple[Any, Any]], carry: Any, x: Any, valid: Bool[Array, " batch"]
) -> tuple[Any, Any]:
    new_carry, y = step(carry, x)
    new_carry = jax.tree.map(lambda new, old: where_rows(valid, new, old), new_carry, carry)
    return new_carry, jax.tree.map(lambda v: where_rows(valid, v, jnp.zeros_like(v)), y)

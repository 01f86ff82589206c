"""Long sequences in less memory: chunk by chunk, each computed again when its gradient is taken."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool


def in_chunks(
    run_fn: Callable[[Any, Any, Bool[Array, "chunk batch"]], tuple[Any, Any]],
    carry: Any,
    steps: Any,
    mask: Bool[Array, "time batch"],
    *,
    every: int,
    reverse: bool = False,
) -> tuple[Any, Any]:
    """Returns what `run_fn(carry, steps, mask)` returns of the whole sequence; time first.

    For the gradient, only what goes from chunk to chunk is kept, and the inputs: with chunks of the
    square root of the length that is all it takes to have the memory grow with that root, for one
    forward pass more.

    Args:
      run_fn: Runs over some time steps: `(carry, steps, mask) -> (carry, outputs)`.
      carry: State before the first step.
      steps: Leaves `[time, batch, ...]`.
      mask: True where a step is valid; elsewhere `run_fn` passes the carry through.
      every: Time steps of a chunk; the last one is filled up with steps that are not valid.
      reverse: Begin with the last chunk; `run_fn` then reads its steps backwards.

    References:
      Chen et al., "Training deep nets with sublinear memory cost", 2016.
    """
    time = mask.shape[0]
    every = max(1, min(every, time))
    count = -(-time // every)

    def cut(leaf):
        room = ((0, count * every - time),) + ((0, 0),) * (leaf.ndim - 1)
        return jnp.pad(leaf, room).reshape(count, every, *leaf.shape[1:])

    def body(carry, chunk):
        return run_fn(carry, *chunk)

    chunks = jax.tree.map(cut, (steps, mask))
    carry, outputs = jax.lax.scan(jax.checkpoint(body), carry, chunks, reverse=reverse)
    join = lambda leaf: leaf.reshape(count * every, *leaf.shape[2:])[:time]
    return carry, jax.tree.map(join, outputs)

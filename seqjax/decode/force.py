"""Scoring what is given."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from seqjax.decode.distribution import normalised
from seqjax.decode.logits.chain import chain
from seqjax.decode.protocol import AnyState, LogitsProcessor, StepFn


def force(
    step_fn: StepFn,
    state: AnyState,
    tokens: Int[Array, "rows time"],
    lengths: Int[Array, " rows"],
    *,
    bos_id: int,
    processor: LogitsProcessor = chain(),
) -> Float[Array, "rows time"]:
    """Returns the log-probability of every given token after those before it; 0 at padding.

    Args:
      step_fn: The model.
      state: Its state before the first step, one row per row of `tokens`.
      tokens: What is to be scored, EOS included where it is meant.
      lengths: Valid tokens of each row.
      bos_id: Read before the first token.
      processor: As in the search whose scores are to be recomputed.
    """
    rows, time = tokens.shape

    def step(state, position):
        last = jnp.where(position > 0, tokens[:, position - 1], bos_id)
        logits, state = step_fn(last, state)
        here = jnp.broadcast_to(position, (rows,))
        log_probs = normalised(processor(logits, tokens, here))
        return state, jnp.take_along_axis(log_probs, tokens[:, position][:, None], axis=1)[:, 0]

    _, scored = jax.lax.scan(step, state, jnp.arange(time, dtype=jnp.int32))
    return jnp.where(jnp.arange(time)[None] < lengths[:, None], scored.T, 0.0)

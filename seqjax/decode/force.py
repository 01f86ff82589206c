"""Scoring what is given."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from seqjax.decode.distribution import processed
from seqjax.decode.logits.chain import chain
from seqjax.decode.protocol import AnyState, LogitsProcessor, StepFn
from seqjax.masking import where_rows


class Forced(NamedTuple):
    """What comes of given tokens.

    Attributes:
      log_probs: `[rows, time]` of every token after those before it, in nats; 0 at padding.
      state: The model's, after it has said the last token of each row.
    """

    log_probs: Float[Array, "rows time"]
    state: AnyState


def force(
    step_fn: StepFn,
    state: AnyState,
    tokens: Int[Array, "rows time"],
    lengths: Int[Array, " rows"],
    *,
    bos_id: int,
    processor: LogitsProcessor = chain(),
    renormalise: bool = True,
) -> Forced:
    """Returns what a model makes of given tokens.

    Args:
      step_fn: The model.
      state: Its state before the first step, one row per row of `tokens`.
      tokens: What is to be scored, EOS included where it is meant.
      lengths: Valid tokens of each row.
      bos_id: Read before the first token.
      processor, renormalise: As in the search whose scores are to be recomputed.
    """
    rows, time = tokens.shape

    def step(state, position):
        last = jnp.where(position > 0, tokens[:, position - 1], bos_id)
        logits, new = step_fn(last, state)
        here = jnp.broadcast_to(position, (rows,))
        logits, log_total = processed(logits, tokens, here, processor, renormalise=renormalise)
        said = jnp.take_along_axis(logits, tokens[:, position][:, None], axis=1)[:, 0]
        goes_on = position < lengths
        keep = lambda old, new: where_rows(goes_on, new, old)
        return jax.tree.map(keep, state, new), jnp.where(goes_on, said - log_total, 0.0)

    state, scored = jax.lax.scan(step, state, jnp.arange(time, dtype=jnp.int32))
    return Forced(scored.T, state)

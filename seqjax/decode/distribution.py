"""The distribution over the token that comes next: normalising it, and the best of it."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from seqjax.decode.protocol import AnyState, LogitsProcessor

BLOCK = 32
"""Width of the blocks in which `best` looks for large values first."""


class Next(NamedTuple):
    """What comes next after each hypothesis, after the processors.

    Attributes:
      logits: `[batch, width, vocab]`, of which none is NaN or `+inf`; `-inf` is forbidden.
      log_total: `[batch, width]` to be subtracted from them to get log-probabilities in nats.
      state: The model's state after this step, `[batch, width, ...]`.
    """

    logits: Float[Array, "batch width vocab"]
    log_total: Float[Array, "batch width"]
    state: AnyState

    def log_probs(self) -> Float[Array, "batch width vocab"]:
        """Returns log-probabilities in nats of all tokens."""
        return self.logits - self.log_total[..., None]

    def log_prob_of(self, tokens: Int[Array, "batch width n"]) -> Float[Array, "batch width n"]:
        """Returns log-probabilities of the given tokens after each hypothesis."""
        logits = jnp.take_along_axis(self.logits, tokens, axis=-1)
        return logits - self.log_total[..., None]

    def best(self, count: int) -> tuple[Float[Array, "batch width n"], Int[Array, "batch width n"]]:
        """Returns log-probabilities and ids of the most likely tokens after each hypothesis."""
        logits, tokens = best(self.logits, min(count, self.logits.shape[-1]))
        return logits - self.log_total[..., None], tokens


def as_logits(values: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Returns the values as float32, with NaN and `+inf`, which are no logits, forbidden."""
    return jnp.where(values < jnp.inf, values, -jnp.inf).astype(jnp.float32)


def log_sum(logits: Float[Array, "*shape vocab"]) -> Float[Array, "*shape"]:
    """Returns the logarithm of the sum of exponentials; 0 where everything is forbidden."""
    top = jnp.max(logits, axis=-1)
    top = jnp.where(top == -jnp.inf, 0.0, top)
    total = jnp.sum(jnp.exp(logits - top[..., None]), axis=-1)
    return top + jnp.log(jnp.where(total == 0.0, 1.0, total))


def normalised(logits: Float[Array, "*shape vocab"]) -> Float[Array, "*shape vocab"]:
    """Returns log-probabilities in nats; NaN and `+inf` count as forbidden.

    Where everything is forbidden, all of them are `-inf`.
    """
    logits = as_logits(logits)
    return logits - log_sum(logits)[..., None]


def processed(
    logits: Float[Array, "rows vocab"],
    history: Int[Array, "rows max_length"],
    lengths: Int[Array, " rows"],
    processor: LogitsProcessor,
    *,
    renormalise: bool,
) -> tuple[Float[Array, "rows vocab"], Float[Array, " rows"]]:
    """Returns logits after a processor, and what is subtracted to get log-probabilities.

    Args:
      logits: Of the model.
      history, lengths: The tokens of each row so far, and how many.
      processor: Changes them.
      renormalise: See `search`.
    """
    if renormalise:
        logits = as_logits(processor(logits, history, lengths))
        return logits, log_sum(logits)
    logits = as_logits(processor(normalised(logits), history, lengths))
    return logits, jnp.zeros(logits.shape[:1])


def best(
    values: Float[Array, "*shape size"], count: int
) -> tuple[Float[Array, "*shape n"], Int[Array, "*shape n"]]:
    """Returns the `count` largest values and where they stand; of equal ones the first come first.

    The same as `jax.lax.top_k`, which looks at one value after the other: here most are only
    compared block by block. Each of the largest stands in one of the `count` blocks with the
    largest maxima, for else each of these would hold a larger value, or an equal one before it.
    """
    blocks, rest = divmod(values.shape[-1], BLOCK)
    if blocks < 2 * count:
        found, index = jax.lax.top_k(values, count)
        return found, index
    whole = values[..., : blocks * BLOCK].reshape(*values.shape[:-1], blocks, BLOCK)
    _, chosen = jax.lax.top_k(jnp.max(whole, axis=-1), count)
    chosen = jnp.sort(chosen, axis=-1)[..., None]  # so that equal values keep their order
    inside = chosen * BLOCK + jnp.arange(BLOCK).reshape((1,) * values.ndim + (BLOCK,))
    places = inside.reshape(*values.shape[:-1], count * BLOCK)
    after = jnp.broadcast_to(
        jnp.arange(blocks * BLOCK, values.shape[-1]), (*values.shape[:-1], rest)
    )
    places = jnp.concatenate([places, after], axis=-1)
    found, index = jax.lax.top_k(jnp.take_along_axis(values, places, axis=-1), count)
    return found, jnp.take_along_axis(places, index, axis=-1)

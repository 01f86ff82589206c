"""What it costs to find likely what should not be said."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from seqjax.masking import length_mask
from seqjax.types import Mean, Padded

LEAST = 1e-6
"""A token is never taken to be likelier than 1 - LEAST: one costs at most 13.8 nats."""


def repetition_unlikelihood(logits: Float[Array, "batch time vocab"], targets: Padded) -> Mean:
    r"""Returns :math:`-\sum_c \log(1 - p(c))` over the earlier tokens of the row, per valid token.

    The candidates c of a token are the distinct targets before it in its row, but for itself.

    Args:
      logits: Raw scores; what stands at padding changes nothing.
      targets: Ids in `[0, vocab)`.

    References:
      Welleck et al., "Neural text generation with unlikelihood training", 2020, equations (2) to
      (5).
    """
    time = targets.values.shape[1]
    mask = length_mask(targets.lengths, time)
    ids = jnp.where(mask, targets.values, 0)
    same = ids[:, :, None] == ids[:, None, :]
    earlier = jnp.tril(jnp.ones((time, time), bool), -1)[None]
    is_new = ~jnp.any(same & earlier, axis=2)  # the first of its kind in the row
    candidate = mask[:, :, None] & earlier & ~same & is_new[:, None, :]
    of_time = jnp.broadcast_to(ids[:, None, :], same.shape)
    costs = unlikelihood(logits, of_time, candidate)
    return Mean(jnp.sum(costs), jnp.sum(mask).astype(jnp.float32))


def unlikelihood(
    logits: Float[Array, "batch time vocab"],
    tokens: Int[Array, "batch time candidates"],
    counts: Bool[Array, "batch time candidates"],
) -> Float[Array, "batch time candidates"]:
    r"""Returns :math:`-\log(1 - p(c))` of tokens, 0 where one does not count."""
    any_counts = jnp.any(counts, axis=-1, keepdims=True)
    logits = jnp.where(any_counts, logits, 0.0)  # no NaN of padding may reach a gradient
    said = jnp.take_along_axis(logits, jnp.where(counts, tokens, 0), axis=-1)
    log_probs = said - jax.nn.logsumexp(logits, axis=-1, keepdims=True)
    return jnp.where(counts, minus_log_of_rest(jnp.where(counts, log_probs, -1.0)), 0.0)


def minus_log_of_rest(log_probs: Float[Array, "*rows"]) -> Float[Array, "*rows"]:
    """Returns `-log(1 - p)` of log-probabilities, with p at most 1 - LEAST."""
    return -jnp.log(-jnp.expm1(jnp.minimum(log_probs, -LEAST)))


def repeats_ngram(
    tokens: Int[Array, "batch time"], lengths: Int[Array, " batch"], size: int
) -> Bool[Array, "batch time"]:
    """Returns where a token belongs to an n-gram that its row has had before.

    >>> repeats_ngram(jnp.array([[5, 6, 5, 6, 7]]), jnp.array([5]), 2).tolist()
    [[False, False, True, True, False]]
    """
    time = tokens.shape[1]
    if size > time:
        return jnp.zeros(tokens.shape, bool)
    starts = time - size + 1
    same = jnp.ones((tokens.shape[0], starts, starts), bool)
    for place in range(size):
        window = tokens[:, place : place + starts]
        same &= window[:, :, None] == window[:, None, :]
    earlier = jnp.tril(jnp.ones((starts, starts), bool), -1)[None]
    repeated = jnp.any(same & earlier, axis=2) & length_mask(lengths - size + 1, starts)
    covered = jnp.zeros(tokens.shape, bool)
    for place in range(size):
        covered |= jnp.pad(repeated, ((0, 0), (place, size - 1 - place)))
    return covered

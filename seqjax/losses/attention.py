"""Where attention falls: again, and on how much."""

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from seqjax.masking import length_mask
from seqjax.types import Mean


def coverage_loss(
    weights: Float[Array, "batch time source"], lengths: Int[Array, " batch"]
) -> Mean:
    r"""Returns how much attention falls where it had fallen before, per valid target token.

    The sum over source positions of :math:`\min(a_t, \sum_{s<t} a_s)`: 0 if no position is looked
    at twice, at most 1.

    Args:
      weights: Attention of each target token.
      lengths: Valid target tokens of each row.

    References:
      See, Liu & Manning, "Get to the point: summarization with pointer-generator networks", 2017,
      equation (12).
    """
    mask = length_mask(lengths, weights.shape[1])
    weights = jnp.where(mask[..., None], weights, 0.0)
    before = jnp.cumsum(weights, axis=1) - weights
    again = jnp.sum(jnp.minimum(weights, before))
    return Mean(again, jnp.sum(mask).astype(jnp.float32))


def attention_spread(
    weights: Float[Array, "batch time source"], lengths: Int[Array, " batch"]
) -> Mean:
    """Returns how evenly attention is spread, per valid target token: its entropy over the largest.

    The largest entropy is the logarithm of how many positions get any weight: 1 looks everywhere
    alike, 0 at one position. A token that has but one position to look at counts for nothing.

    Args:
      weights: Attention of each target token.
      lengths: Valid target tokens of each row.
    """
    looked = weights > 0
    positions = jnp.sum(looked, axis=-1)
    counted = length_mask(lengths, weights.shape[1]) & (positions > 1)
    nats = -jnp.sum(weights * jnp.log(jnp.where(looked, weights, 1.0)), axis=-1)
    spread = nats / jnp.log(jnp.maximum(positions, 2).astype(nats.dtype))
    total = jnp.sum(jnp.where(counted, spread, 0.0))
    return Mean(total, jnp.sum(counted).astype(jnp.float32))

"""How far numbers are from what they should be."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from seqjax.masking import length_mask, where_valid
from seqjax.types import Mean, Padded


def squared_error(said: Float[Array, "batch time numbers"], targets: Padded) -> Mean:
    """Returns the squared distance from the targets, summed over numbers, weighted by valid steps.

    Args:
      said: What stands at padding changes nothing, not even as NaN.
      targets: `[batch, time, numbers]`; padding may hold anything.
    """
    mask = length_mask(targets.lengths, said.shape[1])
    apart = where_valid(mask, said) - where_valid(mask, targets.values)
    return Mean(jnp.sum(jnp.square(apart)), jnp.sum(mask).astype(jnp.float32))

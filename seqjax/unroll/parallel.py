"""Cells that are linear in their state, at all time steps at once."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float


def linear_recurrence(
    carry: Float[Array, "batch hidden"],
    decay: Float[Array, "time batch hidden"],
    addition: Float[Array, "time batch hidden"],
    mask: Bool[Array, "time batch"],
    *,
    reverse: bool = False,
) -> tuple[Float[Array, "batch hidden"], Float[Array, "time batch hidden"]]:
    """Returns the last state, and all states, of `h' = decay * h + addition`; time first.

    The latter are 0 at padding. An associative scan: log2(time) rounds in which every time step
    is worked on at once.

    Args:
      carry: h before the first step.
      decay: Factors; where they lie in [0, 1] no product of them overflows.
      addition: Terms.
      mask: True where a step is valid; elsewhere the state passes through.
      reverse: Run from the last time step to the first.

    References:
      Blelloch, "Prefix sums and their applications", 1990, section 1.4.
    """
    mask = mask[..., None]
    decay, addition = jnp.where(mask, decay, 1.0), jnp.where(mask, addition, 0.0)

    def then(first, second):
        return first[0] * second[0], second[0] * first[1] + second[1]

    decays, additions = jax.lax.associative_scan(then, (decay, addition), axis=0, reverse=reverse)
    states = decays * carry[None] + additions
    final = states[0 if reverse else -1] if decay.shape[0] else carry
    return final, jnp.where(mask, states, jnp.zeros((), states.dtype))

"""Length penalties: what a hypothesis' log-probability is divided by. EOS counts as a token."""

from collections.abc import Callable

import jax.numpy as jnp
from jaxtyping import Array, Float

LengthPenalty = Callable[[Float[Array, "*shape"]], Float[Array, "*shape"]]
"""Positive and monotone in the length, so that a search can bound what is still to come."""


def average(alpha: float) -> LengthPenalty:
    """Returns `length ** alpha`: 1 ranks by the mean per token, 0 by the sum.

    The rule of fairseq and of Hugging Face transformers, both of which count EOS as well.
    """
    return lambda length: length**alpha


def gnmt(alpha: float) -> LengthPenalty:
    """Returns `((5 + length) / 6) ** alpha`; 0 ranks by the sum.

    References:
      Wu et al., "Google's neural machine translation system", 2016, equation 14.
    """
    return lambda length: ((5.0 + length) / 6.0) ** alpha


def best_possible(
    log_prob: Float[Array, " batch"],
    shortest: Float[Array, " batch"],
    longest: Float[Array, " batch"],
    length_penalty: LengthPenalty,
) -> Float[Array, " batch"]:
    """Returns the best score a hypothesis can still reach when it ends between two lengths.

    Its log-probability can only fall and is at most 0, so nothing beats keeping it and dividing it
    by the largest penalty; a monotone penalty is largest at one of the two ends.
    """
    return log_prob / jnp.maximum(length_penalty(shortest), length_penalty(longest))

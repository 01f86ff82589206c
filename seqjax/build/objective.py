"""From configuration to the parts of what training minimises."""

import functools
import math
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from seqjax.config import ObjectiveConfig
from seqjax.losses import cross_entropy

LEFT = 0.01
"""Part of the way that a curve which never arrives still has before it at its last step."""


def build_own_share(config: ObjectiveConfig) -> Callable[[Any], Float[Array, ""]] | None:
    """Returns the share of tokens that a decoder reads from itself, by updates before this one.

    Of the update number i, counted from 1, with N = `scheduled_sampling_steps`, it is the whole
    share times `i / N`, at most 1 (linear); `1 - k ** i` (exponential); `1 - k / (k + exp(i / k))`
    (inverse sigmoid, which is not quite 0 at the start), each k so that 1 % is left at N.

    Returns:
      None where nothing is to be read from it.

    References:
      Bengio et al., "Scheduled sampling for sequence prediction with recurrent neural networks",
      2015, section 2.4, of the share that stays true.
    """
    if not config.scheduled_sampling:
        return None
    steps = config.scheduled_sampling_steps
    if not steps:
        return lambda step: jnp.asarray(config.scheduled_sampling, jnp.float32)
    match config.scheduled_sampling_curve:
        case "linear":
            risen = lambda number: jnp.minimum(1.0, number / steps)
        case "exponential":
            risen = lambda number: 1 - LEFT ** (number / steps)
        case "inverse_sigmoid":
            # k / (k + exp(i / k)) without the exponential, which overflows.
            k = _inverse_sigmoid_constant(steps)
            risen = lambda number: 1 / (1 + k * jnp.exp(-number / k))
    return lambda step: config.scheduled_sampling * risen((step + 1).astype(jnp.float32))


def _inverse_sigmoid_constant(steps: int) -> float:
    """Returns k such that `k / (k + exp(steps / k))` is `LEFT`."""
    odds = (1 - LEFT) / LEFT  # exp(steps / k) / k
    low, high = 1e-3, float(steps)
    for _ in range(100):
        middle = (low + high) / 2
        too_small = steps / middle - math.log(middle) > math.log(odds)
        low, high = (middle, high) if too_small else (low, middle)
    return low


def build_cross_entropy(config: ObjectiveConfig) -> Callable[..., Any]:
    """Returns the cross-entropy that is learnt from, its labels smoothed as `config` says."""
    return functools.partial(
        cross_entropy,
        label_smoothing=config.label_smoothing,
        others_only=config.label_smoothing_kind == "others",
    )

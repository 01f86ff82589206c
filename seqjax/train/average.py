"""Averages of the weights along a training; what is evaluated and kept is the average."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

AverageFn = Callable[[Any, Any, Any, Any], Any]
"""`(average so far, new weights, updates before this one, weights in it) -> average`."""


def moving_average(decay: float) -> AverageFn:
    """Returns an exponential moving average whose decay warms up as (1 + n) / (10 + n).

    A weight that stays as it is has itself as its average, to the last bit.
    """

    def average_fn(average, params, step, averaged):
        del averaged
        now = jnp.minimum(decay, (1.0 + step) / (10.0 + step))
        mix = lambda mean, new: jnp.where(mean == new, new, now * mean + (1 - now) * new)
        return jax.tree.map(mix, average, params)

    return average_fn


def mean_since(average: Any, params: Any, step: Any, averaged: Any) -> Any:
    """Returns the mean of all weights since somebody set their number to 1; before, the new ones.

    References:
      Polyak and Juditsky, "Acceleration of stochastic approximation by averaging", 1992.
    """
    del step
    share = 1.0 / (averaged + 1.0)
    mix = lambda mean, new: jnp.where(averaged > 0, mean + share * (new - mean), new)
    return jax.tree.map(mix, average, params)

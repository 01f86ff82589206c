"""Runs of steps and of features that a source of vectors hides while it is learnt from."""

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from seqjax.cells.noise import noisy

RUNS = 2
"""Drawn of each kind for every row; they may overlap."""
MOST_STEPS = 5
"""A run of steps hides at most one in this many."""


def hide_runs(
    module: nn.Module,
    values: Float[Array, "batch time features"],
    lengths: Int[Array, " batch"],
    *,
    steps: int,
    features: int,
) -> Float[Array, "batch time features"]:
    """Returns `values` with `RUNS` runs of neighbouring steps, and of features, set to 0.

    For each row and run, how wide it is is drawn evenly between 0 and the widest that there may be,
    and then where it begins: `steps`, but no more than the row's length over `MOST_STEPS`; and
    `features`. All stay as they are if `module` does not learn. What was normalised has its mean
    at 0.

    References:
      Park et al., "SpecAugment: a simple data augmentation method for automatic speech
      recognition", 2019, section 2: time and frequency masks (there is no time warping), twice each
      as in its policies LD, SM and SS; of which SM and SS hide at most a fifth of the steps.
    """
    if not (steps or features) or not noisy(module):
        return values
    batch, time, size = values.shape
    widest_steps = jnp.minimum(steps, lengths // MOST_STEPS)
    widest_features = jnp.full(batch, min(features, size))
    for key in jax.random.split(module.make_rng("dropout"), RUNS):
        of_steps, of_features = jax.random.split(key)
        hidden_steps = draw_run(of_steps, widest_steps, lengths, time)
        hidden_features = draw_run(of_features, widest_features, jnp.full(batch, size), size)
        hidden = hidden_steps[:, :, None] | hidden_features[:, None, :]
        values = jnp.where(hidden, 0.0, values)
    return values


def draw_run(
    key: Array, widest: Int[Array, " batch"], extents: Int[Array, " batch"], size: int
) -> Bool[Array, "batch size"]:
    """Returns a run of at most `widest` of the first `extents` places of each row, drawn evenly."""
    of_width, of_start = jax.random.split(key)
    width = jax.random.randint(of_width, widest.shape, 0, widest + 1)
    start = jax.random.randint(of_start, widest.shape, 0, extents - width + 1)
    place = jnp.arange(size)[None]
    return (place >= start[:, None]) & (place < (start + width)[:, None])

"""What differs while learning: what is left out at random, and what products are computed in.

A module learns, or is noisy, if it was given a dropout key.
"""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from seqjax.types import ComputeDtype


def noisy(module: nn.Module) -> bool:
    """Whether `module` was applied with a key for dropout: learning, as opposed to being used."""
    return module.has_rng("dropout")


def compute_dtype_of(module: Any) -> ComputeDtype:
    """Returns what `module` rounds the operands of its products to: nothing unless it learns."""
    return module.compute_dtype if noisy(module) else None


def shared_mask(module: nn.Module, rate: float, shape: tuple[int, ...]) -> Any:
    """Returns a mask of 0 and 1 / (1 - rate) to multiply with, or `()` where nothing is dropped."""
    if not rate or not noisy(module):
        return ()
    stays = jax.random.bernoulli(module.make_rng("dropout"), 1 - rate, shape)
    return stays.astype(jnp.float32) / (1 - rate)


def kept(module: nn.Module, rate: float, values: Float[Array, "..."]) -> Float[Array, "..."]:
    """Returns `values` with a share of them set to 0 and the rest scaled up; all, without noise."""
    return masked(shared_mask(module, rate, values.shape), values)


def masked(mask: Any, values: Float[Array, "..."]) -> Float[Array, "..."]:
    """Returns `values` times a mask of `shared_mask`, which may be `()`."""
    return values if isinstance(mask, tuple) else values * mask.astype(values.dtype)

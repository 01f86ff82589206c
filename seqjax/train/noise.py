"""Noise that helps to learn: on gradients, and on weights while a gradient is computed."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Int

from seqjax.train.paths import map_with_paths, named
from seqjax.types import Key, Parameters

GAMMA = 0.55
"""How fast the noise on gradients falls (Neelakantan et al., 2015)."""
_GRADIENT, _WEIGHTS = 0x6EAD, 0x5EED
"""What keeps the draws of either apart from those of dropout, which has the key itself."""


class NoiseState(NamedTuple):
    """Updates made; a skipped one does not count."""

    count: Int[Array, ""]


def gradient_noise(eta: float) -> optax.GradientTransformationExtraArgs:
    r"""Returns what adds noise of variance $\eta / (1 + t)^{0.55}$ at update t, counted from 0.

    `update` needs a `key`, of which the draws are a function.

    References:
      Neelakantan et al., "Adding gradient noise improves learning for very deep networks", 2015.
    """

    def update(updates, state, params=None, **others: Any):
        del params
        deviation = jnp.sqrt(eta / (1.0 + state.count) ** GAMMA)
        noise = normal_like(updates, jax.random.fold_in(others["key"], _GRADIENT))
        noisy = jax.tree.map(lambda leaf, draw: leaf + deviation * draw, updates, noise)
        return noisy, NoiseState(state.count + 1)

    return optax.GradientTransformationExtraArgs(
        lambda params: NoiseState(jnp.zeros((), jnp.int32)), update
    )


def noisy_weights(
    params: Parameters, deviation: float, key: Key, without: Sequence[str] = ()
) -> Parameters:
    """Returns the weights with noise of this standard deviation.

    The gradient at these weights is the one that is used; the weights that it changes have none.

    Args:
      params: The weights.
      deviation: The same for all.
      key: Of which the noise is a function; others draw from it too.
      without: Patterns of weights that get none.

    References:
      Graves, "Practical variational inference for neural networks", 2011; as in Graves, "Speech
      recognition with deep recurrent neural networks", 2013, where it is drawn for each sequence;
      here for each part of a batch.
    """
    noise = normal_like(params, jax.random.fold_in(key, _WEIGHTS))
    add = lambda path, leaf, draw: leaf if named(path, without) else leaf + deviation * draw
    return map_with_paths(add, params, noise)


def normal_like(tree: Any, key: Key) -> Any:
    """Returns standard normal draws of the shapes of the tree, others for each leaf."""
    leaves, structure = jax.tree.flatten(tree)
    draws = [
        jax.random.normal(jax.random.fold_in(key, number), leaf.shape, leaf.dtype)
        for number, leaf in enumerate(leaves)
    ]
    return jax.tree.unflatten(structure, draws)

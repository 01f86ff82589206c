"""Weights that are not learnt: no gradient reaches them, and no optimizer knows them."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import optax

from seqjax.train.paths import map_with_paths, named


def still(params: Any, patterns: Sequence[str]) -> Any:
    """Returns the weights, those that the patterns name as constants of the loss.

    Their gradients are zeros, so that they count in no norm, and are not computed.
    """
    hold = lambda path, leaf: jax.lax.stop_gradient(leaf) if named(path, patterns) else leaf
    return map_with_paths(hold, params) if patterns else params


def learn_only(
    optimizer: optax.GradientTransformation, patterns: Sequence[str]
) -> optax.GradientTransformationExtraArgs:
    """Returns `optimizer` for all weights but those that the patterns name.

    It sees nothing of these, and they stay what they are to the last bit: what is added to them is
    -0, which leaves 0 and -0 alone too.
    """
    if not patterns:
        return optax.with_extra_args_support(optimizer)
    nothing = optax.stateless(
        lambda updates, params: jax.tree.map(lambda leaf: -jnp.zeros_like(leaf), updates)
    )
    label = lambda path, leaf: "frozen" if named(path, patterns) else "learnt"
    return optax.partition(
        {"learnt": optimizer, "frozen": nothing}, lambda tree: map_with_paths(label, tree)
    )


def count_learnt(params: Any, patterns: Sequence[str]) -> int:
    """Returns how many numbers are learnt."""
    sizes = map_with_paths(lambda path, leaf: 0 if named(path, patterns) else leaf.size, params)
    return sum(jax.tree.leaves(sizes))

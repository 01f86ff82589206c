"""How large gradients, updates and weights are, module by module."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from seqjax.types import Parameters

NORMS = ("gradient_norm", "update_norm", "weight_norm")
"""What stands in the columns of `module_norms`."""
DEPTH = 2
"""Names of a path that make a module: `encoder/layers_0`."""


def module_names(params: Parameters) -> list[str]:
    """Returns the modules that weights belong to, in the order of the rows of `module_norms`.

    >>> module_names({"encoder": {"embedding": {"kernel": 0}, "cell": {"a": 0, "b": 0}}})
    ['encoder/cell', 'encoder/embedding']
    """
    leaves = jax.tree_util.tree_leaves_with_path(params)
    return sorted({_module(path) for path, _ in leaves})


def module_norms(
    gradients: Parameters, updates: Parameters, weights: Parameters
) -> Float[Array, "modules 3"]:
    """Returns the Euclidean norm of gradient, update and weights of each module, see `NORMS`.

    Args:
      gradients: Of all weights, before clipping.
      updates: What is added to the weights.
      weights: Before that.
    """
    columns = []
    for tree in (gradients, updates, weights):
        squares = dict.fromkeys(module_names(tree), jnp.zeros(()))
        for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
            squares[_module(path)] += jnp.sum(jnp.square(leaf.astype(jnp.float32)))
        columns.append(jnp.sqrt(jnp.stack(list(squares.values()))))
    return jnp.stack(columns, axis=-1)


def _module(path: jax.tree_util.KeyPath) -> str:
    return "/".join(str(getattr(entry, "key", entry)) for entry in path[:DEPTH])

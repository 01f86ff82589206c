"""What large and jumpy outputs of a recurrent layer cost."""

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from seqjax.masking import length_mask, where_valid
from seqjax.types import Mean


def activation_penalty(
    outputs: Float[Array, "batch time features"], lengths: Int[Array, " batch"]
) -> Mean:
    r"""Returns the mean square of the outputs (AR), per valid token.

    Args:
      outputs: Of the top layer, after dropout.
      lengths: Valid tokens of each row.

    References:
      Merity, McCann & Socher, "Revisiting activation regularization for language RNNs", 2017. The
      L2 norm of its equation is, in the authors' code and here, the mean of the squares.
    """
    mask = length_mask(lengths, outputs.shape[1])
    squares = jnp.mean(jnp.square(where_valid(mask, outputs)), axis=-1)
    return Mean(jnp.sum(squares), jnp.sum(mask).astype(jnp.float32))


def change_penalty(
    outputs: Float[Array, "batch time features"], lengths: Int[Array, " batch"]
) -> Mean:
    r"""Returns the mean square of what changes from one output to the next (TAR), per valid token.

    The first token of a row has none before it and counts with 0; so that the parts of a batch add
    up, it is divided by tokens and not by pairs, as the authors' code does.

    Args:
      outputs: Of the top layer, before dropout.
      lengths: Valid tokens of each row.

    References:
      As of `activation_penalty`.
    """
    mask = length_mask(lengths, outputs.shape[1])
    outputs = where_valid(mask, outputs)
    change = where_valid(mask[:, 1:], outputs[:, 1:] - outputs[:, :-1])
    squares = jnp.mean(jnp.square(change), axis=-1)
    return Mean(jnp.sum(squares), jnp.sum(mask).astype(jnp.float32))

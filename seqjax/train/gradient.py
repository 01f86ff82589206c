"""The gradient of a batch's mean loss, of the whole batch at once or of its parts one by one."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from seqjax.types import Batch, Key, Mean, Parameters


class Gradient(NamedTuple):
    """What a batch says.

    Attributes:
      gradients: Of the mean loss per token, with the structure of the weights.
      loss: Of all its rows.
      means: Whatever else the loss function told, of all its rows.
      memory: After the batch.
    """

    gradients: Any
    loss: Mean
    means: dict[str, Mean]
    memory: Any


def batch_gradient(
    loss_fn: Any, params: Parameters, memory: Any, batch: Batch, key: Key, step: Any, parts: int
) -> Gradient:
    """Returns the gradient of the mean loss per token.

    In several parts it is the same, but for rounding and for what is random: the sums of the parts
    are divided by the tokens of all. Only the activations of one part are held at a time. Part p
    has every `parts`-th row from row p on (so that rows that lie on one device are dealt evenly),
    with its rows of the memory, and a key of its own.

    Args:
      loss_fn: A `LossFn`.
      params: The weights.
      memory: Before the batch; its leaves lead with the rows of the batch if there are parts.
      batch: Its rows must be divisible by `parts`.
      key: Of this step.
      step: Updates before this one.
      parts: How many.

    Raises:
      ValueError: If the rows are not divisible.
    """
    if parts == 1:

        def mean_loss(params):
            loss, (means, after) = loss_fn(params, memory, batch, key, step)
            return loss.value(), (loss, means, after)

        gradients, rest = jax.grad(mean_loss, has_aux=True)(params)
        return Gradient(gradients, *rest)

    def add_part(total, part):
        number, batch, memory = part

        def summed_loss(params):
            part_key = jax.random.fold_in(key, number)
            loss, (means, after) = loss_fn(params, memory, batch, part_key, step)
            return loss.total, (loss, means, after)

        gradients, rest = jax.grad(summed_loss, has_aux=True)(params)
        return jax.tree.map(jnp.add, total, gradients), rest

    total, (losses, means, memories) = jax.lax.scan(
        add_part,
        jax.tree.map(jnp.zeros_like, params),
        (jnp.arange(parts), _dealt(batch, parts), _dealt(memory, parts)),
    )
    loss, means = jax.tree.map(lambda leaf: leaf.sum(axis=0), (losses, means))
    mean = jax.tree.map(lambda leaf: Mean(leaf, loss.weight).value(), total)
    return Gradient(mean, loss, means, _gathered(memories))


def _dealt(tree: Any, parts: int) -> Any:
    """`[rows, ...]` -> `[parts, rows / parts, ...]`, row r in part r modulo `parts`."""

    def deal(leaf):
        rows, rest = leaf.shape[0], leaf.shape[1:]
        if rows % parts:
            raise ValueError(f"rows of a batch must be divisible by {parts} parts, got {rows}")
        return jnp.swapaxes(jnp.reshape(leaf, (rows // parts, parts, *rest)), 0, 1)

    return jax.tree.map(deal, tree)


def _gathered(tree: Any) -> Any:
    """`[parts, rows / parts, ...]` -> `[rows, ...]`: `_dealt` undone."""
    gather = lambda leaf: jnp.reshape(jnp.swapaxes(leaf, 0, 1), (-1, *leaf.shape[2:]))
    return jax.tree.map(gather, tree)

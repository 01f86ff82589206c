"""Finished hypotheses: what is kept of them, and the order that they are given in."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from seqjax.decode.distribution import best
from seqjax.decode.protocol import Hypotheses
from seqjax.decode.search import gather


class Pool(NamedTuple):
    """Hypotheses of each sentence with their scores; an empty slot has `-inf` of both.

    Attributes:
      scores: What they are ranked by.
      log_probs: In nats.
      lengths: Tokens of each.
      tokens: What is beyond the length means nothing.
    """

    scores: Float[Array, "batch size"]
    log_probs: Float[Array, "batch size"]
    lengths: Int[Array, "batch size"]
    tokens: Int[Array, "batch size max_length"]


def empty_pool(batch: int, size: int, max_length: int) -> Pool:
    """Returns a pool of nothing."""
    nothing = jnp.full((batch, size), -jnp.inf)
    zeros = jnp.zeros((batch, size), jnp.int32)
    return Pool(nothing, nothing, zeros, jnp.zeros((batch, size, max_length), jnp.int32))


def merged(pool: Pool, arrivals: Pool) -> Pool:
    """Returns the best of both, as many as the pool holds, best first; ties to what was there."""
    both = _side_by_side(pool, arrivals)
    _, chosen = best(both.scores, pool.scores.shape[1])
    return jax.tree.map(lambda leaf: gather(leaf, chosen), both)


def ranked(pool: Pool, cut: Pool, competes: Bool[Array, " batch"], pad_id: int) -> Hypotheses:
    """Returns what a pool holds, then what was cut, then empty slots, each by its score.

    Args:
      pool: Finished hypotheses.
      cut: Unfinished ones, as many.
      competes: Where they stand among the finished ones instead, by their score.
      pad_id: Written beyond the length of each.
    """
    size = pool.scores.shape[1]
    both = _side_by_side(pool, cut)
    finished = jnp.broadcast_to(jnp.arange(2 * size)[None] < size, both.scores.shape)
    first = finished | competes[:, None]
    stands = jnp.where(both.log_probs > -jnp.inf, jnp.where(first, 0, 1), 2)
    order = jnp.lexsort((-both.scores, stands), axis=1)[:, :size]
    found = jax.tree.map(lambda leaf: gather(leaf, order), both)
    exists = found.log_probs > -jnp.inf
    lengths = jnp.where(exists, found.lengths, 0)
    written = jnp.arange(found.tokens.shape[-1])[None, None] < lengths[:, :, None]
    return Hypotheses(
        tokens=jnp.where(written, found.tokens, pad_id),
        log_probs=found.log_probs,
        scores=found.scores,
        lengths=lengths,
        finished=gather(finished, order) & exists,
    )


def _side_by_side(one: Pool, other: Pool) -> Pool:
    return jax.tree.map(lambda a, b: jnp.concatenate([a, b], axis=1), one, other)

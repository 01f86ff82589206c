"""What a beam may go on with: extensions of its hypotheses, and how its places are shared out."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from seqjax.decode.distribution import Next
from seqjax.decode.required import Required, fulfilment, next_tokens
from seqjax.decode.search import gather


class Live(NamedTuple):
    """Those of a group that are extended, best first; one that is none has log-probability -inf."""

    tokens: Int[Array, "batch width max_length"]
    log_probs: Float[Array, "batch width"]


class Candidates(NamedTuple):
    """Extensions, best first.

    Attributes:
      ranks: What they are ordered by.
      log_probs: Of the whole hypothesis, in nats; `-inf` where there is none.
      parents: Which live hypothesis each goes on from.
      tokens: With which token.
    """

    ranks: Float[Array, "batch candidates"]
    log_probs: Float[Array, "batch candidates"]
    parents: Int[Array, "batch candidates"]
    tokens: Int[Array, "batch candidates"]


def extended(
    live: Live, candidates: Candidates, length: Int[Array, " batch"]
) -> Int[Array, "batch candidates max_length"]:
    """Returns the tokens of candidates whose parents hold `length` tokens."""
    here = jnp.arange(live.tokens.shape[-1])[None, None] == length[:, None, None]
    tokens = gather(live.tokens, candidates.parents)
    return jnp.where(here, candidates.tokens[..., None], tokens)


def shared_out(
    required: Required,
    candidates: Candidates,
    live: Live,
    upcoming: Next,
    bonus: Float[Array, "batch width"],
    length: Int[Array, " batch"],
) -> Candidates:
    """Adds the extensions that carry on with a phrase, and shares out the beam among levels.

    They are ranked by their log-probability and the bonus of what they carry on.

    Level is how many tokens of its phrases a hypothesis holds. The best of every level come first,
    the higher level before the lower one, then the second best, ...: each level has as many places
    as the others, and what it does not need is left to them.

    References:
      Post & Vilar, "Fast lexically constrained decoding with dynamic beam allocation", 2018.
    """
    wanted = next_tokens(required, fulfilment(required, live.tokens, length))
    width, count = wanted.shape[1:]
    log_probs = upcoming.log_prob_of(jnp.maximum(wanted, 0)) + live.log_probs[..., None]
    parents = jnp.broadcast_to(jnp.arange(width)[None, :, None], wanted.shape)
    flat = lambda leaf: leaf.reshape(leaf.shape[0], width * count)
    wanted, parents, log_probs = flat(wanted), flat(parents), flat(log_probs)
    twice = _is_among(parents, wanted, candidates.parents, candidates.tokens)
    twice |= _is_among(parents, wanted, parents, wanted, before_only=True)
    log_probs = jnp.where(twice | (wanted < 0), -jnp.inf, log_probs)
    more = Candidates(log_probs + gather(bonus, parents), log_probs, parents, wanted)
    both = jax.tree.map(lambda a, b: jnp.concatenate([a, b], axis=1), candidates, more)
    order = jnp.argsort(-both.ranks, axis=1, stable=True)
    both = jax.tree.map(lambda leaf: gather(leaf, order), both)
    state = fulfilment(required, extended(live, both, length), length + 1)
    level = state.level(required)
    place = jnp.arange(level.shape[1])
    before = place[None, :, None] > place[None, None, :]
    rank = jnp.sum((level[:, :, None] == level[:, None, :]) & before, axis=2)
    most = jnp.sum(required.lengths, axis=1, keepdims=True) + 1
    turn = jnp.where(both.ranks > -jnp.inf, rank * most + most - level, jnp.iinfo(jnp.int32).max)
    order = jnp.argsort(turn, axis=1, stable=True)
    both = jax.tree.map(lambda leaf: gather(leaf, order), both)
    ranks = jnp.where(both.ranks > -jnp.inf, -place[None].astype(jnp.float32), -jnp.inf)
    return both._replace(ranks=ranks)


def _is_among(
    parents: Int[Array, "batch n"],
    tokens: Int[Array, "batch n"],
    other_parents: Int[Array, "batch others"],
    other_tokens: Int[Array, "batch others"],
    *,
    before_only: bool = False,
) -> Bool[Array, "batch n"]:
    same = parents[:, :, None] == other_parents[:, None]
    same &= tokens[:, :, None] == other_tokens[:, None]
    if before_only:
        places = jnp.arange(tokens.shape[1])
        same &= places[None, :, None] > places[None, None, :]
    return jnp.any(same, axis=2)

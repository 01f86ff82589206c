"""Phrases that an answer must hold: lexical constraints, for every way of searching."""

from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Int

from seqjax.decode.protocol import LogitsProcessor


class Required(NamedTuple):
    """What the answers to each sentence must hold.

    Attributes:
      phrases: `[batch, count, longest]` ids; what is beyond a phrase's length means nothing.
      lengths: `[batch, count]`; 0 for no phrase.
    """

    phrases: Int[Any, "batch count longest"]
    lengths: Int[Any, "batch count"]


class Fulfilment(NamedTuple):
    """How far hypotheses have come with their phrases.

    Attributes:
      met: `[batch, width, count]` True where the phrase is there, or there is none.
      begun: `[batch, width, count]` with how many tokens of a phrase, not met yet, it ends.
    """

    met: Bool[Array, "batch width count"]
    begun: Int[Array, "batch width count"]

    def missing(self, required: Required) -> Int[Array, "batch width"]:
        """Returns tokens of phrases that are not met, what is begun included."""
        return jnp.sum(jnp.where(self.met, 0, required.lengths[:, None]), axis=-1)

    def level(self, required: Required) -> Int[Array, "batch width"]:
        """Returns how many tokens of its phrases a hypothesis holds already."""
        whole = jnp.sum(jnp.where(self.met, required.lengths[:, None], 0), axis=-1)
        return whole + jnp.max(self.begun, axis=-1, initial=0)


def fulfilment(
    required: Required,
    tokens: Int[Array, "batch width max_length"],
    lengths: Int[Array, " batch"],
) -> Fulfilment:
    """Returns how far hypotheses, of which `lengths` columns are valid, have come.

    Read off the tokens alone, so that there is nothing that a search could forget to reorder.
    """
    longest, max_length = required.phrases.shape[-1], tokens.shape[-1]
    wanted = required.lengths[:, None]  # batch 1 count
    ends_here = jnp.ones((*tokens.shape[:2], max_length, wanted.shape[-1]), bool)
    begun = jnp.zeros((*tokens.shape[:2], wanted.shape[-1]), jnp.int32)
    for offset in range(longest):
        column = required.phrases[:, None, None, :, offset]
        shifted = jnp.pad(tokens, ((0, 0), (0, 0), (0, offset)))[:, :, offset:]
        # batch width start count
        ends_here &= (shifted[..., None] == column) | (offset >= wanted[:, :, None])
        # The last offset + 1 tokens are the first offset + 1 of the phrase.
        size = offset + 1
        start = jnp.maximum(lengths - size, 0)[:, None, None, None]
        here = jnp.take_along_axis(ends_here, start, axis=2)[:, :, 0]
        here &= (size < wanted) & (lengths >= size)[:, None, None]
        begun = jnp.where(here, size, begun)
    starts = jnp.arange(max_length)[None, None, :, None]
    inside = starts + wanted[:, :, None] <= lengths[:, None, None, None]
    met = jnp.any(ends_here & inside, axis=2) | (wanted == 0)
    return Fulfilment(met, jnp.where(met, 0, begun))


def next_tokens(required: Required, state: Fulfilment) -> Int[Array, "batch width count"]:
    """Returns the token by which each phrase would go on; -1 where it is met."""
    phrases = jnp.broadcast_to(
        required.phrases[:, None], (*state.met.shape, required.phrases.shape[-1])
    )
    found = jnp.take_along_axis(phrases, state.begun[..., None], axis=-1)[..., 0]
    return jnp.where(state.met, -1, found)


def require(required: Required, *, eos_id: int, limits: Int[Array, " batch"]) -> LogitsProcessor:
    """Forbids EOS until all phrases are there, and all else when there is just room for them.

    While the room that is left (EOS taken off) is greater than the tokens of all phrases that are
    not met, every token is allowed; then only what carries on with the phrase that has come
    furthest. Room is counted as if phrases did not overlap. So every search, greedy and sampling
    too, meets its phrases where `limits` have room for them and nothing else forbids them.

    Args:
      required: Phrases; none may contain EOS.
      eos_id: Id of EOS.
      limits: Most tokens of each sentence, EOS counted.
    """

    def process(logits, history, lengths):
        batch, vocab_size = limits.shape[0], logits.shape[1]
        tokens = history.reshape(batch, -1, history.shape[1])
        length = lengths.reshape(batch, -1)[:, 0]
        state = fulfilment(required, tokens, length)
        missing = state.missing(required)
        room = (limits - length - 1)[:, None]
        furthest = jnp.max(state.begun, axis=-1, keepdims=True, initial=0)
        wanted = jnp.where(state.begun == furthest, next_tokens(required, state), -1)
        wanted = wanted.reshape(logits.shape[0], -1)
        rows = jnp.arange(logits.shape[0])[:, None]
        index = jnp.where(wanted < 0, vocab_size, wanted)
        carries_on = jnp.zeros(logits.shape, bool).at[rows, index].set(True, mode="drop")
        missing, free = (leaf.reshape(-1)[:, None] for leaf in (missing, room > missing))
        is_eos = (jnp.arange(vocab_size) == eos_id)[None]
        allowed = jnp.where(free, ~is_eos, carries_on) | (missing == 0)
        return jnp.where(allowed, logits, -jnp.inf)

    return process

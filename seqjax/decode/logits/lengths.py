"""How long an answer is, and what stands at its two ends."""

import jax.numpy as jnp
from jaxtyping import Array, Int

from seqjax.decode.logits.chain import check_ids, of_rows, only
from seqjax.decode.protocol import LogitsProcessor

MOST = 1e30
"""What is added to a logit at most, so that it stays a number whatever is added after that."""


def min_length(minimum: int, *, eos_id: int) -> LogitsProcessor:
    """Forbids EOS until a row holds `minimum` tokens."""
    if minimum < 0:
        raise ValueError(f"minimum must be at least 0, got {minimum}")

    def process(logits, history, lengths):
        del history
        is_eos = (jnp.arange(logits.shape[1]) == eos_id)[None]
        return jnp.where(is_eos & (lengths < minimum)[:, None], -jnp.inf, logits)

    return process


def decay_length(start: int, factor: float, *, eos_id: int) -> LogitsProcessor:
    """Makes EOS likelier with every token beyond `start`.

    Once a row holds n > start tokens, `|s| (factor ** (n - start) - 1)` is added to the logit s of
    EOS, but no more than 1e30: the exponential decay of length of Hugging Face transformers.

    Args:
      start: Tokens up to which nothing is added, at least 0.
      factor: Above 1 shortens, below 1 lengthens; positive.
      eos_id: Id of EOS.
    """
    if start < 0:
        raise ValueError(f"start must be at least 0, got {start}")
    if not factor > 0:
        raise ValueError(f"factor must be positive, got {factor}")

    def process(logits, history, lengths):
        del history
        beyond = jnp.maximum(lengths - start, 0).astype(logits.dtype)[:, None]
        is_eos = (jnp.arange(logits.shape[1]) == eos_id)[None]
        grown = jnp.minimum(factor**beyond, MOST) - 1.0
        more = logits + jnp.minimum(jnp.abs(logits) * grown, MOST)
        return jnp.where(is_eos & (beyond > 0), more, logits)

    return process


def force_first(token_id: int) -> LogitsProcessor:
    """Allows nothing but one token at the first step, where it costs nothing."""

    def process(logits, history, lengths):
        del history
        check_ids((token_id,), logits.shape[1])
        return only(jnp.full(lengths.shape, token_id), lengths == 0, logits)

    return process


def force_last(token_id: int, *, limits: Int[Array, " batch"]) -> LogitsProcessor:
    """Allows nothing but one token at the last step that a row has room for.

    Args:
      token_id: EOS, to have every answer end; or any other.
      limits: Most tokens of each sentence, EOS counted.
    """

    def process(logits, history, lengths):
        del history
        check_ids((token_id,), logits.shape[1])
        last = lengths == of_rows(limits, logits.shape[0]) - 1
        return only(jnp.full(lengths.shape, token_id), last, logits)

    return process


def force_prefix(
    tokens: Int[Array, "batch time"], lengths: Int[Array, " batch"]
) -> LogitsProcessor:
    """Allows nothing but the given tokens, one at each step, as long as they last.

    They cost nothing, whatever the model thinks of them, as in T5X and Joey NMT.

    Args:
      tokens: What each answer begins with.
      lengths: Valid ones of each sentence; 0 forces nothing.
    """

    given = lengths

    def process(logits, history, lengths):
        del history
        rows = logits.shape[0]
        place = jnp.minimum(lengths, tokens.shape[1] - 1)[:, None]
        token = jnp.take_along_axis(of_rows(tokens, rows), place, axis=1)[:, 0]
        return only(token, lengths < of_rows(given, rows), logits)

    return process

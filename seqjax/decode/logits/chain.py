"""Logits processors: factories that return pure functions; `chain` joins them.

Each sees nothing but the tokens of its own row that were emitted so far (BOS is not among them;
columns of the buffer beyond the row's length are never looked at). A token is forbidden by `-inf`.
Where everything is forbidden a search ends that hypothesis. A neutral setting returns the logits
unchanged, bit for bit.
"""

from collections.abc import Sequence

import jax.numpy as jnp
from jaxtyping import Array, Bool, Int

from seqjax.decode.protocol import LogitsProcessor


def chain(*processors: LogitsProcessor) -> LogitsProcessor:
    """Returns a processor that applies the given ones from left to right; none is the identity."""

    def process(logits, history, lengths):
        for processor in processors:
            logits = processor(logits, history, lengths)
        return logits

    return process


def valid(
    history: Int[Array, "rows time"], lengths: Int[Array, " rows"], window: int | None = None
) -> Bool[Array, "rows time"]:
    """Marks the tokens that were emitted; with a window, only the last so many of them."""
    place = jnp.arange(history.shape[1])[None]
    found = place < lengths[:, None]
    return found if window is None else found & (place >= lengths[:, None] - window)


def is_any(values: Int[Array, "*shape"], ids: Sequence[int]) -> Bool[Array, "*shape"]:
    """Marks the values that are one of a few ids."""
    found = jnp.zeros(values.shape, bool)
    for one in ids:
        found |= values == one
    return found


def count_where(
    where: Bool[Array, "rows time"],
    tokens: Int[Array, "rows time"],
    vocab_size: int,
    exempt: Sequence[int],
) -> Int[Array, "rows vocab"]:
    """Counts, for each row, how often a token that is not exempt stands where `where` is True."""
    check_ids(exempt, vocab_size)
    rows = jnp.arange(tokens.shape[0])[:, None]
    index = jnp.where(where & ~is_any(tokens, exempt), tokens, vocab_size)  # out of range: dropped
    counts = jnp.zeros((tokens.shape[0], vocab_size), jnp.int32)
    return counts.at[rows, index].add(1, mode="drop")


def tokens_where(
    where: Bool[Array, "rows time"],
    tokens: Int[Array, "rows time"],
    vocab_size: int,
    exempt: Sequence[int],
) -> Bool[Array, "rows vocab"]:
    """Marks, for each row, the tokens that stand where `where` is True and are not exempt."""
    return count_where(where, tokens, vocab_size, exempt) > 0


def of_rows(values: Array, rows: int) -> Array:
    """Repeats what leads with `batch` for all rows of a sentence, which are neighbours."""
    return jnp.repeat(values, rows // values.shape[0], axis=0)


def check_ids(ids: Sequence[int], vocab_size: int) -> None:
    """Raises ValueError if an id is none of a vocabulary of this size."""
    for one in ids:
        if not 0 <= one < vocab_size:
            raise ValueError(f"ids must be in [0, {vocab_size}), the vocabulary, got {one}")


def only(token_ids: Int[Array, " rows"], where: Bool[Array, " rows"], logits: Array) -> Array:
    """Returns logits that leave a row only one token, at no cost, where `where` is True."""
    is_it = jnp.arange(logits.shape[1])[None] == token_ids[:, None]
    alone = jnp.where(is_it, 0.0, -jnp.inf).astype(logits.dtype)
    return jnp.where(where[:, None], alone, logits)

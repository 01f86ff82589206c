"""What was said already, or stands in the source, becomes less likely, or impossible."""

from collections.abc import Sequence
from typing import Literal

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from seqjax.decode.distribution import normalised
from seqjax.decode.logits.chain import chain, count_where, is_any, of_rows, tokens_where, valid
from seqjax.decode.protocol import LogitsProcessor

Meaning = Literal["logits", "log_probs", "normalized"]


def repetition_penalty(
    penalty: float,
    *,
    meaning: Meaning = "logits",
    exempt: Sequence[int] = (),
    window: int | None = None,
) -> LogitsProcessor:
    """Makes every token that a row holds already less likely.

    Its value `s` becomes `s / penalty` if `s > 0`, else `s * penalty`; a token counts once, however
    often it occurred. What `s` is must be said, for a penalty of one number means different things:

    - `logits`: the raw logit, in every search alike. A constant added to all logits changes it.
    - `log_probs`: the log-probability, which is never positive, so that `p` becomes `p ** penalty`;
      what comes back does not add up to one. With `search(..., renormalise=False)` this is what
      Hugging Face transformers does in a beam search (while its greedy search and sampling do what
      `logits` says).
    - `normalized`: the same, made to add up to one again. A search that renormalises makes that of
      `log_probs`, too.

    Args:
      penalty: Positive; above 1 discourages, below 1 encourages, 1 changes nothing.
      meaning: See above.
      exempt: Ids that are never touched.
      window: Look at the last so many tokens only; by default at all.

    Raises:
      ValueError: If `penalty` is not positive or `window` below 1.

    References:
      Keskar et al., "CTRL", 2019, section 4.1, which divides only; the branch for negative values,
      without which they would become more likely, is that of Hugging Face transformers.
    """
    _check(penalty, window)

    def process(logits, history, lengths):
        seen = tokens_where(valid(history, lengths, window), history, logits.shape[1], exempt)
        return _penalised(logits, seen, penalty, meaning)

    return chain() if penalty == 1.0 else process


def encoder_repetition_penalty(
    penalty: float,
    source_ids: Int[Array, "batch source"],
    source_lengths: Int[Array, " batch"],
    *,
    meaning: Meaning = "logits",
    exempt: Sequence[int] = (),
) -> LogitsProcessor:
    """Makes every token of the source more likely: a `repetition_penalty` of `1 / penalty`.

    Args:
      penalty: Positive; above 1 encourages, below 1 discourages, as in Hugging Face transformers.
      source_ids: Source tokens, in ids of the target vocabulary.
      source_lengths: Valid ones of each sentence.
      meaning: As in `repetition_penalty`.
      exempt: Ids that are never touched.
    """
    _check(penalty, None)

    def process(logits, history, lengths):
        del history, lengths
        there = valid(source_ids, source_lengths)
        seen = tokens_where(there, source_ids, logits.shape[1], exempt)
        return _penalised(logits, of_rows(seen, logits.shape[0]), 1.0 / penalty, meaning)

    return chain() if penalty == 1.0 else process


def presence_penalty(
    value: float, *, exempt: Sequence[int] = (), window: int | None = None
) -> LogitsProcessor:
    """Takes `value` from the logit of every token that a row holds already, once.

    A constant added to all logits does not change it. Below 0 it encourages.
    """
    _check(1.0, window)

    def process(logits, history, lengths):
        seen = tokens_where(valid(history, lengths, window), history, logits.shape[1], exempt)
        return jnp.where(seen, logits - value, logits)

    return chain() if value == 0.0 else process


def frequency_penalty(
    value: float, *, exempt: Sequence[int] = (), window: int | None = None
) -> LogitsProcessor:
    """Takes `value` from a token's logit for each time that a row holds it.

    With `presence_penalty` these are the two penalties of OpenAI's interface.
    """
    _check(1.0, window)

    def process(logits, history, lengths):
        counts = count_where(valid(history, lengths, window), history, logits.shape[1], exempt)
        return jnp.where(counts > 0, logits - value * counts.astype(logits.dtype), logits)

    return chain() if value == 0.0 else process


def no_repeat_ngram(
    size: int, *, exempt: Sequence[int] = (), window: int | None = None
) -> LogitsProcessor:
    """Forbids every token that would complete an n-gram which the row holds already.

    Size 1 forbids every token that has occurred.

    Args:
      size: n, at least 1.
      exempt: Ids; an n-gram that contains one may repeat.
      window: Look at n-grams within the last so many tokens only; by default at all.

    Raises:
      ValueError: If `size` or `window` is below 1.
    """
    _check_size(size)
    _check(1.0, window)

    def process(logits, history, lengths):
        if size > history.shape[1]:
            return logits
        there = valid(history, lengths, window)
        banned = _completing(size, history, there, _suffix(size, history, lengths), exempt)
        banned = tokens_where(banned, history[:, size - 1 :], logits.shape[1], exempt)
        return jnp.where(banned, -jnp.inf, logits)

    return process


def encoder_no_repeat_ngram(
    size: int,
    source_ids: Int[Array, "batch source"],
    source_lengths: Int[Array, " batch"],
    *,
    exempt: Sequence[int] = (),
) -> LogitsProcessor:
    """Forbids every token that would complete an n-gram of the source.

    Args:
      size: n, at least 1.
      source_ids: Source tokens, in ids of the target vocabulary.
      source_lengths: Valid ones of each sentence.
      exempt: Ids; an n-gram that contains one is allowed.

    Raises:
      ValueError: If `size` is below 1.
    """
    _check_size(size)

    def process(logits, history, lengths):
        rows = logits.shape[0]
        if size > source_ids.shape[1] or size - 1 > history.shape[1]:
            return logits
        source = of_rows(source_ids, rows)
        there = of_rows(valid(source_ids, source_lengths), rows)
        banned = _completing(size, source, there, _suffix(size, history, lengths), exempt)
        enough = (lengths >= size - 1)[:, None]
        banned = tokens_where(banned & enough, source[:, size - 1 :], logits.shape[1], exempt)
        return jnp.where(banned, -jnp.inf, logits)

    return process


def _penalised(
    logits: Float[Array, "rows vocab"],
    seen: Bool[Array, "rows vocab"],
    penalty: float,
    meaning: Meaning,
) -> Float[Array, "rows vocab"]:
    values = logits if meaning == "logits" else normalised(logits)
    changed = jnp.where(values > 0, values / penalty, values * penalty)
    values = jnp.where(seen, changed, values)
    return normalised(values) if meaning == "normalized" else values


def _suffix(
    size: int, history: Int[Array, "rows time"], lengths: Int[Array, " rows"]
) -> Int[Array, "rows suffix"]:
    """Returns the last size - 1 tokens, which a new token would complete to an n-gram."""
    places = lengths[:, None] - (size - 1) + jnp.arange(size - 1)[None]
    return jnp.take_along_axis(history, jnp.clip(places, 0, history.shape[1] - 1), axis=1)


def _completing(
    size: int,
    tokens: Int[Array, "rows time"],
    there: Bool[Array, "rows time"],
    suffix: Int[Array, "rows suffix"],
    exempt: Sequence[int],
) -> Bool[Array, "rows windows"]:
    """Marks the windows of `size` tokens that are there and begin with the suffix."""
    windows = tokens.shape[1] - size + 1
    # Window j holds columns j .. j + size - 1; what is there has no gaps.
    found = there[:, :windows] & there[:, size - 1 :]
    for offset in range(size - 1):
        column = tokens[:, offset : offset + windows]
        found &= (column == suffix[:, offset : offset + 1]) & ~is_any(column, exempt)
    return found


def _check(penalty: float, window: int | None) -> None:
    if not penalty > 0:
        raise ValueError(f"penalty must be positive, got {penalty}")
    if window is not None and window < 1:
        raise ValueError(f"window must be at least 1, got {window}")


def _check_size(size: int) -> None:
    if size < 1:
        raise ValueError(f"size must be at least 1, got {size}")

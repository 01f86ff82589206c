"""Logits processors: factories that return pure functions; `chain` joins them.

Each acts on raw logits, in the order given, and sees nothing but the tokens of its own row that
were emitted so far (BOS is not among them; columns of the buffer beyond `length` are never looked
at). A token is forbidden by `-inf`. Where everything is forbidden a search ends that hypothesis. A
neutral setting returns the logits unchanged, bit for bit.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from seqjax.decode.protocol import LogitsProcessor


def chain(*processors: LogitsProcessor) -> LogitsProcessor:
    """Returns a processor that applies the given ones from left to right; none is the identity."""

    def process(logits, history, length):
        for processor in processors:
            logits = processor(logits, history, length)
        return logits

    return process


def repetition_penalty(penalty: float, *, exempt: Sequence[int] = ()) -> LogitsProcessor:
    """Makes every token that a row holds already less likely.

    Its logit `s` becomes `s / penalty` if `s > 0`, else `s * penalty`; a token counts once, however
    often it occurred. The rule acts on raw logits, in every search alike, and is therefore not
    invariant to a constant added to all logits.

    Args:
      penalty: Positive; above 1 discourages, below 1 encourages, 1 changes nothing.
      exempt: Ids that are never touched.

    References:
      Keskar et al., "CTRL", 2019, section 4.1, which divides only; the branch for negative logits,
      without which they would become more likely, is that of Hugging Face transformers.
    """
    if penalty <= 0:
        raise ValueError(f"penalty must be positive, got {penalty}")

    def process(logits, history, length):
        seen = _tokens_where(_valid(history, length), history, logits.shape[1], exempt)
        changed = jnp.where(logits > 0, logits / penalty, logits * penalty)
        return jnp.where(seen, changed, logits)

    return process


def no_repeat_ngram(size: int, *, exempt: Sequence[int] = ()) -> LogitsProcessor:
    """Forbids every token that would complete an n-gram which the row holds already.

    Size 1 forbids every token that has occurred.

    Args:
      size: n, at least 1.
      exempt: Ids; an n-gram that contains one may repeat.
    """
    if size < 1:
        raise ValueError(f"size must be at least 1, got {size}")

    def process(logits, history, length):
        max_length = history.shape[1]
        windows = max_length - size + 1
        if windows < 1:
            return logits
        # The last size - 1 tokens, which a new token would complete to an n-gram.
        positions = jnp.clip(length - (size - 1) + jnp.arange(size - 1), 0, max_length - 1)
        suffix = history[:, positions]
        # Window j holds columns j .. j + size - 1 of the history; it must lie within `length`.
        repeats = jnp.broadcast_to(
            (jnp.arange(windows) + size <= length)[None], (history.shape[0], windows)
        )
        for offset in range(size - 1):
            column = history[:, offset : offset + windows]
            repeats &= (column == suffix[:, offset : offset + 1]) & ~_is_any(column, exempt)
        banned = _tokens_where(repeats, history[:, size - 1 :], logits.shape[1], exempt)
        return jnp.where(banned, -jnp.inf, logits)

    return process


def min_length(minimum: int, *, eos_id: int) -> LogitsProcessor:
    """Forbids EOS until a row holds `minimum` tokens."""
    if minimum < 0:
        raise ValueError(f"minimum must be at least 0, got {minimum}")

    def process(logits, history, length):
        del history
        is_eos = jnp.arange(logits.shape[1]) == eos_id
        return jnp.where((is_eos & (length < minimum))[None], -jnp.inf, logits)

    return process


def forbid(ids: Sequence[int]) -> LogitsProcessor:
    """Forbids tokens at every step."""

    def process(logits, history, length):
        del history, length
        return jnp.where(_is_any(jnp.arange(logits.shape[1]), ids)[None], -jnp.inf, logits)

    return process


def temperature(value: float) -> LogitsProcessor:
    """Divides the logits: below 1 sharpens the distribution, above 1 flattens it."""
    if value <= 0:
        raise ValueError(f"value must be positive, got {value}")
    return lambda logits, history, length: logits / value


def top_k(size: int) -> LogitsProcessor:
    """Keeps the `size` most likely tokens, and those that tie with the last of them."""
    if size < 1:
        raise ValueError(f"size must be at least 1, got {size}")

    def process(logits, history, length):
        del history, length
        kept = min(size, logits.shape[1])
        threshold = jax.lax.top_k(logits, kept)[0][:, -1:]
        return jnp.where(logits >= threshold, logits, -jnp.inf)

    return process


def top_p(mass: float) -> LogitsProcessor:
    """Keeps the fewest most likely tokens that together hold at least `mass`; one at least.

    References:
      Holtzman et al., "The curious case of neural text degeneration", 2020 (nucleus sampling).
    """
    if not 0 < mass <= 1:
        raise ValueError(f"mass must be in (0, 1], got {mass}")

    def process(logits, history, length):
        del history, length
        if mass == 1:
            return logits
        order = jnp.argsort(-logits, axis=-1, stable=True)
        probs = jax.nn.softmax(jnp.take_along_axis(logits, order, axis=-1), axis=-1)
        before = jnp.cumsum(probs, axis=-1) - probs
        kept = jnp.take_along_axis(before < mass, jnp.argsort(order, axis=-1), axis=-1)
        return jnp.where(kept, logits, -jnp.inf)

    return process


def _valid(history: Int[Array, "rows time"], length: Int[Array, ""]) -> Bool[Array, "rows time"]:
    return jnp.broadcast_to((jnp.arange(history.shape[1]) < length)[None], history.shape)


def _is_any(values: Int[Array, "*shape"], ids: Sequence[int]) -> Bool[Array, "*shape"]:
    found = jnp.zeros(values.shape, bool)
    for one in ids:
        found |= values == one
    return found


def _tokens_where(
    where: Bool[Array, "rows time"],
    tokens: Int[Array, "rows time"],
    vocab_size: int,
    exempt: Sequence[int],
) -> Bool[Array, "rows vocab"]:
    """Marks, for each row, the tokens that stand where `where` is True and are not exempt."""
    rows = jnp.arange(tokens.shape[0])[:, None]
    nowhere = vocab_size  # out of range: dropped
    index = jnp.where(where & ~_is_any(tokens, exempt), tokens, nowhere)
    marked = jnp.zeros((tokens.shape[0], vocab_size), bool)
    return marked.at[rows, index].set(True, mode="drop")


def normalised(logits: Float[Array, "rows vocab"]) -> Float[Array, "rows vocab"]:
    """Returns log-probabilities in nats; NaN counts as forbidden, a row of `-inf` stays that.

    Every search ranks by these, so that what a processor took from one token goes to the others.
    """
    logits = jnp.where(jnp.isnan(logits), -jnp.inf, logits).astype(jnp.float32)
    top = jnp.max(logits, axis=-1, keepdims=True)
    alive = jnp.isfinite(top)
    shifted = logits - jnp.where(alive, top, 0.0)
    total = jnp.sum(jnp.exp(shifted), axis=-1, keepdims=True)
    return jnp.where(alive, shifted - jnp.log(jnp.maximum(total, 1e-37)), -jnp.inf)

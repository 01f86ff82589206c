"""Single words and phrases: forbidden, made likelier, or the only ones allowed."""

from collections.abc import Callable, Mapping, Sequence

import jax.numpy as jnp
from jaxtyping import Array, Bool, Int

from seqjax.decode.logits.chain import check_ids
from seqjax.decode.protocol import LogitsProcessor

AllowedFn = Callable[
    [Int[Array, "rows max_length"], Int[Array, " rows"]], Bool[Array, "rows vocab"]
]
"""`(tokens so far, how many) -> which tokens may come next`."""


def forbid(ids: Sequence[int]) -> LogitsProcessor:
    """Forbids tokens at every step."""

    def process(logits, history, lengths):
        del history, lengths
        return jnp.where(_marked(ids, logits.shape[1])[None], -jnp.inf, logits) if ids else logits

    return process


def forbid_at_start(ids: Sequence[int]) -> LogitsProcessor:
    """Forbids tokens at the first step."""

    def process(logits, history, lengths):
        del history
        here = _marked(ids, logits.shape[1])[None] & (lengths == 0)[:, None]
        return jnp.where(here, -jnp.inf, logits)

    return process


def forbid_phrases(phrases: Sequence[Sequence[int]]) -> LogitsProcessor:
    """Forbids the last token of a phrase after the others; a phrase of one token always.

    Raises:
      ValueError: If a phrase is empty.
    """
    return sequence_bias({tuple(phrase): -jnp.inf for phrase in phrases})


def sequence_bias(biases: Mapping[tuple[int, ...], float]) -> LogitsProcessor:
    """Adds a bias to the logit of the last token of a phrase where a row ends with the others.

    Args:
      biases: Phrases, as ids, and what is added. Those of one token are always added.

    Raises:
      ValueError: If a phrase is empty.
    """
    for phrase in biases:
        if not phrase:
            raise ValueError("a phrase must have a token, got none")

    def process(logits, history, lengths):
        rows, vocab_size = logits.shape
        if not biases:
            return logits
        total = jnp.zeros(logits.shape, logits.dtype)
        for phrase, bias in biases.items():
            check_ids(phrase, vocab_size)
            *before, last = phrase
            here = jnp.ones((rows,), bool) & (lengths >= len(before))
            for back, token in enumerate(reversed(before), start=1):
                place = jnp.clip(lengths - back, 0, history.shape[1] - 1)[:, None]
                here &= jnp.take_along_axis(history, place, axis=1)[:, 0] == token
            total = total.at[:, last].add(jnp.where(here, bias, 0.0))
        return logits + total

    return process


def allow(allowed_fn: AllowedFn) -> LogitsProcessor:
    """Forbids all tokens but those that a function of the tokens so far allows.

    Args:
      allowed_fn: `(history, lengths) -> [rows, vocab]`; where it allows nothing, a hypothesis ends
        there and is none.
    """

    def process(logits, history, lengths):
        return jnp.where(allowed_fn(history, lengths), logits, -jnp.inf)

    return process


def _marked(ids: Sequence[int], vocab_size: int) -> Bool[Array, " vocab"]:
    check_ids(ids, vocab_size)
    return jnp.zeros((vocab_size,), bool).at[jnp.array(ids, jnp.int32)].set(True)

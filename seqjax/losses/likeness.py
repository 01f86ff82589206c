"""How far an answer is from its reference, of padded ids and inside a compiled step."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from seqjax.masking import length_mask
from seqjax.types import Padded

ORDERS = 4
"""N-grams of 1 to so many tokens count in BLEU."""


def edit_costs(answers: Padded, references: Padded) -> Float[Array, " rows"]:
    """Returns edits over the tokens of the reference (at least 1) of each row; it can exceed 1.

    The mean over rows, each weighted by the tokens of its reference, is the token error rate.

    Args:
      answers, references: `[rows, time]` ids without EOS; the times may differ.

    References:
      Wagner & Fischer, "The string-to-string correction problem", 1974, of which a row is computed
      at once: insertions, which go along it, are a running minimum.
    """
    rows, time = references.values.shape
    places = jnp.arange(time + 1, dtype=jnp.int32)[None]

    def read(row, step):
        number, token = step  # the answer's token, and how many there are with it
        other = (token[:, None] != references.values).astype(jnp.int32)
        best = jnp.minimum(row[:, 1:] + 1, row[:, :-1] + other)
        best = jnp.concatenate([jnp.full((rows, 1), number), best], axis=1)
        new = jax.lax.cummin(best - places, axis=1) + places
        return jnp.where((number <= answers.lengths)[:, None], new, row), None

    numbers = jnp.arange(1, answers.values.shape[1] + 1, dtype=jnp.int32)
    first = jnp.broadcast_to(places, (rows, time + 1))
    last, _ = jax.lax.scan(read, first, (numbers, answers.values.T))
    edits = jnp.take_along_axis(last, references.lengths[:, None], axis=1)[:, 0]
    return edits.astype(jnp.float32) / jnp.maximum(references.lengths, 1).astype(jnp.float32)


def bleu_costs(answers: Padded, references: Padded) -> Float[Array, " rows"]:
    """Returns 1 less the sentence's BLEU+1, in [0, 1].

    One is added to matches and n-grams of every order but the first, for a sentence need not have a
    4-gram in common with its reference. An answer that has no token in common with it costs 1, as
    an empty one does. It is sacreBLEU's with `smooth_method="add-k"`.

    Args:
      answers, references: `[rows, time]` ids without EOS; the times may differ.

    References:
      Lin & Och, "ORANGE: a method for evaluating automatic evaluation metrics for machine
      translation", 2004, section 4; Papineni et al., "BLEU", 2002.
    """
    log_precisions = jnp.zeros(answers.lengths.shape)
    for order in range(1, ORDERS + 1):
        matches, count = _clipped_matches(answers, references, order)
        if order == 1:
            any_match = matches > 0
        else:
            matches, count = matches + 1, count + 1
        log_precisions += jnp.log(jnp.maximum(matches, 1)) - jnp.log(jnp.maximum(count, 1))
    own, wanted = (side.lengths.astype(jnp.float32) for side in (answers, references))
    brevity = jnp.minimum(0.0, 1 - wanted / jnp.maximum(own, 1))
    return jnp.where(any_match, 1 - jnp.exp(log_precisions / ORDERS + brevity), 1.0)


def _clipped_matches(answers: Padded, references: Padded, order: int):
    """Returns n-grams of each answer that its reference has, each at most as often as there, and
    all n-grams of the answer."""
    if min(answers.values.shape[1], references.values.shape[1]) < order:
        answers, references = (_widened(side, order) for side in (answers, references))
    among_own = _same(answers, answers, order)
    in_reference = _same(answers, references, order)
    number = jnp.sum(jnp.tril(among_own), axis=2)  # the how many-th of its kind
    counted = number <= jnp.sum(in_reference, axis=2)
    valid = length_mask(answers.lengths - order + 1, counted.shape[1])
    matches = jnp.sum(counted & valid, axis=1).astype(jnp.float32)
    return matches, jnp.sum(valid, axis=1).astype(jnp.float32)


def _widened(side: Padded, time: int) -> Padded:
    missing = max(time - side.values.shape[1], 0)
    return Padded(jnp.pad(side.values, ((0, 0), (0, missing))), side.lengths)


def _same(one: Padded, other: Padded, order: int):
    """Returns `[rows, starts, starts]`: whether n-grams that start there are valid and alike."""
    starts = [side.values.shape[1] - order + 1 for side in (one, other)]
    masks = [
        length_mask(side.lengths - order + 1, count)
        for side, count in zip((one, other), starts, strict=True)
    ]
    alike = masks[0][:, :, None] & masks[1][:, None, :]
    for place in range(order):
        ids = one.values[:, place : place + starts[0]], other.values[:, place : place + starts[1]]
        alike &= ids[0][:, :, None] == ids[1][:, None, :]
    return alike

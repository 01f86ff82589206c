"""What frames say along one path, if a blank stands between labels and repetitions are joined.

Log-probabilities of every label and the blank at every frame are all that is known; see
`prefix_beam` for the sum over all paths.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from seqjax.decode.distribution import as_logits
from seqjax.decode.protocol import Hypotheses
from seqjax.masking import length_mask
from seqjax.types import Padded
from seqjax.unroll.scan import scan_steps


class Alignment(NamedTuple):
    """Which label is said at which frame.

    Attributes:
      places: `[batch, time]` how many-th label of its row is said, from 0; -1 at blanks, at padding
        and where there is no path.
      log_probs: `[batch]` of the path, in nats; `-inf` where no path says the labels.
    """

    places: Int[Array, "batch time"]
    log_probs: Float[Array, " batch"]


def ctc_greedy(
    log_probs: Float[Array, "batch time vocab"],
    lengths: Int[Array, " batch"],
    *,
    blank_id: int,
    pad_id: int,
) -> Hypotheses:
    """Returns what the likeliest path says: the likeliest label or blank of each frame, collapsed.

    `log_probs` and `scores` of the one hypothesis are the path's, which is a part of those of what
    it says. Of equally likely labels the one with the lowest id counts.

    Args:
      log_probs: In nats; NaN and `+inf` count as forbidden, as in every search here. What stands at
        padding changes nothing.
      lengths: Frames of each row; of none, the empty answer has probability 1.
      blank_id: Id of the blank.
      pad_id: Written after each answer.

    References:
      Graves et al., "Connectionist temporal classification", 2006, section 3.2, best path decoding.
    """
    batch, time = log_probs.shape[:2]
    mask = length_mask(lengths, time)
    log_probs = as_logits(log_probs)
    path = jnp.argmax(log_probs, axis=-1).astype(jnp.int32)
    total = jnp.sum(jnp.where(mask, jnp.max(log_probs, axis=-1), 0.0), axis=1)
    before = jnp.pad(path[:, :-1], ((0, 0), (1, 0)), constant_values=blank_id)
    kept = mask & (path != blank_id) & (path != before)
    place = jnp.where(kept, jnp.cumsum(kept, axis=1) - 1, time)
    tokens = jnp.full((batch, time), pad_id, jnp.int32)
    tokens = tokens.at[jnp.arange(batch)[:, None], place].set(path, mode="drop")
    exists = (total > -jnp.inf)[:, None]
    return Hypotheses(
        tokens=jnp.where(exists, tokens, pad_id)[:, None],
        log_probs=total[:, None],
        scores=total[:, None],
        lengths=jnp.where(exists, jnp.sum(kept, axis=1, dtype=jnp.int32)[:, None], 0),
        finished=exists,
    )


def ctc_alignment(
    log_probs: Float[Array, "batch time vocab"],
    lengths: Int[Array, " batch"],
    labels: Padded,
    *,
    blank_id: int,
) -> Alignment:
    """Returns the likeliest path that says the given labels (Viterbi; forced alignment).

    Of equally likely paths it is the one whose labels are said earlier.

    Args:
      log_probs: In nats; NaN and `+inf` count as forbidden. What stands at padding changes nothing.
      lengths: Frames of each row.
      labels: Ids without the blank.
      blank_id: Id of the blank.

    References:
      Graves, "Supervised sequence labelling with recurrent neural networks", 2012, section 7.5, for
      the states: every label with a blank before and after it.
    """
    batch, time = log_probs.shape[:2]
    count = labels.values.shape[1]
    values = jnp.where(length_mask(labels.lengths, count), labels.values, blank_id)
    ids = jnp.full((batch, 2 * count + 1), blank_id, values.dtype).at[:, 1::2].set(values)
    places = jnp.arange(2 * count + 1)[None]
    skips = jnp.zeros(ids.shape, bool).at[:, 3::2].set(values[:, 1:] != values[:, :-1])
    wanted = jnp.broadcast_to(ids[:, None], (batch, time, ids.shape[1]))
    frames = jnp.take_along_axis(as_logits(log_probs), wanted, axis=-1)
    mask = length_mask(lengths, time).T

    def step(scores, frame):
        earlier = lambda by: jnp.pad(scores, ((0, 0), (by, 0)), constant_values=-jnp.inf)[
            :, : scores.shape[1]
        ]
        ways = jnp.stack([scores, earlier(1), jnp.where(skips, earlier(2), -jnp.inf)])
        return jnp.max(ways, axis=0) + frame, jnp.argmax(ways, axis=0).astype(jnp.int8)

    at = lambda values, index: jnp.take_along_axis(values, index[:, None], axis=1)[:, 0]
    start = jnp.where(places == 0, 0.0, jnp.full(ids.shape, -jnp.inf))
    scores, moves = scan_steps(step, start, jnp.swapaxes(frames, 0, 1), mask)
    in_blank, in_label = 2 * labels.lengths, jnp.maximum(2 * labels.lengths - 1, 0)
    ends_in_label = at(scores, in_label) > at(scores, in_blank)
    last = jnp.where(ends_in_label, in_label, in_blank)
    total = at(scores, last)
    trace = lambda state, move: (state - at(move, state).astype(state.dtype), state)
    _, states = scan_steps(trace, last, moves, mask, reverse=True)
    states = states.T
    is_label = (states % 2 == 1) & mask.T & (total > -jnp.inf)[:, None]
    return Alignment(jnp.where(is_label, states // 2, -1), total)

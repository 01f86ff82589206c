"""All ways of spreading labels over frames: connectionist temporal classification (CTC).

At every frame a path says one label or the blank. Of what it says, repetitions are joined and
blanks taken out: `a a - a b b` says `a a b`. The probability of labels is that of all paths that
say them.

The states of this lattice are two for each number n of labels said so far: the last frame was a
blank (or there was no frame yet), or it said the n-th label. With y of the frame that comes,

    blank'[n]    = y(blank) (blank[n] + label[n])
    label'[n+1]  = y(label n+1) (label[n+1] + blank[n] + label[n]),

the last term only if label n+1 is another one than label n.
"""

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from seqjax.lattice import wide
from seqjax.lattice.wide import Wide
from seqjax.masking import length_mask, where_valid
from seqjax.types import Padded
from seqjax.unroll.scan import scan_steps


class _States(NamedTuple):
    """Something of every state, `[batch, states]`; there is no label 0, and its place is empty."""

    blank: Any
    label: Any


class _Lattice(NamedTuple):
    """What both directions read.

    Attributes:
      ids: Blank, then the labels of each row.
      valid: Which of them there are.
      again: True at n where label n + 1 is label n once more.
      normaliser: Logarithm of the softmax's denominator.
      frames: `[time, batch, states]` probabilities of `ids`; 0 where there is none.
      mask: Frames that there are.
    """

    ids: Int[Array, "batch states"]
    valid: Bool[Array, "batch states"]
    again: Bool[Array, "batch states"]
    normaliser: Float[Array, "batch time"]
    frames: Wide
    mask: Bool[Array, "time batch"]


def label_log_probs(
    logits: Float[Array, "batch time vocab"],
    lengths: Int[Array, " batch"],
    labels: Padded,
    *,
    blank_id: int,
) -> Float[Array, " batch"]:
    r"""Returns the log-probability in nats of each row's labels, given its frames.

    It is -inf where no path says the labels: there are fewer frames than labels and repetitions
    (two that are alike need a blank between them), or a logit of -inf forbids it. Such a row's
    gradient is 0. Of no frames, no labels have probability 1.

    The gradient is written down, :math:`\gamma_t(v) - y_t(v)` with :math:`\gamma_t(v)` the
    probability that a path that says the labels is at v at frame t: one scan forwards, whose
    states are kept, and one backwards. Every probability has an exponent of its own, so that long
    inputs cost few digits.

    Args:
      logits: Raw scores of the labels and the blank. What stands at padding changes nothing, not
        even as NaN.
      lengths: Frames of each row; 0 is allowed.
      labels: Ids in `[0, vocab)` without the blank; a row may have none. Padding may hold anything.
      blank_id: Id of the blank.

    References:
      Graves, Fernández, Gomez & Schmidhuber, "Connectionist temporal classification", 2006, section
      4.1; their alpha and beta both count the frame in between, here alpha alone does.
    """
    return _row_log_probs(logits, lengths, labels, blank_id)


def label_posteriors(
    logits: Float[Array, "batch time vocab"],
    lengths: Int[Array, " batch"],
    labels: Padded,
    *,
    blank_id: int,
) -> Float[Array, "batch time vocab"]:
    """Returns how probable each label and the blank is at each frame, if the labels are known.

    They add up to 1 at every frame; at padding, and in rows of which no path says the labels, they
    are 0.

    Args:
      logits, lengths, labels, blank_id: As of `label_log_probs`.
    """
    lattice = _lattice(logits, lengths, labels, blank_id)
    total, alphas = _forward(lattice, labels.lengths, keep=True)
    return _posteriors(lattice, labels.lengths, alphas, total, logits.shape[-1])


@functools.partial(jax.custom_vjp, nondiff_argnums=(3,))
def _row_log_probs(
    logits: Float[Array, "batch time vocab"],
    lengths: Int[Array, " batch"],
    labels: Padded,
    blank_id: int,
) -> Float[Array, " batch"]:
    lattice = _lattice(logits, lengths, labels, blank_id)
    return _log_probs(lattice, _forward(lattice, labels.lengths, keep=False)[0])


def _row_log_probs_forward(logits, lengths, labels, blank_id):
    lattice = _lattice(logits, lengths, labels, blank_id)
    total, alphas = _forward(lattice, labels.lengths, keep=True)
    return _log_probs(lattice, total), (logits, lattice, labels.lengths, alphas, total)


def _row_log_probs_backward(blank_id, kept, slope):
    del blank_id
    logits, lattice, label_lengths, alphas, total = kept
    posteriors = _posteriors(lattice, label_lengths, alphas, total, logits.shape[-1])
    mask = lattice.mask.T
    probs = jnp.exp(where_valid(mask, logits).astype(jnp.float32) - lattice.normaliser[..., None])
    slope = jnp.where(total.mantissa == 0.0, 0.0, slope)
    gradient = slope[:, None, None] * where_valid(mask, posteriors - probs)
    return gradient.astype(logits.dtype), None, None


_row_log_probs.defvjp(_row_log_probs_forward, _row_log_probs_backward)


def _lattice(logits: Array, lengths: Array, labels: Padded, blank_id: int) -> _Lattice:
    batch, time = logits.shape[:2]
    count = labels.values.shape[1]
    mask = length_mask(lengths, time)
    logits = where_valid(mask, logits).astype(jnp.float32)
    normaliser = jax.nn.logsumexp(logits, axis=-1)
    there = length_mask(labels.lengths, count)
    values = jnp.where(there, labels.values, blank_id)
    ids = jnp.pad(values, ((0, 0), (1, 0)), constant_values=blank_id)
    valid = jnp.pad(there, ((0, 0), (1, 0)), constant_values=True)
    again = jnp.pad(values[:, 1:] == values[:, :-1], ((0, 0), (1, 0)))[:, :count]
    again = jnp.pad(again, ((0, 0), (0, 1)))
    said = jnp.take_along_axis(
        logits, jnp.broadcast_to(ids[:, None], (batch, time, count + 1)), axis=-1
    )
    frames = jnp.where(valid[:, None], said - normaliser[..., None], -jnp.inf)
    frames = wide.of_log(jnp.swapaxes(frames, 0, 1))
    return _Lattice(ids, valid, again, normaliser, frames, mask.T)


def _log_probs(lattice: _Lattice, total: Wide) -> Float[Array, " batch"]:
    """Returns logarithms; NaN where a logit was, for `Wide` knows none."""
    sound = jnp.all(jnp.isfinite(lattice.normaliser), axis=1)
    return jnp.where(sound, wide.log(total), jnp.nan)


def _forward(
    lattice: _Lattice, label_lengths: Int[Array, " batch"], *, keep: bool
) -> tuple[Wide, Any]:
    """Returns the probability of each row, and the `_States` after every frame, time first.

    The latter are None unless they are to be kept.
    """

    def step(states: _States, frame: Wide):
        either = wide.add(states.blank, states.label)
        moved = _shifted(_where(lattice.again, states.blank, either), 1)
        label = wide.times(wide.add(states.label, moved), frame)
        new = _States(wide.times(either, _blank(frame)), label)
        return new, new if keep else None

    is_first = (jnp.arange(lattice.ids.shape[1]) == 0)[None]
    nothing = jnp.full(lattice.ids.shape, -jnp.inf)
    start = _States(*map(wide.of_log, (jnp.where(is_first, 0.0, nothing), nothing)))
    states, kept = scan_steps(step, start, lattice.frames, lattice.mask)
    at_end = lambda leaf: jnp.take_along_axis(leaf, label_lengths[:, None], axis=1)[:, 0]
    return wide.add(*jax.tree.map(at_end, states)), kept


def _posteriors(
    lattice: _Lattice,
    label_lengths: Int[Array, " batch"],
    alphas: _States,
    total: Wide,
    vocab_size: int,
) -> Float[Array, "batch time vocab"]:
    whole = jax.tree.map(lambda leaf: leaf[:, None], total)

    def step(states: _States, scanned):
        frame, alpha = scanned
        either = wide.add(states.blank, _shifted(states.label, -1))
        stays = wide.add(states.label, _where(lattice.again, states.blank, either))
        found = _States(
            wide.share(alpha.blank, either, whole), wide.share(alpha.label, stays, whole)
        )
        return _States(wide.times(either, _blank(frame)), wide.times(stays, frame)), found

    places = jnp.arange(lattice.ids.shape[1])[None]
    nothing = jnp.full(lattice.ids.shape, -jnp.inf)
    # What has come to its last label may end: as if one more blank, which is sure, were to come.
    ends = jnp.where(places == label_lengths[:, None], 0.0, nothing)
    end = _States(wide.of_log(ends), wide.of_log(nothing))
    frames = (lattice.frames, alphas)
    _, found = scan_steps(step, end, frames, lattice.mask, reverse=True)
    # There is no label 0: its place is that of the blank.
    said = jnp.sum(found.blank, axis=2, keepdims=True)
    said = jnp.where((places == 0)[None], said, found.label)
    # A product, for adding up at indices is slow, and on a GPU in no fixed order.
    is_id = lattice.ids[:, :, None] == jnp.arange(vocab_size)[None, None]
    one_hot = jnp.where(lattice.valid[:, :, None], is_id, False).astype(jnp.float32)
    return jnp.einsum("tbs,bsv->btv", said, one_hot, precision=jax.lax.Precision.HIGHEST)


def _blank(frame: Wide) -> Wide:
    return Wide(frame.mantissa[:, :1], frame.exponent[:, :1])


def _where(condition: Bool[Array, "batch states"], true: Wide, false: Wide) -> Wide:
    return jax.tree.map(lambda one, other: jnp.where(condition, one, other), true, false)


def _shifted(number: Wide, by: int) -> Wide:
    """Returns every state's as that of the next one, or of the one before; 0 comes in."""
    keep = slice(None, -1) if by > 0 else slice(1, None)
    room = ((0, 0), (1, 0) if by > 0 else (0, 1))
    return Wide(
        jnp.pad(number.mantissa[:, keep], room),
        jnp.pad(number.exponent[:, keep], room, constant_values=wide.NOTHING),
    )

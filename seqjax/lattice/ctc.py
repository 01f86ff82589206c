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

from seqjax.lattice.sums import finite_top, log_add, shares
from seqjax.masking import length_mask, where_valid
from seqjax.types import Padded
from seqjax.unroll.scan import scan_steps


class _States(NamedTuple):
    """Log-probabilities of the states; `label[:, 0]`, for there is no label 0, is -inf."""

    blank: Float[Array, "batch states"]
    label: Float[Array, "batch states"]


class _Lattice(NamedTuple):
    """What both directions read.

    Attributes:
      ids: Blank, then the labels of each row.
      valid: Which of them there are.
      again: True at n where label n + 1 is label n once more.
      normaliser: Logarithm of the softmax's denominator.
      frames: Log-probabilities of `ids`; -inf where there is none.
      mask: Frames that there are.
    """

    ids: Int[Array, "batch states"]
    valid: Bool[Array, "batch states"]
    again: Bool[Array, "batch states"]
    normaliser: Float[Array, "batch time"]
    frames: Float[Array, "time batch states"]
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
    states are kept, and one backwards. Probabilities are counted relative to the likeliest state
    of each frame, so that long inputs cost few digits.

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
    _, alphas = _forward(lattice, labels.lengths, keep=True)
    return _posteriors(lattice, labels.lengths, alphas, logits.shape[-1])


@functools.partial(jax.custom_vjp, nondiff_argnums=(3,))
def _row_log_probs(
    logits: Float[Array, "batch time vocab"],
    lengths: Int[Array, " batch"],
    labels: Padded,
    blank_id: int,
) -> Float[Array, " batch"]:
    lattice = _lattice(logits, lengths, labels, blank_id)
    return _forward(lattice, labels.lengths, keep=False)[0]


def _row_log_probs_forward(logits, lengths, labels, blank_id):
    lattice = _lattice(logits, lengths, labels, blank_id)
    log_probs, alphas = _forward(lattice, labels.lengths, keep=True)
    return log_probs, (logits, lattice, labels.lengths, alphas, log_probs)


def _row_log_probs_backward(blank_id, kept, slope):
    del blank_id
    logits, lattice, label_lengths, alphas, log_probs = kept
    posteriors = _posteriors(lattice, label_lengths, alphas, logits.shape[-1])
    mask = lattice.mask.T
    probs = jnp.exp(where_valid(mask, logits).astype(jnp.float32) - lattice.normaliser[..., None])
    slope = jnp.where(log_probs == -jnp.inf, 0.0, slope)
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
    return _Lattice(ids, valid, again, normaliser, jnp.swapaxes(frames, 0, 1), mask.T)


def _emissions(frame: Float[Array, "batch states"]) -> _States:
    """Returns log-probabilities of a frame by state."""
    is_first = (jnp.arange(frame.shape[1]) == 0)[None]
    return _States(
        jnp.broadcast_to(frame[:, :1], frame.shape), jnp.where(is_first, -jnp.inf, frame)
    )


def _forward(
    lattice: _Lattice, label_lengths: Int[Array, " batch"], *, keep: bool
) -> tuple[Float[Array, " batch"], Any]:
    """Returns the log-probability of each row, and the `_States` after every frame, time first.

    The latter are relative to the likeliest one, and None unless they are to be kept.
    """

    def step(states: _States, frame: Float[Array, "batch states"]):
        said = _emissions(frame)
        either = log_add(states.blank, states.label)
        moved = jnp.where(lattice.again, states.blank, either)
        moved = jnp.pad(moved[:, :-1], ((0, 0), (1, 0)), constant_values=-jnp.inf)
        new = _States(either + said.blank, log_add(states.label, moved) + said.label)
        new, top = _relative(new)
        return new, (top, new if keep else None)

    nothing = jnp.full(lattice.ids.shape, -jnp.inf)
    start = _States(nothing.at[:, 0].set(0.0), nothing)
    states, (tops, kept) = scan_steps(step, start, lattice.frames, lattice.mask)
    ends = log_add(*(_at(leaf, label_lengths) for leaf in states))
    return jnp.sum(tops, axis=0) + ends, kept


def _posteriors(
    lattice: _Lattice, label_lengths: Int[Array, " batch"], alphas: _States, vocab_size: int
) -> Float[Array, "batch time vocab"]:
    def step(states: _States, scanned):
        frame, alpha = scanned
        both = jnp.stack([alpha.blank + states.blank, alpha.label + states.label], axis=1)
        probs = shares(both)
        # There is no label 0: its place is that of the blank.
        here = probs[:, 1].at[:, 0].set(jnp.sum(probs[:, 0], axis=1))
        said = _emissions(frame)
        blank, label = states.blank + said.blank, states.label + said.label
        next_label = jnp.pad(label[:, 1:], ((0, 0), (0, 1)), constant_values=-jnp.inf)
        either = log_add(blank, next_label)
        new = _States(either, log_add(label, jnp.where(lattice.again, blank, either)))
        return _relative(new)[0], here

    is_last = jnp.arange(lattice.ids.shape[1])[None] == label_lengths[:, None]
    end = jnp.where(is_last, 0.0, -jnp.inf)
    frames = (lattice.frames, alphas)
    _, found = scan_steps(step, _States(end, end), frames, lattice.mask, reverse=True)
    # A product, for adding up at indices is slow, and on a GPU in no fixed order.
    is_id = lattice.ids[:, :, None] == jnp.arange(vocab_size)[None, None]
    one_hot = jnp.where(lattice.valid[:, :, None], is_id, False).astype(jnp.float32)
    return jnp.einsum("tbs,bsv->btv", found, one_hot, precision=jax.lax.Precision.HIGHEST)


def _relative(states: _States) -> tuple[_States, Float[Array, " batch"]]:
    top = finite_top(jnp.stack(states, axis=1))
    return jax.tree.map(lambda leaf: leaf - top[:, None], states), top


def _at(values: Float[Array, "batch states"], index: Int[Array, " batch"]):
    return jnp.take_along_axis(values, index[:, None], axis=1)[:, 0]

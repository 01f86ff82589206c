"""The best sequences of tags, if each depends on the one before it (linear chain)."""

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from seqjax.decode.distribution import as_logits, best
from seqjax.decode.protocol import Hypotheses
from seqjax.lattice import log_partition, tag_marginals
from seqjax.masking import length_mask
from seqjax.types import Transitions
from seqjax.unroll.scan import scan_steps


def viterbi(
    emissions: Float[Array, "batch time tags"],
    lengths: Int[Array, " batch"],
    transitions: Transitions,
    *,
    pad_id: int,
    n_best: int = 1,
) -> Hypotheses:
    """Returns the sequences of tags that score best, exactly.

    `scores` are theirs; `log_probs` are scores less the logarithm of the partition, so that those
    of all sequences that are not forbidden add up to 1 (see `forbid`). A slot for which there is no
    other sequence is empty. Of a row of length 0 the empty sequence is the only one, and has
    probability 1. Ties go to the tag with the lower id, the last tag first.

    Args:
      emissions: Scores of every tag at every step; NaN and `+inf` count as forbidden. What stands
        at padding changes nothing.
      lengths: Steps of each row.
      transitions: Scores; -inf forbids.
      pad_id: Written after each sequence.
      n_best: Sequences returned.

    Raises:
      ValueError: If `n_best` is below 1.

    References:
      Viterbi, "Error bounds for convolutional codes", 1967; for n best, Seshadri & Sundberg, "List
      Viterbi decoding algorithms with applications", 1994, the parallel one.
    """
    if n_best < 1:
        raise ValueError(f"n_best must be at least 1, got {n_best}")
    batch, time, size = emissions.shape
    emissions = as_logits(emissions)
    mask = length_mask(lengths, time).T
    frames = jnp.swapaxes(emissions, 0, 1)

    # The n best ways to every tag: batch, tag, rank; a way back is tag * n_best + rank.
    def step(scores, frame):
        ways = scores[:, None] + transitions.between.T[None, :, :, None]  # batch, to, from, rank
        kept, index = best(ways.reshape(batch, size, size * n_best), n_best)
        return kept + frame[..., None], index

    at = lambda values, index: jnp.take_along_axis(values, index, axis=1)
    trace = lambda state, back: (at(back.reshape(batch, -1), state), state)
    empty = jnp.full((batch, size, n_best), -jnp.inf)
    if time:
        first = empty.at[:, :, 0].set(transitions.start[None] + frames[0])
        scores, backs = scan_steps(step, first, frames[1:], mask[1:])
        ends = (scores + transitions.end[None, :, None]).reshape(batch, -1)
    else:
        backs = jnp.zeros((0, *empty.shape), jnp.int32)
        ends = empty.reshape(batch, -1)
    found, states = best(ends, n_best)
    first_state, later = scan_steps(trace, states, backs, mask[1:], reverse=True)
    paths = jnp.concatenate([first_state[None], later])[:time] // n_best
    is_empty = (lengths == 0)[:, None]
    nothing = jnp.where(jnp.arange(n_best) == 0, 0.0, -jnp.inf)[None]
    found = jnp.where(is_empty, nothing, found)
    exists = found > -jnp.inf
    valid = mask.T[:, None] & exists[..., None]
    total = log_partition(emissions, lengths, transitions)
    return Hypotheses(
        tokens=jnp.where(valid, jnp.moveaxis(paths, 0, 2), pad_id).astype(jnp.int32),
        log_probs=jnp.where(exists, found - jnp.where(exists, total[:, None], 0.0), -jnp.inf),
        scores=found,
        lengths=jnp.where(exists, lengths[:, None], 0),
        finished=exists,
    )


def likeliest_tags(
    emissions: Float[Array, "batch time tags"],
    lengths: Int[Array, " batch"],
    transitions: Transitions,
    *,
    pad_id: int,
) -> tuple[Int[Array, "batch time"], Float[Array, "batch time"]]:
    """Returns the likeliest tag of every step, whatever the others are, and its probability.

    As many of them are right as can be expected to be; together they may be impossible.

    Args:
      emissions, lengths, transitions: As of `viterbi`.
      pad_id: Written after each sequence.

    References:
      Rabiner, "A tutorial on hidden Markov models", 1989, section III.B.
    """
    mask = length_mask(lengths, emissions.shape[1])
    marginals = tag_marginals(as_logits(emissions), lengths, transitions)
    tags = jnp.argmax(marginals, axis=-1).astype(jnp.int32)
    return jnp.where(mask, tags, pad_id), jnp.max(marginals, axis=-1, initial=0.0)

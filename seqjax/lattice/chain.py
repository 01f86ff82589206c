"""All sequences of tags: the linear chain of a conditional random field.

A sequence of tags scores the sum of its emissions and its transitions,

    start(y_1) + sum over t of e_t(y_t) + sum over t of between(y_{t-1}, y_t) + end(y_T),

and its probability is the exponential of that over the sum of those of all sequences. Of no steps
there is one sequence, the empty one, which scores 0. A score of -inf forbids.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from seqjax.lattice.sums import finite_top, shares
from seqjax.masking import length_mask, where_valid
from seqjax.types import Padded, Transitions
from seqjax.unroll.scan import scan_steps


def forbid(transitions: Transitions, allowed: Transitions) -> Transitions:
    """Returns the scores with -inf wherever `allowed` says False."""
    return jax.tree.map(lambda score, may: jnp.where(may, score, -jnp.inf), transitions, allowed)


def no_transitions(tags: int) -> Transitions:
    """Returns scores of 0: tags do not depend on each other.

    >>> no_transitions(2).between.tolist()
    [[0.0, 0.0], [0.0, 0.0]]
    """
    return Transitions(jnp.zeros(tags), jnp.zeros(tags), jnp.zeros((tags, tags)))


def path_scores(
    emissions: Float[Array, "batch time tags"], tags: Padded, transitions: Transitions
) -> Float[Array, " batch"]:
    """Returns the score of each row's own tags; of a row of length 0 it is 0.

    Args:
      emissions: Scores of every tag at every step. What stands at padding changes nothing.
      tags: Ids; padding may hold anything.
      transitions: Scores.
    """
    mask = length_mask(tags.lengths, emissions.shape[1])
    ids = jnp.where(mask, tags.values, 0)
    emissions = where_valid(mask, emissions.astype(jnp.float32))
    said = jnp.take_along_axis(emissions, ids[..., None], axis=-1)[..., 0]
    moved = jnp.where(mask[:, 1:], transitions.between[ids[:, :-1], ids[:, 1:]], 0.0)
    total = jnp.sum(jnp.where(mask, said, 0.0), axis=1) + jnp.sum(moved, axis=1)
    if not emissions.shape[1]:
        return total
    last = jnp.take_along_axis(ids, jnp.maximum(tags.lengths - 1, 0)[:, None], axis=1)[:, 0]
    ends = transitions.start[ids[:, 0]] + transitions.end[last]
    return total + jnp.where(tags.lengths > 0, ends, 0.0)


@jax.custom_vjp
def log_partition(
    emissions: Float[Array, "batch time tags"],
    lengths: Int[Array, " batch"],
    transitions: Transitions,
) -> Float[Array, " batch"]:
    """Returns the logarithm of the sum over all sequences of the exponential of their score.

    Of a row of length 0 it is 0; where everything is forbidden it is -inf, with a gradient of 0.
    Its gradient is what is expected: probabilities of tags, and expected counts of transitions,
    from one scan backwards. Scores are counted relative to the best one of each step, so that
    long inputs cost few digits.

    Args:
      emissions: Scores of every tag at every step. What stands at padding changes nothing.
      lengths: Steps of each row, 0 allowed.
      transitions: Scores; -inf forbids.

    References:
      Lafferty, McCallum & Pereira, "Conditional random fields", 2001, section 3; Sutton & McCallum,
      "An introduction to conditional random fields", 2012, section 4.1.
    """
    return _forward(emissions, lengths, transitions)[0]


def tag_marginals(
    emissions: Float[Array, "batch time tags"],
    lengths: Int[Array, " batch"],
    transitions: Transitions,
) -> Float[Array, "batch time tags"]:
    """Returns the probability of every tag at every step, whatever the others are; 0 at padding.

    Args:
      emissions, lengths, transitions: As of `log_partition`.
    """
    _, alphas = _forward(emissions, lengths, transitions)
    return _expected(emissions, lengths, transitions, alphas)[0]


def expected_transitions(
    emissions: Float[Array, "batch time tags"],
    lengths: Int[Array, " batch"],
    transitions: Transitions,
) -> Float[Array, "batch tags tags"]:
    """Returns how often each tag is expected to follow each other one, in each row.

    Args:
      emissions, lengths, transitions: As of `log_partition`.
    """
    _, alphas = _forward(emissions, lengths, transitions)
    return _expected(emissions, lengths, transitions, alphas)[1]


def _log_partition_forward(emissions, lengths, transitions):
    totals, alphas = _forward(emissions, lengths, transitions)
    return totals, (emissions, lengths, transitions, alphas)


def _log_partition_backward(kept, slope):
    emissions, lengths, transitions, alphas = kept
    marginals, pairs = _expected(emissions, lengths, transitions, alphas)
    weighed = slope[:, None, None] * marginals
    last = jnp.arange(marginals.shape[1])[None] == lengths[:, None] - 1
    gradient = Transitions(
        start=jnp.sum(weighed[:, :1], axis=(0, 1)),
        end=jnp.sum(where_valid(last, weighed), axis=(0, 1)),
        between=jnp.sum(slope[:, None, None] * pairs, axis=0),
    )
    return weighed.astype(emissions.dtype), None, gradient


log_partition.defvjp(_log_partition_forward, _log_partition_backward)


def _time_first(
    emissions: Float[Array, "batch time tags"], lengths: Int[Array, " batch"]
) -> tuple[Float[Array, "time batch tags"], Bool[Array, "time batch"]]:
    mask = length_mask(lengths, emissions.shape[1])
    return jnp.swapaxes(where_valid(mask, emissions.astype(jnp.float32)), 0, 1), mask.T


def _forward(
    emissions: Array, lengths: Array, transitions: Transitions
) -> tuple[Float[Array, " batch"], Float[Array, "time batch tags"]]:
    """Returns the partition, and what all ways to each tag come to, relative to the best tag."""
    frames, mask = _time_first(emissions, lengths)
    if not frames.shape[0]:
        return jnp.zeros(frames.shape[1]), frames

    def relative(scores):
        top = finite_top(scores)
        return scores - top[:, None], top

    def step(alpha, frame):
        ways = alpha[:, None, :] + transitions.between.T[None]  # batch, to, from
        alpha, top = relative(jax.nn.logsumexp(ways, axis=-1) + frame)
        return alpha, (alpha, top)

    first, top = relative(transitions.start[None] + frames[0])
    alpha, (alphas, tops) = scan_steps(step, first, frames[1:], mask[1:])
    ends = jax.nn.logsumexp(alpha + transitions.end[None], axis=-1)
    totals = top + jnp.sum(tops, axis=0) + ends
    alphas = jnp.concatenate([first[None], alphas])
    return jnp.where(mask[0], totals, 0.0), alphas


def _expected(
    emissions: Array, lengths: Array, transitions: Transitions, alphas: Array
) -> tuple[Float[Array, "batch time tags"], Float[Array, "batch tags tags"]]:
    """Returns probabilities of tags, and expected counts of transitions."""
    frames, mask = _time_first(emissions, lengths)
    time, batch, tags = frames.shape
    if not time:
        return emissions, jnp.zeros((batch, tags, tags))

    def step(carry, scanned):
        beta, counts = carry
        frame, alpha_before = scanned
        ways = transitions.between[None] + (frame + beta)[:, None, :]  # batch, from, to
        pairs = shares(alpha_before[:, :, None] + ways)
        beta = jax.nn.logsumexp(ways, axis=-1)
        return (beta - finite_top(beta)[:, None], counts + pairs), jnp.sum(pairs, axis=2)

    end = jnp.broadcast_to(transitions.end[None], (batch, tags))
    carry = end, jnp.zeros((batch, tags, tags))
    (_, counts), before = scan_steps(step, carry, (frames[1:], alphas[:-1]), mask[1:], reverse=True)
    # What `before` says of a step is of the one before it; the last one has nothing after it.
    last = jnp.arange(time)[:, None] == lengths[None] - 1
    ending = jax.vmap(shares)(alphas + transitions.end[None, None])
    inner = jnp.concatenate([before, jnp.zeros((1, batch, tags))])
    return jnp.swapaxes(jnp.where(last[..., None], ending, inner), 0, 1), counts

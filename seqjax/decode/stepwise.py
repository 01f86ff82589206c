"""The best sequences, if no step depends on another one."""

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from seqjax.decode.distribution import best, normalised
from seqjax.decode.protocol import Hypotheses
from seqjax.masking import length_mask
from seqjax.unroll.scan import scan_steps


def stepwise(
    logits: Float[Array, "batch time tags"],
    lengths: Int[Array, " batch"],
    *,
    pad_id: int,
    n_best: int = 1,
) -> Hypotheses:
    """Returns the n likeliest sequences, exactly: what `viterbi` finds without transitions.

    It costs `n_best` times the tags of a step rather than their square: of every step only the
    `n_best` likeliest tags can be in an answer. `scores` are log-probabilities, too. A slot for
    which there is no other sequence is empty; of a row of length 0 the empty sequence is the only
    one.

    Args:
      logits: Of every tag at every step; NaN and `+inf` count as forbidden. What stands at padding
        changes nothing.
      lengths: Steps of each row.
      pad_id: Written after each sequence.
      n_best: Sequences returned.

    Raises:
      ValueError: If `n_best` is below 1.
    """
    if n_best < 1:
        raise ValueError(f"n_best must be at least 1, got {n_best}")
    batch, time, size = logits.shape
    mask = length_mask(lengths, time).T
    kept = min(n_best, size)
    values, tags = best(normalised(logits), kept)  # batch, time, rank

    # A way back is the rank of what was before times `kept`, and the rank of this step's tag.
    def step(scores, frame):
        ways = scores[:, :, None] + frame[:, None, :]
        return best(ways.reshape(batch, n_best * kept), n_best)

    def trace(ranks, scanned):
        back, those = scanned
        ways = jnp.take_along_axis(back, ranks, axis=1)
        return ways // kept, jnp.take_along_axis(those, ways % kept, axis=1)

    nothing = jnp.where(jnp.arange(n_best) == 0, 0.0, -jnp.inf)
    start = jnp.broadcast_to(nothing[None], (batch, n_best))
    found, backs = scan_steps(step, start, jnp.swapaxes(values, 0, 1), mask)
    ranks = jnp.broadcast_to(jnp.arange(n_best)[None], (batch, n_best))
    scanned = backs, jnp.swapaxes(tags, 0, 1)
    _, paths = scan_steps(trace, ranks, scanned, mask, reverse=True)
    exists = found > -jnp.inf
    valid = mask.T[:, None] & exists[..., None]
    return Hypotheses(
        tokens=jnp.where(valid, jnp.moveaxis(paths, 0, 2), pad_id).astype(jnp.int32),
        log_probs=found,
        scores=found,
        lengths=jnp.where(exists, lengths[:, None], 0),
        finished=exists,
    )

"""How unlikely a sequence of tags is, if each depends on the one before it."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from seqjax.lattice import log_partition, path_scores
from seqjax.types import Mean, Padded, Transitions


def crf_loss(
    emissions: Float[Array, "batch time tags"], tags: Padded, transitions: Transitions
) -> Mean:
    """Returns the negative log-likelihood of tags under a linear-chain conditional random field.

    In nats, weighted by the number of tags, as the cross-entropy is, which it equals where all
    transitions score the same. Rows of length 0 have no part. Its gradient is what is expected less
    what is there: probabilities of tags less the tags, expected transitions less those that are
    taken.

    Args:
      emissions: Scores of every tag at every step; what stands at padding changes nothing.
      tags: The right ones; padding may hold anything.
      transitions: Scores of beginnings, ends and neighbours. With -inf, what they forbid has
        probability 0; tags that take such a transition cost infinitely much.

    References:
      Lafferty, McCallum & Pereira, "Conditional random fields", 2001; Lample et al., "Neural
      architectures for named entity recognition", 2016, section 2.2.
    """
    totals = log_partition(emissions, tags.lengths, transitions)
    scores = path_scores(emissions, tags, transitions)
    costs = jnp.where(scores == -jnp.inf, jnp.inf, totals - scores)
    return Mean(jnp.sum(costs), jnp.sum(tags.lengths).astype(jnp.float32))

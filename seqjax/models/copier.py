"""Writing by copying: the vocabulary goes on with one slot for each position of the source."""

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from seqjax.cells.dense import Dense
from seqjax.types import ComputeDtype

LEAST = 1e-30
"""Probability of what can neither be written nor copied, so that its logarithm is finite."""


class Copier(nn.Module):
    """A pointer-generator: the next token is written from the vocabulary or taken from the source.

    Of `P(w) = p P_vocabulary(w) + (1 - p) (attention on the positions of w)`, this is the switch
    `p = sigmoid(W [context; query; embedded] + b)`. A source token that the target vocabulary does
    not know has the id `vocab + its first position`, and can be said nonetheless.

    Attributes:
      unk_id: What the decoder reads in place of a token that its vocabulary does not know.
      compute_dtype: What the operands of the switch's product are rounded to while learning.

    References:
      See, Liu & Manning, "Get to the point: summarization with pointer-generator networks", 2017,
      equations (8) and (9); there the ids of a whole batch's unknown words follow the vocabulary.
    """

    unk_id: int
    compute_dtype: ComputeDtype = None

    @nn.compact
    def __call__(
        self,
        logits: Float[Array, "batch queries vocab"],
        seen: tuple[Array, ...],
        weights: Float[Array, "batch queries source"],
        copy_ids: Int[Array, "batch source"],
    ) -> Float[Array, "batch queries vocab_source"]:
        """Returns log-probabilities, which are logits too.

        Args:
          logits: Of the vocabulary.
          seen: Context, query and embedded token, `[batch, queries, ...]`.
          weights: Attention.
          copy_ids: Of the source positions; see `copies`.
        """
        switch = Dense(1, compute_dtype=self.compute_dtype)(jnp.concatenate(seen, axis=-1))
        written = nn.sigmoid(switch) * nn.softmax(logits)
        copied = nn.sigmoid(-switch) * weights
        return jnp.log(jnp.maximum(_put_together(written, copied, copy_ids), LEAST))


def _put_together(
    written: Float[Array, "batch queries vocab"],
    copied: Float[Array, "batch queries source"],
    copy_ids: Int[Array, "batch source"],
) -> Float[Array, "batch queries vocab_source"]:
    source = copied.shape[-1]
    room = jnp.pad(written, ((0, 0), (0, 0), (0, source)))
    return jax.vmap(lambda probs, ids, more: probs.at[:, ids].add(more))(room, copy_ids, copied)

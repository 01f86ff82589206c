"""Pooling: a sequence of outputs as one vector."""

from typing import Literal

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from seqjax.attention import attend, attention_weights
from seqjax.cells.cell import carry_features
from seqjax.cells.dense import Dense
from seqjax.cells.noise import compute_dtype_of
from seqjax.masking import length_mask
from seqjax.models.encoder import Encoded
from seqjax.types import ComputeDtype

PoolingKind = Literal["last", "mean", "max", "attention"]


class Pooling(nn.Module):
    """What is left of a sequence when it has been read.

    `last`: the last state of the top layer, of both directions side by side. `mean`, `max`: of its
    outputs, unit by unit. `attention`: their mean weighted by `softmax(v . tanh(W h + b))`. Of a
    row of length 0 each but the first is zeros.

    Attributes:
      kind: See above.
      compute_dtype: What the operands of products are rounded to while learning; those of the
        product with v are not, as in `AdditiveScorer`.

    References:
      Conneau et al., "Supervised learning of universal sentence representations", 2017, section
      3.2, compare last, mean, max and attention; the weights are those of Yang et al.,
      "Hierarchical attention networks", 2016, equations (5) to (7).
    """

    kind: PoolingKind
    compute_dtype: ComputeDtype = None

    @nn.compact
    def __call__(self, encoded: Encoded) -> Float[Array, "batch features"]:
        outputs, lengths = encoded.outputs, encoded.lengths
        mask = length_mask(lengths, outputs.shape[1])
        match self.kind:
            case "last":
                return carry_features(encoded.carries[-1])
            case "mean":
                count = jnp.maximum(lengths, 1)[:, None].astype(outputs.dtype)
                return jnp.sum(outputs, axis=1) / count
            case "max":
                highest = jnp.max(jnp.where(mask[..., None], outputs, -jnp.inf), axis=1)
                return jnp.where(lengths[:, None] > 0, highest, 0.0)
            case "attention":
                dtype = self.compute_dtype
                hidden_map = Dense(outputs.shape[-1], compute_dtype=dtype, name="hidden_map")
                hidden = jnp.tanh(hidden_map(outputs))
                scores = Dense(1, use_bias=False, name="score_map")(hidden)
                weights = attention_weights(jnp.swapaxes(scores, 1, 2), mask)
                return attend(weights, outputs, compute_dtype_of(self))[:, 0]

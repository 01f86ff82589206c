"""How a decoder looks back at the source, and what comes of it: weights, context, readout."""

import functools
from typing import Any, Literal, NamedTuple

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from seqjax.attention import Scorer, attend, attention_weights
from seqjax.cells.dense import Dense
from seqjax.cells.noise import compute_dtype_of
from seqjax.masking import length_mask
from seqjax.models.encoder import Encoded
from seqjax.types import ComputeDtype

GateKind = Literal["none", "source", "target", "both"]


class Memory(NamedTuple):
    """What a decoder can look back at. It belongs to the sentence and never changes.

    Attributes:
      values: `[batch, source, hidden]` outputs of the encoder.
      keys: `[batch, source, size]` what queries are compared with.
      mask: `[batch, source]` True where there is a source.
      copy_ids: `[batch, source]` the id of each position for a decoder that copies; else `()`.
    """

    values: Float[Array, "batch source hidden"]
    keys: Float[Array, "batch source size"]
    mask: Bool[Array, "batch source"]
    copy_ids: Int[Array, "batch source"] | tuple[()] = ()


class Reader(nn.Module):
    """Attention after the layers: compares a query with the memory, and joins it with what it saw.

    The readout is the attentional vector of Luong et al. (2015), `tanh(W [context; query])`. A
    context gate (Tu et al., 2017) weighs its two halves by what was said last:

        z = sigmoid(V [embedded; query; context]),  readout = tanh((1 - z) * T [embedded; query]
                                                                   + z * S context),

    with `source` only the second factor is there, with `target` only the first (and it is z).

    Attributes:
      scorer: Compares queries with keys; None leaves only the query (the fixed vector).
      size: Width of the readout.
      coverage: Show the scorer how much each source position has been looked at before: its key is
        moved by that much along a direction that is learnt. With an `AdditiveScorer` this is the
        coverage vector of See, Liu & Manning (2017).
      gate: The context gate.
      compute_dtype: What the operands of products are rounded to while learning.

    References:
      Luong, Pham & Manning, 2015; See, Liu & Manning, "Get to the point: summarization with
      pointer-generator networks", 2017; Tu et al., "Context gates for neural machine translation",
      2017, where the gate is inside the recurrent layer.
    """

    scorer: Scorer | None
    size: int
    coverage: bool = False
    gate: GateKind = "none"
    compute_dtype: ComputeDtype = None

    def setup(self):
        dense = functools.partial(Dense, compute_dtype=self.compute_dtype)
        if self.gate == "none":
            self.readout_map = dense(self.size)
        else:
            self.context_map = dense(self.size, use_bias=False)
            self.query_map = dense(self.size)
            self.gate_map = dense(self.size)
        if self.coverage:
            self.moved_keys = _MovedKeys()

    def prepare(self, encoded: Encoded, copy_ids: Any = ()) -> Memory:
        """Returns what the queries of a sentence are compared with, made once."""
        values = encoded.outputs
        keys = self.scorer.prepare(values) if self.scorer else values[..., :0]
        return Memory(values, keys, length_mask(encoded.lengths, values.shape[1]), copy_ids)

    def weigh(
        self,
        queries: Float[Array, "batch queries hidden"],
        memory: Memory,
        coverage: Float[Array, "batch queries covered"],
    ) -> Float[Array, "batch queries seen"]:
        """Returns how much each query looks at each position; no columns without a scorer.

        Args:
          queries: Outputs of the top layer.
          memory: Of each sentence.
          coverage: How much was looked at each position before; not read without `self.coverage`.
        """
        if self.scorer is None:
            return jnp.zeros((*queries.shape[:2], 0))
        if not self.coverage:
            return attention_weights(self.scorer(queries, memory.keys), memory.mask)
        batch, count, size = queries.shape
        keys = self.moved_keys(memory.keys, coverage)
        # batch queries source size -> a sentence for each query
        alone = queries.reshape(batch * count, 1, size), keys.reshape(-1, *keys.shape[2:])
        scores = self.scorer(*alone).reshape(batch, count, -1)
        return attention_weights(scores, memory.mask)

    def read(
        self,
        queries: Float[Array, "batch queries hidden"],
        embedded: Float[Array, "batch queries embedding"],
        weights: Float[Array, "batch queries seen"],
        memory: Memory,
    ) -> Float[Array, "batch queries size"]:
        """Returns the readout of each query."""
        if self.scorer is None:
            return jnp.tanh(self.readout_map(queries))
        context = attend(weights, memory.values, compute_dtype_of(self))
        if self.gate == "none":
            return jnp.tanh(self.readout_map(jnp.concatenate([context, queries], axis=-1)))
        said = jnp.concatenate([embedded, queries], axis=-1)
        z = nn.sigmoid(self.gate_map(jnp.concatenate([said, context], axis=-1)))
        source, target = self.context_map(context), self.query_map(said)
        match self.gate:
            case "source":
                source = z * source
            case "target":
                target = z * target
            case "both":
                source, target = z * source, (1 - z) * target
        return jnp.tanh(source + target)


class _MovedKeys(nn.Module):
    """Keys, for each query moved along one direction by what it covers."""

    @nn.compact
    def __call__(
        self,
        keys: Float[Array, "batch source size"],
        coverage: Float[Array, "batch queries source"],
    ) -> Float[Array, "batch queries source size"]:
        direction = self.param("direction", nn.initializers.normal(0.05), keys.shape[-1:])
        return keys[:, None] + coverage[..., None] * direction.reshape(1, 1, 1, -1)

"""Attention: how strongly a query looks at each source position. Scores, weights, context."""

from typing import Protocol, runtime_checkable

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from seqjax.cells.dense import Dense
from seqjax.cells.noise import compute_dtype_of
from seqjax.cells.product import contract
from seqjax.types import ComputeDtype


@runtime_checkable
class Scorer(Protocol):
    """Any linen module with these compares queries with a memory.

    `prepare` is called once per sentence, `__call__` for every query; scores at padding are not
    read.
    """

    def prepare(
        self, memory: Float[Array, "batch source features"]
    ) -> Float[Array, "batch source size"]: ...

    def __call__(
        self,
        queries: Float[Array, "batch queries features"],
        keys: Float[Array, "batch source size"],
    ) -> Float[Array, "batch queries source"]: ...


def attention_weights(
    scores: Float[Array, "batch queries source"], mask: Bool[Array, "batch source"]
) -> Float[Array, "batch queries source"]:
    """Returns the softmax of `scores` over valid positions; exactly 0 at padding.

    Rows sum to 1, and to 0 where a sentence has no valid position at all: never NaN, neither in the
    value nor in the gradient, whatever the scores at padding are.
    """
    mask = mask[:, None, :]
    scores = jnp.where(mask, scores, 0.0)
    top = jnp.max(jnp.where(mask, scores, -jnp.inf), axis=-1, keepdims=True)
    top = jax.lax.stop_gradient(jnp.where(jnp.isfinite(top), top, 0.0))
    weights = jnp.where(mask, jnp.exp(scores - top), 0.0)
    least = jnp.finfo(weights.dtype).tiny
    return weights / jnp.maximum(jnp.sum(weights, axis=-1, keepdims=True), least)


def attend(
    weights: Float[Array, "batch queries source"],
    memory: Float[Array, "batch source features"],
    dtype: ComputeDtype = None,
) -> Float[Array, "batch queries features"]:
    """Returns the context of each query: the mean of `memory` under its weights.

    For `dtype` see `contract`.
    """
    return contract("bqs,bsf->bqf", weights, memory, dtype)


def _dot(queries: Array, keys: Array, dtype: ComputeDtype) -> Float[Array, "batch queries source"]:
    return contract("bqd,bds->bqs", queries, jnp.swapaxes(keys, 1, 2), dtype)


class DotScorer(nn.Module):
    """`q . k`, divided by `sqrt(features)` if `scaled`; query and memory must be equally wide.

    References:
      Luong, Pham & Manning, "Effective approaches to attention-based neural machine translation",
      2015; the scaling is that of Vaswani et al., 2017.

    Attributes:
      scaled: See above.
      compute_dtype: What the operands of products are rounded to while learning.
    """

    scaled: bool = False
    compute_dtype: ComputeDtype = None

    def prepare(
        self, memory: Float[Array, "batch source features"]
    ) -> Float[Array, "batch source features"]:
        return memory

    def __call__(
        self, queries: Float[Array, "batch queries size"], keys: Float[Array, "batch source size"]
    ) -> Float[Array, "batch queries source"]:
        scores = _dot(queries, keys, compute_dtype_of(self))
        return scores / jnp.sqrt(queries.shape[-1]).astype(scores.dtype) if self.scaled else scores


class GeneralScorer(nn.Module):
    """`q^T M k`, with `M k` computed once per sentence (Luong, Pham & Manning, 2015).

    Attributes:
      query_size: Features of a query.
      compute_dtype: What the operands of products are rounded to while learning.
    """

    query_size: int
    compute_dtype: ComputeDtype = None

    def setup(self):
        self.key_map = Dense(self.query_size, use_bias=False, compute_dtype=self.compute_dtype)

    def prepare(
        self, memory: Float[Array, "batch source features"]
    ) -> Float[Array, "batch source size"]:
        return self.key_map(memory)

    def __call__(
        self, queries: Float[Array, "batch queries size"], keys: Float[Array, "batch source size"]
    ) -> Float[Array, "batch queries source"]:
        return _dot(queries, keys, compute_dtype_of(self))


class AdditiveScorer(nn.Module):
    """`v . tanh(W q + U k + b)`, with `U k + b` computed once per sentence.

    Attributes:
      size: Width of the hidden layer.
      compute_dtype: What the operands of W q and U k are rounded to while learning; those of the
        product with v are not.

    References:
      Bahdanau, Cho & Bengio, "Neural machine translation by jointly learning to align and
      translate", 2015, appendix A.1.2 (which has no bias).
    """

    size: int
    compute_dtype: ComputeDtype = None

    def setup(self):
        self.key_map = Dense(self.size, compute_dtype=self.compute_dtype)
        self.query_map = Dense(self.size, use_bias=False, compute_dtype=self.compute_dtype)
        self.direction = self.param("direction", nn.initializers.normal(0.05), (self.size,))

    def prepare(
        self, memory: Float[Array, "batch source features"]
    ) -> Float[Array, "batch source size"]:
        return self.key_map(memory)

    def __call__(
        self,
        queries: Float[Array, "batch queries features"],
        keys: Float[Array, "batch source size"],
    ) -> Float[Array, "batch queries source"]:
        # batch queries 1 size + batch 1 source size
        hidden = jnp.tanh(self.query_map(queries)[:, :, None] + keys[:, None])
        # Gradients of scores add up to 0 over the source. Rounded, they would not, and those of W
        # and b, which are sums over it, would be nothing but the error.
        return hidden @ self.direction

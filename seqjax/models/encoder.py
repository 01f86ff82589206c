"""The encoder: source in, one output per source position and one state per layer out."""

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import flax.linen as nn
from jaxtyping import Array, Float, Int

from seqjax.cells.noise import noisy
from seqjax.masking import length_mask, where_valid
from seqjax.models.hiding import hide_runs
from seqjax.models.layers import (
    BidirectionalLayer,
    Layer,
    embed,
    join_neighbours,
    keep_words,
    sequence_dropout,
    with_shortcut,
)
from seqjax.types import Padded


class Encoded(NamedTuple):
    """What a decoder may look at.

    Attributes:
      outputs: `[batch, source, hidden]` of the top layer, 0 at padding.
      lengths: Valid outputs of each row; fewer than its source has steps if the encoder is a
        pyramid.
      carries: The last valid state of every layer, directions side by side.
    """

    outputs: Float[Array, "batch source hidden"]
    lengths: Int[Array, " batch"]
    carries: tuple[Any, ...]


class Encoder(nn.Module):
    """Stacked recurrent layers over tokens, or over vectors.

    Attributes:
      embedding: Values of the source to features: `nn.Embed` for token ids, `Dense` for vectors
        (frames of sound, rows of a picture).
      layers: From the bottom up.
      dropout_rate: On the features and between layers.
      same_dropout: Drop the same units at all times.
      embedding_dropout_rate: Share of words whose embedding is read as 0, of tokens only; see
        `keep_words`.
      time_mask: Widest run of steps that is hidden while learning, of vectors only; see
        `hide_runs`.
      feature_mask: Widest run of features, likewise.
      residual: Add a layer's input to its output where both are equally wide.
      pyramid: Between layers, join every two time steps into one.
    """

    embedding: nn.Module
    layers: Sequence[Layer | BidirectionalLayer]
    dropout_rate: float = 0.0
    same_dropout: bool = False
    embedding_dropout_rate: float = 0.0
    time_mask: int = 0
    feature_mask: int = 0
    residual: bool = False
    pyramid: bool = False

    def setup(self):
        self.dropout = sequence_dropout(self.dropout_rate, self.same_dropout)

    def __call__(self, source: Padded) -> Encoded:
        drop_fn = functools.partial(self.dropout, deterministic=not noisy(self))
        outputs, lengths, carries = self._embed(source), source.lengths, []
        for depth, layer in enumerate(self.layers):
            if self.pyramid and depth:
                outputs, lengths = join_neighbours(outputs, lengths)
            carry, above = layer(drop_fn(outputs), lengths)
            below = where_valid(length_mask(lengths, above.shape[1]), outputs)
            outputs = with_shortcut(above, below, self.residual)
            carries.append(carry)
        return Encoded(outputs, lengths, tuple(carries))

    def _embed(self, source):
        embedding: Any = self.embedding
        if isinstance(embedding, nn.Embed):
            words = keep_words(self, self.embedding_dropout_rate, embedding)
            return embed(embedding, words, source.values)
        steps, features = self.time_mask, self.feature_mask
        return embedding(hide_runs(self, *source, steps=steps, features=features))

"""The encoder: embedded source in, one output per source position and one state per layer out."""

from collections.abc import Sequence
from typing import NamedTuple

import flax.linen as nn
from jaxtyping import Array, Float

from seqjax.cells.lstm import LSTMCarry
from seqjax.models.layers import BidirectionalLayer, ForwardLayer
from seqjax.types import Padded


class Encoded(NamedTuple):
    """What a decoder may look at.

    Attributes:
      outputs: `[batch, source, hidden]` of the top layer, 0 at padding.
      carries: The last valid state of every layer, directions side by side.
    """

    outputs: Float[Array, "batch source hidden"]
    carries: tuple[LSTMCarry, ...]


class Encoder(nn.Module):
    """Stacked recurrent layers over token embeddings.

    Attributes:
      embedding: Source embedding.
      layers: From the bottom up.
      dropout_rate: On the embedding and between layers.
    """

    embedding: nn.Embed
    layers: Sequence[ForwardLayer | BidirectionalLayer]
    dropout_rate: float = 0.0

    def setup(self):
        self.dropout = nn.Dropout(self.dropout_rate)

    def __call__(self, source: Padded, *, train: bool) -> Encoded:
        outputs, carries = self.embedding(source.values), []
        for layer in self.layers:
            carry, outputs = layer(self.dropout(outputs, deterministic=not train), source.lengths)
            carries.append(carry)
        return Encoded(outputs, tuple(carries))

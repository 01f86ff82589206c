"""A classifier: a whole sequence in, one label out."""

import flax.linen as nn
from jaxtyping import Array, Float

from seqjax.cells.noise import noisy
from seqjax.models.encoder import Encoder
from seqjax.models.layers import show
from seqjax.models.pooling import Pooling
from seqjax.types import Padded


class Classifier(nn.Module):
    """An encoder, what is left of its outputs, and an output layer.

    The one label of a row is a target of one step, so that all that is measured of steps is
    measured of labels. What is pooled is shown as `outputs`, and as `dropped` after dropout.

    Attributes:
      encoder: Reads the sequence.
      pooling: Outputs to one vector.
      num_classes: Labels.
      dropout_rate: On what is pooled.
    """

    encoder: Encoder
    pooling: Pooling
    num_classes: int
    dropout_rate: float = 0.0

    def setup(self):
        self.dropout = nn.Dropout(self.dropout_rate)
        self.label_map = nn.Dense(self.num_classes)

    def __call__(self, source: Padded) -> Float[Array, "batch 1 classes"]:
        """Returns the logits of the labels."""
        pooled = self.pooling(self.encoder(source))[:, None]
        dropped = self.dropout(pooled, deterministic=not noisy(self))
        show(self, outputs=pooled, dropped=dropped)
        return self.label_map(dropped)

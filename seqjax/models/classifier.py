"""A classifier: a whole sequence in, one label out."""

import flax.linen as nn
from jaxtyping import Array, Float

from seqjax.cells.dense import Dense
from seqjax.cells.noise import noisy
from seqjax.models.encoder import Encoder
from seqjax.models.layers import show
from seqjax.models.pooling import Pooling
from seqjax.types import ComputeDtype, Padded


class Classifier(nn.Module):
    """An encoder, what is left of its outputs, and an output layer.

    The one label of a row is a target of one step, so that all that is measured of steps is
    measured of labels. What is pooled is shown as `outputs`, and as `dropped` after dropout.

    Attributes:
      encoder: Reads the sequence.
      pooling: Outputs to one vector.
      num_classes: Labels.
      dropout_rate: On what is pooled.
      compute_dtype: What the operands of the output layer are rounded to while learning.
    """

    encoder: Encoder
    pooling: Pooling
    num_classes: int
    dropout_rate: float = 0.0
    compute_dtype: ComputeDtype = None

    def setup(self):
        self.dropout = nn.Dropout(self.dropout_rate)
        self.label_map = Dense(self.num_classes, compute_dtype=self.compute_dtype)

    def __call__(self, source: Padded) -> Float[Array, "batch 1 classes"]:
        """Returns the logits of the labels."""
        pooled = self.pooling(self.encoder(source))[:, None]
        dropped = self.dropout(pooled, deterministic=not noisy(self))
        show(self, outputs=pooled, dropped=dropped)
        return self.label_map(dropped)

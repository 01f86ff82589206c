"""A tagger: a sequence in, one tag for each of its steps out."""

import flax.linen as nn
from jaxtyping import Array, Float

from seqjax.cells.noise import noisy
from seqjax.models.encoder import Encoder
from seqjax.models.layers import sequence_dropout, show
from seqjax.types import Padded


class Tagger(nn.Module):
    """An encoder, and an output layer at each of its steps.

    The outputs of the encoder are shown as `outputs`, and as `dropped` after dropout.

    Attributes:
      encoder: Reads the sequence; no pyramid.
      num_tags: Tags.
      dropout_rate: On what the encoder says.
      same_dropout: Drop the same units at all times.
    """

    encoder: Encoder
    num_tags: int
    dropout_rate: float = 0.0
    same_dropout: bool = False

    def setup(self):
        self.dropout = sequence_dropout(self.dropout_rate, self.same_dropout)
        self.tag_map = nn.Dense(self.num_tags)

    def __call__(self, source: Padded) -> Float[Array, "batch time tags"]:
        """Returns the logits of the tags of each step."""
        outputs = self.encoder(source).outputs
        dropped = self.dropout(outputs, deterministic=not noisy(self))
        show(self, outputs=outputs, dropped=dropped)
        return self.tag_map(dropped)

"""A tagger: a sequence in, something said at each of its steps out."""

from typing import Any, NamedTuple

import flax.linen as nn
from jaxtyping import Array, Float, Int

from seqjax.cells.dense import Dense
from seqjax.cells.noise import noisy
from seqjax.models.encoder import Encoder
from seqjax.models.layers import sequence_dropout, show
from seqjax.models.transitions import TagTransitions
from seqjax.types import ComputeDtype, Padded


class Tagged(NamedTuple):
    """What a tagger says.

    Attributes:
      logits: `[batch, time, tags]` of each step of the encoder.
      lengths: Valid steps of each row; fewer than its source has if the encoder is a pyramid.
      transitions: Scores of tags that follow each other, if they are learnt; else nothing.
    """

    logits: Float[Array, "batch time tags"]
    lengths: Int[Array, " batch"]
    transitions: Any = ()


class Tagger(nn.Module):
    """An encoder, and an output layer at each of its steps.

    With `chain` it is a conditional random field: tags depend on their neighbours, too, and what is
    said at a step scores rather than decides. The outputs of the encoder are shown as `outputs`,
    and as `dropped` after dropout.

    Attributes:
      encoder: Reads the sequence.
      num_tags: Tags, or the labels of CTC and the blank.
      chain: Learn how tags follow each other.
      dropout_rate: On what the encoder says.
      same_dropout: Drop the same units at all times.
      compute_dtype: What the operands of the output layer are rounded to while learning.

    References:
      Huang, Xu & Yu, "Bidirectional LSTM-CRF models for sequence tagging", 2015; there sequences
      begin and end without a score of their own.
    """

    encoder: Encoder
    num_tags: int
    chain: bool = False
    dropout_rate: float = 0.0
    same_dropout: bool = False
    compute_dtype: ComputeDtype = None

    def setup(self):
        self.dropout = sequence_dropout(self.dropout_rate, self.same_dropout)
        self.tag_map = Dense(self.num_tags, compute_dtype=self.compute_dtype)
        if self.chain:
            self.transitions = TagTransitions(self.num_tags)

    def __call__(self, source: Padded) -> Tagged:
        encoded = self.encoder(source)
        dropped = self.dropout(encoded.outputs, deterministic=not noisy(self))
        show(self, outputs=encoded.outputs, dropped=dropped)
        transitions = self.transitions() if self.chain else ()
        return Tagged(self.tag_map(dropped), encoded.lengths, transitions)

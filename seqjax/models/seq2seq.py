"""Sequence to sequence: an encoder reads the source, a decoder writes the target."""

import flax.linen as nn
from jaxtyping import Array, Float, Int

from seqjax.masking import shift_right
from seqjax.models.decoder import Decoder, DecoderState
from seqjax.models.encoder import Encoder
from seqjax.models.reader import Memory
from seqjax.types import Padded


class Seq2Seq(nn.Module):
    """An encoder-decoder.

    Teacher forcing (`__call__`) and decoding (`encode`, then `step`) run the same decoder step, so
    that logits agree. Applied with a key for dropout, it learns; without one, it is used.

    If its decoder copies, a source holds two ids a token, `[batch, source, 2]`: what the encoder
    reads, and what the decoder would write; see `Copier`. Logits then have a column for every
    position of the source after those of the vocabulary.

    Attributes:
      encoder: Reads the source.
      decoder: Writes the target.
      bos_id: What the decoder reads before its first token.

    References:
      Sutskever, Vinyals & Le, "Sequence to sequence learning with neural networks", 2014; with the
      attention of Bahdanau et al. (2015) or Luong et al. (2015).
    """

    encoder: Encoder
    decoder: Decoder
    bos_id: int

    def encode(self, source: Padded) -> tuple[DecoderState, Memory]:
        """Returns the decoder's first state and what it can look back at."""
        if self.decoder.copier is None:
            return self.decoder.start(self.encoder(source))
        read = source._replace(values=source.values[..., 0])
        return self.decoder.start(self.encoder(read), source.values[..., 1])

    def step(
        self, state: DecoderState, memory: Memory, tokens: Int[Array, " rows"]
    ) -> tuple[DecoderState, Float[Array, "rows vocab"], Float[Array, "rows source"]]:
        """Returns the state after reading `tokens`, the logits of what follows, and attention."""
        return self.decoder.step(state, memory, tokens)

    def __call__(
        self, source: Padded, target: Padded, own_share: Float[Array, ""] | None = None
    ) -> tuple[Float[Array, "batch target vocab"], Float[Array, "batch target source"]]:
        """Returns logits of every target token given those before it, and attention weights.

        With `own_share`, which needs a key for dropout, that share of the tokens before it are the
        decoder's own; see `Decoder.unroll`.
        """
        state, memory = self.encode(source)
        tokens = shift_right(target.values, self.bos_id)
        return self.decoder.unroll(state, memory, tokens, target.lengths, own_share)

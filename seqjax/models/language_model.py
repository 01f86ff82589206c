"""A language model: stacked LSTM layers that predict the next token of a text."""

import functools
from collections.abc import Sequence

import flax.linen as nn
from jaxtyping import Array, Float, Int

from seqjax.cells.lstm import LSTMCarry, LSTMCell
from seqjax.models.layers import UnrollMethod, stack_step, stack_unroll
from seqjax.types import Padded


class LanguageModel(nn.Module):
    """Embedding, stacked LSTM layers, output layer.

    Attributes:
      embedding: Token embedding.
      cells: From the bottom up.
      tied: Use the embedding as the output layer too (Press & Wolf, 2017); a linear map brings the
        top layer to the embedding's width.
      dropout_rate: On the embedding, between layers and before the output layer (Zaremba, Sutskever
        & Vinyals, 2014).
      method: How `unroll` runs.
    """

    embedding: nn.Embed
    cells: Sequence[LSTMCell]
    tied: bool = True
    dropout_rate: float = 0.0
    method: UnrollMethod = "auto"

    def setup(self):
        self.dropout = nn.Dropout(self.dropout_rate)
        vocab_size = self.embedding.num_embeddings
        if self.tied:
            self.readout_map = nn.Dense(self.embedding.features, use_bias=False)
            self.output_bias = self.param("output_bias", nn.initializers.zeros, (vocab_size,))
        else:
            self.output_map = nn.Dense(vocab_size)

    def initial_carry(self, rows: int) -> tuple[LSTMCarry, ...]:
        """Returns the state before the first token of a text: zeros."""
        return tuple(cell.initial_carry(rows) for cell in self.cells)

    def __call__(
        self, tokens: Padded, carry: tuple[LSTMCarry, ...], *, train: bool = False
    ) -> tuple[tuple[LSTMCarry, ...], Float[Array, "batch time vocab"]]:
        """Returns the state after each row's last valid token, and the logits after each token."""
        drop_fn = functools.partial(self.dropout, deterministic=not train)
        embedded = drop_fn(self.embedding(tokens.values))
        carry, hidden = stack_unroll(
            self.cells, drop_fn, carry, embedded, tokens.lengths, self.method
        )
        return carry, self._logits(drop_fn(hidden))

    def step(
        self, carry: tuple[LSTMCarry, ...], tokens: Int[Array, " rows"]
    ) -> tuple[tuple[LSTMCarry, ...], Float[Array, "rows vocab"]]:
        """Returns the state after reading `tokens`, and the logits of what follows."""
        drop_fn = functools.partial(self.dropout, deterministic=True)
        carry, hidden = stack_step(self.cells, drop_fn, carry, self.embedding(tokens))
        return carry, self._logits(hidden)

    def _logits(self, hidden):
        if self.tied:
            logits = self.embedding.attend(self.readout_map(hidden))
            return logits + self.output_bias.reshape((1,) * (logits.ndim - 1) + (-1,))
        return self.output_map(hidden)

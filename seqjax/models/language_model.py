"""A language model: stacked recurrent layers that predict the next token of a text."""

import functools
from collections.abc import Sequence
from typing import Any

import flax.linen as nn
from jaxtyping import Array, Float, Int

from seqjax.cells.cell import Cell
from seqjax.cells.dense import Dense
from seqjax.cells.noise import compute_dtype_of, noisy
from seqjax.cells.product import multiply
from seqjax.models.layers import (
    draw_stack,
    embed,
    keep_words,
    sequence_dropout,
    show,
    stack_step,
    stack_unroll,
)
from seqjax.types import ComputeDtype, Padded
from seqjax.unroll.unroll import UnrollFn, unroll


class LanguageModel(nn.Module):
    """Embedding, stacked recurrent layers, output layer.

    What the top layer says is shown as `outputs`, and as `dropped` after dropout; see `show`.

    Attributes:
      embedding: Token embedding.
      cells: From the bottom up.
      tied: Use the embedding as the output layer too (Press & Wolf, 2017); a linear map brings the
        top layer to the embedding's width.
      dropout_rate: On the embedding, between layers and before the output layer (Zaremba, Sutskever
        & Vinyals, 2014).
      same_dropout: Drop the same units at all times.
      embedding_dropout_rate: Share of words whose embedding is read as 0; see `keep_words`.
      residual: Add a layer's input to its output where both are equally wide.
      unroll_fn: `unroll`, with its choices made.
      compute_dtype: What the operands of the output layer are rounded to while learning.
    """

    embedding: nn.Embed
    cells: Sequence[Cell]
    tied: bool = True
    dropout_rate: float = 0.0
    same_dropout: bool = False
    embedding_dropout_rate: float = 0.0
    residual: bool = False
    unroll_fn: UnrollFn = unroll
    compute_dtype: ComputeDtype = None

    def setup(self):
        self.dropout = sequence_dropout(self.dropout_rate, self.same_dropout)
        vocab_size = self.embedding.num_embeddings
        dense = functools.partial(Dense, compute_dtype=self.compute_dtype)
        if self.tied:
            self.readout_map = dense(self.embedding.features, use_bias=False)
            self.output_bias = self.param("output_bias", nn.initializers.zeros, (vocab_size,))
        else:
            self.output_map = dense(vocab_size)

    def initial_carry(self, rows: int) -> tuple[Any, ...]:
        """Returns the state before the first token of a text: zeros."""
        return tuple(cell.initial_carry(rows) for cell in self.cells)

    def __call__(
        self, tokens: Padded, carry: tuple[Any, ...]
    ) -> tuple[tuple[Any, ...], Float[Array, "batch time vocab"]]:
        """Returns the state after each row's last valid token, and the logits after each token."""
        drop_fn = functools.partial(self.dropout, deterministic=not noisy(self))
        words = keep_words(self, self.embedding_dropout_rate, self.embedding)
        carry, hidden = stack_unroll(
            self.cells,
            drop_fn,
            carry,
            drop_fn(embed(self.embedding, words, tokens.values)),
            tokens.lengths,
            residual=self.residual,
            unroll_fn=self.unroll_fn,
        )
        dropped = drop_fn(hidden)
        show(self, outputs=hidden, dropped=dropped)
        return carry, self._logits(dropped)

    def step(
        self, carry: tuple[Any, ...], tokens: Int[Array, " rows"]
    ) -> tuple[tuple[Any, ...], Float[Array, "rows vocab"]]:
        """Returns the state after reading `tokens`, and the logits of what follows."""
        embedded, drawn = self.embedding(tokens), draw_stack(self.cells, tokens.shape[0])
        nothing_dropped = [lambda hidden: hidden] * (len(self.cells) - 1)
        carry, hidden = stack_step(
            self.cells, nothing_dropped, carry, embedded, drawn, residual=self.residual
        )
        return carry, self._logits(hidden)

    def _logits(self, hidden):
        if self.tied:
            kernel = self.embedding.embedding.T
            logits = multiply(self.readout_map(hidden), kernel, compute_dtype_of(self))
            return logits + self.output_bias.reshape((1,) * (logits.ndim - 1) + (-1,))
        return self.output_map(hidden)

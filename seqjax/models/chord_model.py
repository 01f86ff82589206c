"""A model of music: stacked recurrent layers that hear chords and say which keys sound next."""

import functools
from collections.abc import Sequence
from typing import Any

import flax.linen as nn
from jaxtyping import Array, Float

from seqjax.cells.cell import Cell
from seqjax.cells.dense import Dense
from seqjax.cells.noise import noisy
from seqjax.masking import length_mask, where_valid
from seqjax.models.layers import draw_stack, sequence_dropout, show, stack_step, stack_unroll
from seqjax.types import ComputeDtype, Padded
from seqjax.unroll.unroll import UnrollFn, unroll


class ChordModel(nn.Module):
    """A dense layer over the keys, stacked recurrent layers, and an output for each key.

    What the top layer says is shown as `outputs`, and as `dropped` after dropout; see `show`.

    Attributes:
      keys: Of the instrument.
      features: Width of the layer that hears them.
      cells: From the bottom up.
      dropout_rate: On what was heard, between layers and before the output layer.
      same_dropout: Drop the same units at all times.
      residual: Add a layer's input to its output where both are equally wide.
      unroll_fn: `unroll`, with its choices made.
      compute_dtype: What the operands of the dense layers are rounded to while learning.
    """

    keys: int
    features: int
    cells: Sequence[Cell]
    dropout_rate: float = 0.0
    same_dropout: bool = False
    residual: bool = False
    unroll_fn: UnrollFn = unroll
    compute_dtype: ComputeDtype = None

    def setup(self):
        self.dropout = sequence_dropout(self.dropout_rate, self.same_dropout)
        self.input_map = Dense(self.features, compute_dtype=self.compute_dtype)
        self.output_map = Dense(self.keys, compute_dtype=self.compute_dtype)

    def initial_carry(self, rows: int) -> tuple[Any, ...]:
        """Returns the state before the first chord of a piece: zeros."""
        return tuple(cell.initial_carry(rows) for cell in self.cells)

    def __call__(
        self, chords: Padded, carry: tuple[Any, ...]
    ) -> tuple[tuple[Any, ...], Float[Array, "batch time keys"]]:
        """Returns the state after each row's last valid chord, and the logits after each chord."""
        drop_fn = functools.partial(self.dropout, deterministic=not noisy(self))
        heard = where_valid(length_mask(chords.lengths, chords.values.shape[1]), chords.values)
        carry, hidden = stack_unroll(
            self.cells,
            drop_fn,
            carry,
            drop_fn(self.input_map(heard)),
            chords.lengths,
            residual=self.residual,
            unroll_fn=self.unroll_fn,
        )
        dropped = drop_fn(hidden)
        show(self, outputs=hidden, dropped=dropped)
        return carry, self.output_map(dropped)

    def step(
        self, carry: tuple[Any, ...], chords: Float[Array, "rows keys"]
    ) -> tuple[tuple[Any, ...], Float[Array, "rows keys"]]:
        """Returns the state after hearing `chords`, and the logits of what follows."""
        heard, drawn = self.input_map(chords), draw_stack(self.cells, chords.shape[0])
        nothing_dropped = [lambda hidden: hidden] * (len(self.cells) - 1)
        carry, hidden = stack_step(
            self.cells, nothing_dropped, carry, heard, drawn, residual=self.residual
        )
        return carry, self.output_map(hidden)

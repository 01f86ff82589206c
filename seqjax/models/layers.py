"""A recurrent layer, and layers stacked: what encoder, decoder and language model are made of."""

from collections.abc import Callable, Sequence
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from seqjax.cells.cell import Cell, RecurrentCell
from seqjax.cells.noise import masked, shared_mask
from seqjax.unroll.unroll import UnrollFn, unroll

DropFn = Callable[[Array], Array]
"""Dropout that already knows whether it is on."""


def sequence_dropout(rate: float, same: bool) -> nn.Dropout:
    """Returns dropout of `[batch, time, features]`: of other units at every time, or the `same`.

    References:
      Gal & Ghahramani, "A theoretically grounded application of dropout in recurrent neural
      networks", 2016, for the same units.
    """
    return nn.Dropout(rate, broadcast_dims=(1,) if same else ())


def keep_words(module: nn.Module, rate: float, embedding: nn.Embed) -> Any:
    """Returns for every word of a vocabulary 0 or 1 / (1 - rate), or `()` where none is dropped.

    A word that is dropped is dropped wherever it stands in the batch; as output layer an embedding
    stays whole.

    References:
      Gal & Ghahramani, "A theoretically grounded application of dropout in recurrent neural
      networks", 2016, section 4.2, which draws for each sequence; Merity, Keskar & Socher,
      "Regularizing and optimizing LSTM language models", 2018, section 4.3, once as here.
    """
    return shared_mask(module, rate, (embedding.num_embeddings, 1))


def embed(embedding: nn.Embed, words: Any, tokens: Int[Array, "*rows"]) -> Array:
    """Returns the embeddings `[*rows, features]` of tokens, given what `keep_words` keeps."""
    embedded = embedding(tokens)
    return embedded if isinstance(words, tuple) else masked(words[tokens], embedded)


def show(module: nn.Module, **values: Array) -> None:
    """Lets whoever applies a model with `mutable="intermediates"` see what it computed."""
    for name, value in values.items():
        nothing: Any = tuple
        module.sow("intermediates", name, value, reduce_fn=lambda _, new: new, init_fn=nothing)


class Layer(nn.Module):
    """One cell that reads a sequence.

    Attributes:
      cell: Any cell.
      reverse: Read every row from its own last valid step to its first; outputs stay in place.
      unroll_fn: `unroll`, with its choices made.
    """

    cell: Cell
    reverse: bool = False
    unroll_fn: UnrollFn = unroll

    def __call__(
        self, inputs: Float[Array, "batch time features"], lengths: Int[Array, " batch"]
    ) -> tuple[Any, Float[Array, "batch time hidden"]]:
        """Returns the last state, and an output for every step."""
        carry = self.cell.initial_carry(inputs.shape[0])
        return self.unroll_fn(self.cell, carry, inputs, lengths, reverse=self.reverse)


class BidirectionalLayer(nn.Module):
    """Two cells that read a sequence from either end; their outputs and states stand side by side.

    Attributes:
      forward_cell: Reads from the first step.
      backward_cell: Reads from each row's own last valid step; of the same kind.
      unroll_fn: `unroll`, with its choices made.
    """

    forward_cell: Cell
    backward_cell: Cell
    unroll_fn: UnrollFn = unroll

    def __call__(
        self, inputs: Float[Array, "batch time features"], lengths: Int[Array, " batch"]
    ) -> tuple[Any, Float[Array, "batch time hidden"]]:
        """Returns the last states, and an output for every step."""
        directions = ((self.forward_cell, False), (self.backward_cell, True))
        forward, backward = (
            self.unroll_fn(
                cell, cell.initial_carry(inputs.shape[0]), inputs, lengths, reverse=reverse
            )
            for cell, reverse in directions
        )
        return jax.tree.map(lambda *halves: jnp.concatenate(halves, axis=-1), forward, backward)


def join_neighbours(
    inputs: Float[Array, "batch time features"], lengths: Int[Array, " batch"]
) -> tuple[Float[Array, "batch half two_features"], Int[Array, " batch"]]:
    """Returns every two time steps as one of twice the features, and the lengths rounded up.

    The partner of an odd last step is zeros. What a pyramidal encoder does between its layers.

    References:
      Chan et al., "Listen, attend and spell", 2016, section 3.1.
    """
    batch, time, features = inputs.shape
    even = jnp.pad(inputs, ((0, 0), (0, time % 2), (0, 0)))
    return even.reshape(batch, -1, 2 * features), (lengths + 1) // 2


def draw_stack(cells: Sequence[Cell], rows: int) -> tuple[Any, ...]:
    """Returns what each cell draws once for a sequence."""
    return tuple(cell.draw(rows) if isinstance(cell, RecurrentCell) else None for cell in cells)


def stack_step(
    cells: Sequence[Cell],
    drop_fns: Sequence[DropFn],
    carries: tuple[Any, ...],
    inputs: Float[Array, "rows features"],
    drawn: tuple[Any, ...],
    *,
    residual: bool = False,
) -> tuple[tuple[Any, ...], Float[Array, "rows hidden"]]:
    """Runs stacked cells for one time step, with dropout (`drop_fns`, one fewer) between them."""
    after = []
    for depth, (cell, carry) in enumerate(zip(cells, carries, strict=True)):
        below = drop_fns[depth - 1](inputs) if depth else inputs
        if isinstance(cell, RecurrentCell):
            carry, above = cell.recur(carry, cell.project(below), drawn[depth])
        else:
            carry, above = cell(carry, below)
        inputs = with_shortcut(above, inputs, residual)
        after.append(carry)
    return tuple(after), inputs


def stack_unroll(
    cells: Sequence[Cell],
    drop_fn: DropFn,
    carries: tuple[Any, ...],
    inputs: Float[Array, "batch time features"],
    lengths: Int[Array, " batch"],
    *,
    residual: bool = False,
    unroll_fn: UnrollFn = unroll,
) -> tuple[tuple[Any, ...], Float[Array, "batch time hidden"]]:
    """Runs stacked cells over whole sequences, layer by layer: `stack_step` at every time."""
    after = []
    for depth, (cell, carry) in enumerate(zip(cells, carries, strict=True)):
        below = drop_fn(inputs) if depth else inputs
        carry, above = unroll_fn(cell, carry, below, lengths)
        inputs = with_shortcut(above, inputs, residual)
        after.append(carry)
    return tuple(after), inputs


def with_shortcut(
    above: Float[Array, "*rows hidden"], below: Float[Array, "*rows features"], residual: bool
) -> Float[Array, "*rows hidden"]:
    """Returns a layer's output, plus its input if that is wanted and both are equally wide."""
    return above + below if residual and above.shape == below.shape else above

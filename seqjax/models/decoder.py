"""The decoder: what it has said so far and what it can look back at in, what it says next out."""

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from seqjax.attention import attend
from seqjax.cells.cell import Cell
from seqjax.cells.dense import Dense
from seqjax.cells.noise import compute_dtype_of, masked, noisy, shared_mask
from seqjax.cells.product import multiply
from seqjax.masking import length_mask
from seqjax.models.copier import Copier
from seqjax.models.encoder import Encoded
from seqjax.models.layers import (
    draw_stack,
    embed,
    keep_words,
    sequence_dropout,
    show,
    stack_step,
    stack_unroll,
)
from seqjax.models.reader import Memory, Reader
from seqjax.types import ComputeDtype
from seqjax.unroll.scan import scan_time
from seqjax.unroll.unroll import UnrollFn, unroll


class DecoderState(NamedTuple):
    """What a decoder hands from one step to the next.

    Attributes:
      carries: One per layer.
      feed: The last readout, where it is fed back into the input; else of width 0.
      coverage: Sum of the attention weights so far, where the reader is told; else of width 0.
    """

    carries: tuple[Any, ...]
    feed: Float[Array, "rows feed"]
    coverage: Float[Array, "rows covered"]


class _Seen(NamedTuple):
    """What a step's output is made from; `[batch, time, ...]`, or of one step `[rows, ...]`."""

    embedded: Array
    query: Array
    weights: Array
    readout: Array


class Decoder(nn.Module):
    """Stacked recurrent layers with attention after them.

    A step: embedding (and, with input feeding, the last readout) -> layers -> query; the query is
    compared with the memory, and a readout made of what it sees; see `Reader`. Training runs no
    more of this in a loop than must be: all of it with input feeding, only the attention with
    coverage, else nothing but the layers. What the top layer says is shown as `outputs`, the
    readout after dropout as `dropped`; see `show`.

    Attributes:
      embedding: Target embedding.
      cells: From the bottom up; the first takes `embedding + readout` features with input feeding.
      bridge: Encoder states to initial states.
      reader: Query and memory to readout.
      tied: Use the target embedding as the output layer (Press & Wolf, 2017); the readout must then
        be as wide as the embedding.
      copier: If given, source tokens can be copied; see there for their ids.
      input_feeding: See above.
      dropout_rate: On the embedding, between layers, and on the readout before the output layer.
      same_dropout: Drop the same units at all times.
      embedding_dropout_rate: Share of words whose embedding is read as 0; see `keep_words`.
      residual: Add a layer's input to its output where both are equally wide.
      unroll_fn: `unroll`, with its choices made.
      compute_dtype: What the operands of the output layer are rounded to while learning.
    """

    embedding: nn.Embed
    cells: Sequence[Cell]
    bridge: Any
    reader: Reader
    tied: bool = True
    copier: Copier | None = None
    input_feeding: bool = False
    dropout_rate: float = 0.0
    same_dropout: bool = False
    embedding_dropout_rate: float = 0.0
    residual: bool = False
    unroll_fn: UnrollFn = unroll
    compute_dtype: ComputeDtype = None

    def setup(self):
        self.dropout = sequence_dropout(self.dropout_rate, self.same_dropout)
        vocab_size = self.embedding.num_embeddings
        if self.tied:
            self.output_bias = self.param("output_bias", nn.initializers.zeros, (vocab_size,))
        else:
            self.output_map = Dense(vocab_size, compute_dtype=self.compute_dtype)

    def start(self, encoded: Encoded, copy_ids: Any = ()) -> tuple[DecoderState, Memory]:
        """Returns the state before the first step, and what belongs to the sentence.

        Args:
          encoded: The source.
          copy_ids: `[batch, source]` ids of its positions, for a decoder that copies.
        """
        batch, time, _ = encoded.outputs.shape
        nothing = lambda width: jnp.zeros((batch, width))
        state = DecoderState(
            self.bridge(encoded, self.cells),
            nothing(self.reader.size if self.input_feeding else 0),
            nothing(time if self.reader.coverage else 0),
        )
        return state, self.reader.prepare(encoded, copy_ids)

    def unroll(
        self,
        state: DecoderState,
        memory: Memory,
        tokens: Int[Array, "batch target"],
        lengths: Int[Array, " batch"],
        own_share: Float[Array, ""] | None = None,
    ) -> tuple[Float[Array, "batch target vocab"], Float[Array, "batch target source"]]:
        """Returns logits and attention weights of all steps, given the token before each.

        The weights have no columns when there is no attention.

        Args:
          state, memory: As `start` gives them.
          tokens: What each step reads.
          lengths: Steps of each row.
          own_share: If given, this share of the tokens (but for the first) is replaced by what the
            decoder would have said in their place (scheduled sampling: Bengio et al., 2015).

        Raises:
          ValueError: If there is an `own_share` and `same_dropout`.
        """
        mask = length_mask(lengths, tokens.shape[1])
        if own_share is not None:
            return self._unroll_on_own(state, memory, tokens, mask, own_share)
        embedded = self._embed(tokens, self._keep_words())
        if self.input_feeding:
            drawn = self._draw(tokens.shape[0])
            step = lambda decoder, state, x: decoder._step(state, memory, x, drawn)
            _, seen = scan_time(step, self, state, embedded, mask)
        else:
            _, queries = stack_unroll(
                self.cells,
                self._drop_fn(),
                state.carries,
                embedded,
                lengths,
                residual=self.residual,
                unroll_fn=self.unroll_fn,
            )
            weights = self._weigh_all(queries, memory, state.coverage, mask)
            readout = self.reader.read(queries, embedded, weights, memory)
            seen = _Seen(embedded, queries, weights, readout)
        dropped = self._drop_fn()(seen.readout)
        show(self, outputs=seen.query, dropped=dropped)
        return self._logits(dropped, seen, memory), seen.weights

    def step(
        self, state: DecoderState, memory: Memory, tokens: Int[Array, " rows"]
    ) -> tuple[DecoderState, Float[Array, "rows vocab"], Float[Array, "rows source"]]:
        """Returns the state after one step, its logits, and where it looked.

        Rows of a sentence are neighbours. The attention weights have no columns when there is none.
        """
        drawn = self._draw(tokens.shape[0])
        embedded = self._embed(tokens, self._keep_words())
        state, seen = self._step(state, memory, embedded, drawn)
        logits = self._step_logits(self._drop_fn()(seen.readout), seen, memory)
        return state, logits, seen.weights

    def _unroll_on_own(self, state, memory, tokens, mask, own_share):
        """As `unroll`, all in a loop, for what is read may be what was said."""
        if self.same_dropout:
            raise ValueError("same_dropout must be False when own_share is given, got True")
        drawn, words = self._draw(tokens.shape[0]), self._keep_words()

        def step(decoder, carry, token):
            state, said = carry
            choice_key, own_key = jax.random.split(decoder.make_rng("dropout"))
            own = jax.random.bernoulli(own_key, own_share, token.shape) & (said >= 0)
            embedded = decoder._embed(jnp.where(own, said, token), words)
            state, seen = decoder._step(state, memory, embedded, drawn)
            dropped = decoder._drop_fn()(seen.readout)
            logits = decoder._step_logits(dropped, seen, memory)
            said = jax.random.categorical(choice_key, jax.lax.stop_gradient(logits))
            return (state, said.astype(token.dtype)), (logits, seen.weights, seen.query, dropped)

        nothing_said = jnp.full(tokens.shape[:1], -1, tokens.dtype)
        _, found = scan_time(step, self, (state, nothing_said), tokens, mask)
        logits, weights, outputs, dropped = found
        show(self, outputs=outputs, dropped=dropped)
        return logits, weights

    def _keep_words(self):
        return keep_words(self, self.embedding_dropout_rate, self.embedding)

    def _embed(self, tokens, words):
        if self.copier is not None:
            known = tokens < self.embedding.num_embeddings
            tokens = jnp.where(known, tokens, self.copier.unk_id)
        return self._drop_fn()(embed(self.embedding, words, tokens))

    def _drop_fn(self):
        return functools.partial(self.dropout, deterministic=not noisy(self))

    def _draw(self, rows):
        """Returns what is drawn once for a sequence: by the cells, and between them."""
        rate = self.dropout_rate if self.same_dropout else 0.0
        masks = [shared_mask(self, rate, (rows, cell.width)) for cell in self.cells[:-1]]
        return draw_stack(self.cells, rows), masks

    def _step(self, state, memory, embedded, drawn):
        inputs = jnp.concatenate([embedded, state.feed], axis=-1)
        by_cell, masks = drawn
        if self.same_dropout:
            drop_fns = [functools.partial(masked, mask) for mask in masks]
        else:
            drop_fns = [self._drop_fn()] * len(masks)
        carries, query = stack_step(
            self.cells, drop_fns, state.carries, inputs, by_cell, residual=self.residual
        )
        rows = query.shape[0]
        fold = functools.partial(_fold, memory.mask.shape[0])
        weights = self.reader.weigh(fold(query), memory, fold(state.coverage))
        readout = self.reader.read(fold(query), fold(embedded), weights, memory)
        weights, readout = (leaf.reshape(rows, leaf.shape[-1]) for leaf in (weights, readout))
        state = DecoderState(
            carries,
            readout if self.input_feeding else state.feed,
            state.coverage + weights if self.reader.coverage else state.coverage,
        )
        return state, _Seen(embedded, query, weights, readout)

    def _weigh_all(self, queries, memory, coverage, mask):
        """Returns the attention weights of all steps, one after the other only if they must be."""
        if not self.reader.coverage:
            return self.reader.weigh(queries, memory, queries[..., :0])

        def step(decoder, coverage, query):
            weights = decoder.reader.weigh(query[:, None], memory, coverage[:, None])[:, 0]
            return coverage + weights, weights

        return scan_time(step, self, coverage, queries, mask)[1]

    def _step_logits(self, readout, seen, memory):
        """Returns the logits of one step, rows as they came."""
        rows = seen.query.shape[0]
        fold = functools.partial(_fold, memory.mask.shape[0])
        logits = self._logits(fold(readout), jax.tree.map(fold, seen), memory)
        return logits.reshape(rows, -1)

    def _logits(self, readout, seen, memory):
        if self.tied:
            kernel = self.embedding.embedding.T
            logits = multiply(readout, kernel, compute_dtype_of(self))
            logits += self.output_bias.reshape((1,) * (logits.ndim - 1) + (-1,))
        else:
            logits = self.output_map(readout)
        if self.copier is None:
            return logits
        context = attend(seen.weights, memory.values, compute_dtype_of(self))
        joined = context, seen.query, seen.embedded
        return self.copier(logits, joined, seen.weights, memory.copy_ids)


def _fold(batch: int, rows: Float[Array, "rows size"]) -> Float[Array, "batch of_sentence size"]:
    """Returns the rows of each sentence, which are neighbours, under it."""
    return rows.reshape(batch, rows.shape[0] // batch, rows.shape[1])

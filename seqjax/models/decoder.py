"""The decoder: what it has said so far and what it can look back at in, what it says next out."""

import functools
from collections.abc import Sequence
from typing import Literal, NamedTuple

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from seqjax.attention import (
    AdditiveScorer,
    DotScorer,
    GeneralScorer,
    attend,
    attention_weights,
)
from seqjax.cells.lstm import LSTMCarry, LSTMCell
from seqjax.masking import length_mask
from seqjax.models.encoder import Encoded
from seqjax.models.layers import UnrollMethod, stack_step, stack_unroll
from seqjax.unroll.scan import scan_time

Scorer = DotScorer | GeneralScorer | AdditiveScorer


class Memory(NamedTuple):
    """What a decoder can look back at. It belongs to the sentence and never changes."""

    values: Float[Array, "batch source hidden"]
    keys: Float[Array, "batch source size"]
    mask: Bool[Array, "batch source"]


class DecoderState(NamedTuple):
    """What a decoder hands from one step to the next.

    Attributes:
      carries: One per layer.
      feed: The last attentional vector, where it is fed back into the input; else of width 0.
    """

    carries: tuple[LSTMCarry, ...]
    feed: Float[Array, "rows feed"]


class Bridge(nn.Module):
    """How the encoder's last states start the decoder's layers.

    `linear`: every decoder layer gets its own affine map of the encoder's top state (hidden and
    cell side by side), through tanh for the hidden half. `copy`: layer by layer as it is; where the
    encoder has fewer layers its top one serves the rest. `zeros`: nothing is handed over.
    """

    kind: Literal["linear", "copy", "zeros"]
    hidden_size: int
    num_layers: int

    @nn.compact
    def __call__(self, carries: tuple[LSTMCarry, ...]) -> tuple[LSTMCarry, ...]:
        match self.kind:
            case "linear":
                top = jnp.concatenate(carries[-1], axis=-1)
                started = []
                for depth in range(self.num_layers):
                    both = nn.Dense(2 * self.hidden_size, name=f"layer_{depth}")(top)
                    hidden, cell = jnp.split(both, 2, axis=-1)
                    started.append(LSTMCarry(jnp.tanh(hidden), cell))
                return tuple(started)
            case "copy":
                last = len(carries) - 1
                return tuple(carries[min(depth, last)] for depth in range(self.num_layers))
            case "zeros":
                zeros = jnp.zeros((carries[0].hidden.shape[0], self.hidden_size))
                return (LSTMCarry(zeros, zeros),) * self.num_layers


class Decoder(nn.Module):
    """Stacked LSTM layers with attention after them.

    A step: embedding (and, with input feeding, the last attentional vector) -> layers -> query;
    the query is compared with the memory's keys; `readout = tanh(W [context; query])` is the
    attentional vector of Luong et al. (2015). Without input feeding no step needs the readout of
    the one before, so training runs the layers first and attends at all times at once.

    Attributes:
      embedding: Target embedding.
      cells: From the bottom up; the first takes `embedding + readout` features with input feeding.
      bridge: Encoder states to initial states.
      scorer: Compares queries with keys; None leaves only the initial state (the fixed vector).
      readout_size: Width of the attentional vector.
      tied: Use the target embedding as the output layer (Press & Wolf, 2017); `readout_size` must
        then be the embedding's width.
      input_feeding: See above.
      dropout_rate: On the embedding, between layers, and on the readout before the output layer.
      method: How `unroll` runs.
    """

    embedding: nn.Embed
    cells: Sequence[LSTMCell]
    bridge: Bridge
    scorer: Scorer | None
    readout_size: int
    tied: bool = True
    input_feeding: bool = False
    dropout_rate: float = 0.0
    method: UnrollMethod = "auto"

    def setup(self):
        self.dropout = nn.Dropout(self.dropout_rate)
        self.readout_map = nn.Dense(self.readout_size)
        vocab_size = self.embedding.num_embeddings
        if self.tied:
            self.output_bias = self.param("output_bias", nn.initializers.zeros, (vocab_size,))
        else:
            self.output_map = nn.Dense(vocab_size)

    def start(
        self, encoded: Encoded, source_lengths: Int[Array, " batch"]
    ) -> tuple[DecoderState, Memory]:
        """Returns the state before the first step, and what belongs to the sentence."""
        batch, time, _ = encoded.outputs.shape
        feed = jnp.zeros((batch, self.readout_size if self.input_feeding else 0))
        keys = self.scorer.prepare(encoded.outputs) if self.scorer else encoded.outputs[..., :0]
        memory = Memory(encoded.outputs, keys, length_mask(source_lengths, time))
        return DecoderState(self.bridge(encoded.carries), feed), memory

    def unroll(
        self,
        state: DecoderState,
        memory: Memory,
        tokens: Int[Array, "batch target"],
        lengths: Int[Array, " batch"],
        *,
        train: bool,
    ) -> tuple[Float[Array, "batch target vocab"], Float[Array, "batch target source"]]:
        """Returns logits and attention weights of all steps, given the token before each.

        The weights have no columns when there is no attention.
        """
        drop_fn = functools.partial(self.dropout, deterministic=not train)
        embedded = drop_fn(self.embedding(tokens))
        if self.input_feeding:
            step = lambda decoder, state, x: decoder._step(state, memory, x, train)
            mask = length_mask(lengths, tokens.shape[1])
            _, (readout, weights) = scan_time(step, self, state, embedded, mask)
        else:
            _, queries = stack_unroll(
                self.cells, drop_fn, state.carries, embedded, lengths, self.method
            )
            readout, weights = self._read(queries, memory)
        return self._logits(drop_fn(readout)), weights

    def step(
        self, state: DecoderState, memory: Memory, tokens: Int[Array, " rows"]
    ) -> tuple[DecoderState, Float[Array, "rows vocab"]]:
        """Returns the state after one step, and its logits. Rows of a sentence are neighbours."""
        state, (readout, _) = self._step(state, memory, self.embedding(tokens), False)
        return state, self._logits(readout)

    def _step(self, state, memory, embedded, train):
        drop_fn = functools.partial(self.dropout, deterministic=not train)
        inputs = jnp.concatenate([embedded, state.feed], axis=-1)
        carries, query = stack_step(self.cells, drop_fn, state.carries, inputs)
        batch = memory.mask.shape[0]
        queries = query.reshape(batch, -1, query.shape[-1])  # rows -> batch, rows of a sentence
        readout, weights = self._read(queries, memory)
        rows = query.shape[0]
        readout = readout.reshape(rows, self.readout_size)
        feed = readout if self.input_feeding else state.feed
        return DecoderState(carries, feed), (readout, weights.reshape(rows, weights.shape[-1]))

    def _read(self, queries, memory):
        if self.scorer is None:
            return jnp.tanh(self.readout_map(queries)), jnp.zeros((*queries.shape[:2], 0))
        weights = attention_weights(self.scorer(queries, memory.keys), memory.mask)
        context = attend(weights, memory.values)
        return jnp.tanh(self.readout_map(jnp.concatenate([context, queries], axis=-1))), weights

    def _logits(self, readout):
        if self.tied:
            logits = self.embedding.attend(readout)
            return logits + self.output_bias.reshape((1,) * (logits.ndim - 1) + (-1,))
        return self.output_map(readout)

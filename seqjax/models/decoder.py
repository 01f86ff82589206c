"""The decoder: what it has said so far and what it can look back at in, what it says next out."""

import functools
import itertools
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from seqjax.attention import attend, attention_weights
from seqjax.cells.cell import Cell, RecurrentCell, carry_features
from seqjax.cells.noise import noisy
from seqjax.masking import length_mask
from seqjax.models.encoder import Encoded
from seqjax.models.layers import draw_stack, stack_step, stack_unroll
from seqjax.models.scorer import Scorer
from seqjax.unroll.scan import scan_time
from seqjax.unroll.unroll import UnrollFn, unroll


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

    carries: tuple[Any, ...]
    feed: Float[Array, "rows feed"]


class Bridge(nn.Module):
    """How what the encoder has read starts the decoder's layers.

    `linear`: every layer gets its own affine map of the state of the encoder's top layer. `mean`:
    the same of the mean of the encoder's outputs. `copy`: layer by layer as it is; where the
    encoder has fewer layers its top one serves the rest. `zeros`: nothing is handed over.

    References:
      The maps are those of Bahdanau et al., 2015, appendix A.2.2, and, of the mean, of Nematus
      (Sennrich et al., 2017); copying is that of Luong et al., 2015.
    """

    kind: Literal["linear", "mean", "copy", "zeros"]

    @nn.compact
    def __call__(self, encoded: Encoded, cells: Sequence[Cell]) -> tuple[Any, ...]:
        """Returns a carry for each of the cells.

        Raises:
          ValueError: If states are to be copied that do not fit.
        """
        rows, last = encoded.outputs.shape[0], len(encoded.carries) - 1
        started = []
        for depth, cell in enumerate(cells):
            nothing = cell.initial_carry(rows)
            match self.kind:
                case "zeros":
                    started.append(nothing)
                case "copy":
                    carry = encoded.carries[min(depth, last)]
                    _refuse_other_carry(nothing, carry, depth)
                    started.append(carry)
                case "linear" | "mean":
                    features = self._features(encoded)
                    name = f"layer_{depth}"
                    if isinstance(cell, RecurrentCell):
                        started.append(cell.start(nn.Dense(cell.start_size, name=name)(features)))
                    else:
                        size = sum(leaf.shape[-1] for leaf in jax.tree.leaves(nothing))
                        started.append(_dealt(nothing, nn.Dense(size, name=name)(features)))
        return tuple(started)

    def _features(self, encoded: Encoded) -> Float[Array, "batch features"]:
        if self.kind == "linear":
            return carry_features(encoded.carries[-1])
        count = jnp.maximum(encoded.lengths, 1)[:, None].astype(encoded.outputs.dtype)
        return jnp.sum(encoded.outputs, axis=1) / count


def _refuse_other_carry(wanted: Any, got: Any, depth: int) -> None:
    shapes = [jax.tree.map(lambda leaf: leaf.shape[1:], carry) for carry in (wanted, got)]
    if shapes[0] != shapes[1]:
        raise ValueError(
            f"bridge 'copy' must find the state of decoder layer {depth} in the encoder: it is "
            f"{shapes[0]} there, {shapes[1]} here"
        )


def _dealt(carry: Any, features: Float[Array, "rows features"]) -> Any:
    """Returns a carry of the same shapes, filled with the features one leaf after the other."""
    leaves, structure = jax.tree.flatten(carry)
    ends = list(itertools.accumulate(leaf.shape[-1] for leaf in leaves))
    return structure.unflatten(jnp.split(features, ends[:-1], axis=-1))


class Decoder(nn.Module):
    """Stacked recurrent layers with attention after them.

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
      residual: Add a layer's input to its output where both are equally wide.
      unroll_fn: `unroll`, with its choices made.
    """

    embedding: nn.Embed
    cells: Sequence[Cell]
    bridge: Any
    scorer: Scorer | None
    readout_size: int
    tied: bool = True
    input_feeding: bool = False
    dropout_rate: float = 0.0
    residual: bool = False
    unroll_fn: UnrollFn = unroll

    def setup(self):
        self.dropout = nn.Dropout(self.dropout_rate)
        self.readout_map = nn.Dense(self.readout_size)
        vocab_size = self.embedding.num_embeddings
        if self.tied:
            self.output_bias = self.param("output_bias", nn.initializers.zeros, (vocab_size,))
        else:
            self.output_map = nn.Dense(vocab_size)

    def start(self, encoded: Encoded) -> tuple[DecoderState, Memory]:
        """Returns the state before the first step, and what belongs to the sentence."""
        batch, time, _ = encoded.outputs.shape
        feed = jnp.zeros((batch, self.readout_size if self.input_feeding else 0))
        keys = self.scorer.prepare(encoded.outputs) if self.scorer else encoded.outputs[..., :0]
        memory = Memory(encoded.outputs, keys, length_mask(encoded.lengths, time))
        return DecoderState(self.bridge(encoded, self.cells), feed), memory

    def unroll(
        self,
        state: DecoderState,
        memory: Memory,
        tokens: Int[Array, "batch target"],
        lengths: Int[Array, " batch"],
    ) -> tuple[Float[Array, "batch target vocab"], Float[Array, "batch target source"]]:
        """Returns logits and attention weights of all steps, given the token before each.

        The weights have no columns when there is no attention.
        """
        drop_fn = self._drop_fn()
        embedded = drop_fn(self.embedding(tokens))
        if self.input_feeding:
            drawn = draw_stack(self.cells, tokens.shape[0])
            step = lambda decoder, state, x: decoder._step(state, memory, x, drawn)
            mask = length_mask(lengths, tokens.shape[1])
            _, (readout, weights) = scan_time(step, self, state, embedded, mask)
        else:
            _, queries = stack_unroll(
                self.cells,
                drop_fn,
                state.carries,
                embedded,
                lengths,
                residual=self.residual,
                unroll_fn=self.unroll_fn,
            )
            readout, weights = self._read(queries, memory)
        return self._logits(drop_fn(readout)), weights

    def step(
        self, state: DecoderState, memory: Memory, tokens: Int[Array, " rows"]
    ) -> tuple[DecoderState, Float[Array, "rows vocab"]]:
        """Returns the state after one step, and its logits. Rows of a sentence are neighbours."""
        drawn = draw_stack(self.cells, tokens.shape[0])
        state, (readout, _) = self._step(state, memory, self.embedding(tokens), drawn)
        return state, self._logits(readout)

    def _drop_fn(self):
        return functools.partial(self.dropout, deterministic=not noisy(self))

    def _step(self, state, memory, embedded, drawn):
        inputs = jnp.concatenate([embedded, state.feed], axis=-1)
        carries, query = stack_step(
            self.cells, self._drop_fn(), state.carries, inputs, drawn, residual=self.residual
        )
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

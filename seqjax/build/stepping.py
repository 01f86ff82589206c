"""Trained models, one or several, as a search sees them."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from seqjax.config import DecodeConfig
from seqjax.decode.beam import StateScoreFn
from seqjax.decode.protocol import StepFn
from seqjax.decode.scoring import coverage_penalty, coverage_summary
from seqjax.models.language_model import LanguageModel
from seqjax.models.reader import Memory
from seqjax.models.seq2seq import Seq2Seq
from seqjax.types import Padded, Parameters


class Decoding(NamedTuple):
    """A decoder's state in a search.

    Attributes:
      decoder: The model's own.
      looked: `[rows, source]` how much attention each source position has had.
    """

    decoder: Any
    looked: Float[Array, "rows source"]


def seq2seq_step_fn(
    model: Seq2Seq, params: Parameters, memory: Memory, *, most_source: int
) -> StepFn:
    """Returns a trained encoder-decoder as a search sees it, looking back at `memory`.

    If it copies, there are always columns for `most_source` source positions: what is drawn must
    not depend on how long the other sources of a batch are. Those that stand for no token are
    forbidden.
    """

    def step_fn(tokens: Int[Array, " rows"], state: Decoding):
        after: Any = model.apply({"params": params}, state.decoder, memory, tokens, method="step")
        decoder, logits, weights = after
        if model.decoder.copier is not None:
            logits = _of_tokens(logits, memory, most_source)
        looked = state.looked + weights if state.looked.shape[1] else state.looked
        return logits, Decoding(decoder, looked)

    return step_fn


def encode(
    model: Seq2Seq, params: Parameters, source: Padded, *, covering: bool
) -> tuple[Decoding, Memory]:
    """Returns the state of a search before its first step, and what belongs to each sentence.

    Args:
      model: The encoder-decoder.
      params: Its weights.
      source: The sources.
      covering: Keep in the state how much each source position was looked at.
    """
    encoded: Any = model.apply({"params": params}, source, method="encode")
    state, memory = encoded
    batch, positions = memory.mask.shape
    return Decoding(state, jnp.zeros((batch, positions if covering else 0))), memory


def build_state_score_fn(config: DecodeConfig, memories: Sequence[Memory]) -> StateScoreFn:
    """Returns what coverage adds to the score of a hypothesis: the mean over several models.

    Args:
      config: Which coverage penalty.
      memories: What each model looks back at; a state holds one `Decoding` for each.
    """
    penalty = {"gnmt": coverage_penalty, "summary": coverage_summary}[config.coverage_kind]

    def state_score_fn(state: Sequence[Decoding]):
        parts = [
            penalty(one.looked, memory.mask, config.coverage_penalty)
            for one, memory in zip(state, memories, strict=True)
        ]
        return sum(parts[1:], parts[0]) / len(parts)

    return state_score_fn


def _of_tokens(
    logits: Float[Array, "rows vocab_source"], memory: Memory, most_source: int
) -> Float[Array, "rows vocab_most"]:
    batch, source = memory.mask.shape
    vocab_size = logits.shape[1] - source
    logits = jnp.pad(logits, ((0, 0), (0, most_source - source)))
    is_token = jnp.zeros((batch, logits.shape[1]), bool).at[:, :vocab_size].set(True)
    is_token = is_token.at[jnp.arange(batch)[:, None], memory.copy_ids].set(True)
    is_token = jnp.repeat(is_token, logits.shape[0] // batch, axis=0)
    return jnp.where(is_token, logits, -jnp.inf)


class Prompted(NamedTuple):
    """A language model's state after a prompt whose last token it has not read yet."""

    carry: Any
    last_token: Int[Array, " rows"]
    started: Bool[Array, " rows"]


def language_step_fn(model: LanguageModel, params: Parameters) -> StepFn:
    """Returns a trained language model as a search sees it.

    A search begins with BOS; after a prompt the first token to read is the prompt's last instead.
    """

    def step_fn(tokens: Int[Array, " rows"], state: Prompted):
        tokens = jnp.where(state.started, tokens, state.last_token)
        after: Any = model.apply({"params": params}, state.carry, tokens, method="step")
        carry, logits = after
        return logits, Prompted(carry, tokens, jnp.ones_like(state.started))

    return step_fn


def unread(model: LanguageModel, first_id: int, rows: int) -> Prompted:
    """Returns the state of a language model that has read nothing, and begins with `first_id`."""
    first = jnp.full((rows,), first_id, jnp.int32)
    return Prompted(model.initial_carry(rows), first, jnp.zeros((rows,), bool))


def read_prompt(model: LanguageModel, params: Parameters, prompt: Padded) -> Prompted:
    """Returns the state of a language model that has read all of each prompt but its last token.

    Args:
      model: The language model.
      params: Its weights.
      prompt: BOS and the prompt's tokens: no row is empty.
    """
    rows = prompt.lengths.shape[0]
    carry = model.initial_carry(rows)
    read = Padded(prompt.values, prompt.lengths - 1)
    carry, _ = model.apply({"params": params}, read, carry)
    last = jnp.take_along_axis(prompt.values, prompt.lengths[:, None] - 1, axis=1)[:, 0]
    return Prompted(carry, last, jnp.zeros((rows,), bool))

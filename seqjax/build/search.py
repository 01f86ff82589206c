"""From configuration to a search over any model."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from seqjax.config import DecodeConfig
from seqjax.decode.beam import beam_search
from seqjax.decode.logits import (
    chain,
    forbid,
    min_length,
    no_repeat_ngram,
    repetition_penalty,
    temperature,
    top_k,
    top_p,
)
from seqjax.decode.protocol import Hypotheses, LogitsProcessor, StepFn
from seqjax.decode.sample import greedy, sample
from seqjax.decode.scoring import average, gnmt
from seqjax.models.language_model import LanguageModel
from seqjax.models.reader import Memory
from seqjax.models.seq2seq import Seq2Seq
from seqjax.types import Key, Padded, Parameters


def build_length_penalty(config: DecodeConfig):
    """Returns what a hypothesis' log-probability is divided by, as a function of its length."""
    match config.length_penalty_kind:
        case "average":
            return average(config.length_penalty)
        case "gnmt":
            return gnmt(config.length_penalty)


def build_processor(
    config: DecodeConfig, *, eos_id: int, exempt: tuple[int, ...]
) -> LogitsProcessor:
    """Returns the chain of logits processors in the order in which they act.

    Penalties come first, then what is forbidden, then (for sampling) what narrows the choice.

    Args:
      config: Which of them, and how strong.
      eos_id: Held back by `min_length`.
      exempt: Ids that no repetition rule touches: EOS, which ends an answer and repeats nothing.
    """
    processors = []
    if config.repetition_penalty != 1.0:
        processors.append(repetition_penalty(config.repetition_penalty, exempt=exempt))
    if config.no_repeat_ngram:
        processors.append(no_repeat_ngram(config.no_repeat_ngram, exempt=exempt))
    if config.min_length:
        processors.append(min_length(config.min_length, eos_id=eos_id))
    if config.method == "sample":
        if config.temperature != 1.0:
            processors.append(temperature(config.temperature))
        if config.top_k:
            processors.append(top_k(config.top_k))
        if config.top_p < 1.0:
            processors.append(top_p(config.top_p))
    return chain(*processors)


class Symbols(NamedTuple):
    """The ids a search must know; from a vocabulary."""

    bos_id: int
    eos_id: int
    pad_id: int


def build_search(
    config: DecodeConfig, symbols: Symbols, *, forbidden: tuple[int, ...] = ()
) -> Callable[..., Hypotheses]:
    """Returns `search(step_fn, state, *, max_length, limits, keys) -> Hypotheses`.

    Args:
      config: Which search, and its settings.
      symbols: Ids of the target vocabulary.
      forbidden: Ids never to be written.
    """
    processor = build_processor(config, eos_id=symbols.eos_id, exempt=(symbols.eos_id,))
    if forbidden:
        processor = chain(processor, forbid(forbidden))
    shared = {**symbols._asdict(), "processor": processor}

    def search(
        step_fn: StepFn,
        state: Any,
        *,
        max_length: int,
        limits: Int[Array, " batch"],
        keys: Key,
    ) -> Hypotheses:
        match config.method:
            case "greedy":
                return greedy(step_fn, state, max_length=max_length, limits=limits, **shared)
            case "sample":
                return sample(
                    step_fn,
                    state,
                    keys,
                    num_samples=config.n_best,
                    max_length=max_length,
                    limits=limits,
                    **shared,
                )
            case "beam":
                return beam_search(
                    step_fn,
                    state,
                    beam_size=config.beam_size,
                    n_best=config.n_best,
                    max_length=max_length,
                    limits=limits,
                    length_penalty=build_length_penalty(config),
                    **shared,
                )

    return search


def seq2seq_step_fn(
    model: Seq2Seq, params: Parameters, memory: Memory, *, most_source: int
) -> StepFn:
    """Returns a trained encoder-decoder as a search sees it, looking back at `memory`.

    If it copies, there are always columns for `most_source` source positions: what is drawn must
    not depend on how long the other sources of a batch are. Those that stand for no token are
    forbidden.
    """

    def step_fn(tokens: Int[Array, " rows"], state: Any):
        after: Any = model.apply({"params": params}, state, memory, tokens, method="step")
        state, logits = after
        if model.decoder.copier is not None:
            logits = _of_tokens(logits, memory, most_source)
        return logits, state

    return step_fn


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

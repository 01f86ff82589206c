"""What a model is taught by its own answers: that they cost something, or repeat themselves."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from seqjax.config import ObjectiveConfig
from seqjax.decode.beam import Beam
from seqjax.decode.force import force
from seqjax.decode.logits.words import forbid
from seqjax.decode.protocol import AnyState, LogitsProcessor, StepFn, Symbols
from seqjax.decode.sample import Greedy, Sample
from seqjax.decode.search import Way, search
from seqjax.losses import are_new, bleu_costs, edit_costs, expected_costs, repeats_ngram
from seqjax.losses.unlikelihood import minus_log_of_rest
from seqjax.masking import length_mask
from seqjax.types import Key, Mean, Padded, Parameters

BeginFn = Callable[[Parameters], tuple[StepFn, AnyState]]
"""Weights to a model as a search sees it, and its state before the first step of each row."""


class Answers(NamedTuple):
    """What a model says of itself to each row of a batch, and how likely it finds that.

    Attributes:
      tokens: `[batch, answers, time]`, EOS included where it was reached, padding after.
      lengths: `[batch, answers]`; 0 where there is no answer.
      log_probs: `[batch, answers, time]` of each token, in nats; here the gradient flows.
    """

    tokens: Int[Array, "batch answers time"]
    lengths: Int[Array, "batch answers"]
    log_probs: Float[Array, "batch answers time"]


OwnAnswersFn = Callable[[Mean, BeginFn, Parameters, Padded, Key], Mean]
"""`(loss of the tokens, begin_fn, params, targets, key) -> loss` with that of whole answers."""


def loss_of_tokens_alone(
    loss: Mean, begin_fn: BeginFn, params: Parameters, targets: Padded, key: Key
) -> Mean:
    """Adds nothing: an `OwnAnswersFn` of a model that is not asked for answers."""
    del begin_fn, params, targets, key
    return loss


def build_own_answers(config: ObjectiveConfig, symbols: Symbols, *, ends: bool) -> OwnAnswersFn:
    """Returns what adds to a loss that of the answers which a model gives while it learns.

    They are looked for in the compiled step, without dropout, BOS and padding forbidden. A row has
    room for half as many tokens again as its target, and one; or for as many as `config` says.
    What its answers cost counts once for each token of its target: like all else that is minimised
    it is a mean per token, and adds up over the parts of a batch.

    Args:
      config: Which, and their settings. Nothing is looked for where none is wanted.
      symbols: Of the target vocabulary.
      ends: Whether a target is an answer, or else a stretch of a text that goes on after it.
    """
    never = forbid([symbols.bos_id, symbols.pad_id])

    def room(targets: Padded) -> tuple[int, Int[Array, " batch"]]:
        most = lambda count: count + count // 2 + 1 if ends else config.sequence_unlikelihood_length
        limits = jnp.where(targets.lengths > 0, most(targets.lengths), 0)
        return most(targets.values.shape[1]), limits.astype(jnp.int32)

    def risks(begin_fn: BeginFn, params: Parameters, targets: Padded, key: Key):
        way = _risk_way(config, jax.random.split(key, targets.lengths.shape[0]))
        max_length, limits = room(targets)
        given = _widened(targets, max_length, symbols.pad_id) if config.risk_reference else None
        answers = answer(
            begin_fn, params, way, symbols, never, limits=limits, max_length=max_length, given=given
        )
        return risk_of(config, answers, targets, symbols)

    def repetitions(begin_fn: BeginFn, params: Parameters, targets: Padded):
        max_length, limits = room(targets)
        answers = answer(
            begin_fn, params, Greedy(), symbols, never, limits=limits, max_length=max_length
        )
        return repetition_of(config, answers)

    def with_own_answers(
        loss: Mean, begin_fn: BeginFn, params: Parameters, targets: Padded, key: Key
    ) -> Mean:
        total, tokens = loss.total, targets.lengths.astype(jnp.float32)
        if config.risk_weight:
            risk = jnp.sum(tokens * risks(begin_fn, params, targets, key))
            total = (1 - config.risk_weight) * total + config.risk_weight * risk
        if config.sequence_unlikelihood:
            again = jnp.sum(tokens * repetitions(begin_fn, params, targets))
            total += config.sequence_unlikelihood * again
        return Mean(total, loss.weight)

    return with_own_answers


def _risk_way(config: ObjectiveConfig, keys: Key) -> Way:
    match config.risk_search:
        case "sample":
            return Sample(keys, config.risk_candidates)
        case "beam":
            return Beam(config.risk_candidates, n_best=config.risk_candidates)


def risk_of(
    config: ObjectiveConfig, answers: Answers, targets: Padded, symbols: Symbols
) -> Float[Array, " batch"]:
    """Returns what each row's distinct answers cost on average; EOS is no token of a text."""
    batch, count, time = answers.tokens.shape
    costs_fn = {"edit": edit_costs, "bleu": bleu_costs}[config.risk_cost]
    rows = answers.tokens.reshape(batch * count, time)
    texts = _without_eos(rows, answers.lengths.reshape(-1), symbols)
    references = _without_eos(targets.values, targets.lengths, symbols)
    costs = costs_fn(texts, jax.tree.map(lambda leaf: jnp.repeat(leaf, count, axis=0), references))
    return expected_costs(
        jnp.sum(answers.log_probs, axis=2),
        costs.reshape(batch, count),
        are_new(answers.tokens) & (answers.lengths > 0),
        alpha=config.risk_alpha,
    )


def repetition_of(config: ObjectiveConfig, answers: Answers) -> Float[Array, " batch"]:
    """Returns the unlikelihood of whatever repeats an n-gram, per token of each row's answer."""
    tokens, lengths = answers.tokens[:, 0], answers.lengths[:, 0]
    again = repeats_ngram(tokens, lengths, config.sequence_unlikelihood_ngram)
    costs = jnp.where(again, minus_log_of_rest(answers.log_probs[:, 0]), 0.0)
    return jnp.sum(costs, axis=1) / jnp.maximum(lengths, 1).astype(jnp.float32)


def answer(
    begin_fn: BeginFn,
    params: Parameters,
    way: Way,
    symbols: Symbols,
    processor: LogitsProcessor,
    *,
    limits: Int[Array, " batch"],
    max_length: int,
    given: Padded | None = None,
) -> Answers:
    """Returns answers of a model, found without a gradient and scored with one.

    Args:
      begin_fn: The model.
      params: Its weights.
      way: How answers are looked for.
      symbols: Of its vocabulary.
      processor: Of the search; the probabilities are of what it leaves.
      limits: Most tokens of each row.
      max_length: Room for tokens.
      given: `[batch, max_length]` answers that stand before those that are found, padded with the
        id of padding.
    """
    step_fn, state = begin_fn(jax.lax.stop_gradient(params))
    found = search(
        step_fn,
        jax.lax.stop_gradient(state),
        way,
        symbols=symbols,
        max_length=max_length,
        limits=limits,
        processor=processor,
    )
    tokens, lengths = found.tokens, found.lengths
    if given is not None:
        tokens = jnp.concatenate([given.values[:, None].astype(tokens.dtype), tokens], axis=1)
        lengths = jnp.concatenate([given.lengths[:, None].astype(lengths.dtype), lengths], axis=1)
    batch, count, _ = tokens.shape
    step_fn, state = begin_fn(params)
    scored = force(
        jax.checkpoint(step_fn),  # logits of all answers at once would need much memory
        jax.tree.map(lambda leaf: jnp.repeat(leaf, count, axis=0), state),
        tokens.reshape(batch * count, max_length),
        lengths.reshape(-1),
        bos_id=symbols.bos_id,
        processor=processor,
    )
    return Answers(tokens, lengths, scored.log_probs.reshape(tokens.shape))


def _widened(targets: Padded, time: int, pad_id: int) -> Padded:
    missing = time - targets.values.shape[1]
    values = jnp.pad(targets.values, ((0, 0), (0, missing)))
    return Padded(jnp.where(length_mask(targets.lengths, time), values, pad_id), targets.lengths)


def _without_eos(tokens: Int[Array, "rows time"], lengths: Any, symbols: Symbols) -> Padded:
    last = jnp.take_along_axis(tokens, jnp.maximum(lengths - 1, 0)[:, None], axis=1)[:, 0]
    ended = (last == symbols.eos_id) & (lengths > 0)
    return Padded(tokens, lengths - ended.astype(lengths.dtype))

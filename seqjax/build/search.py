"""From configuration to a search, whatever the model."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from jaxtyping import Int

from seqjax.config import DecodeConfig
from seqjax.decode.beam import Beam, StateScoreFn
from seqjax.decode.logits.chain import chain
from seqjax.decode.logits.lengths import (
    decay_length,
    force_first,
    force_last,
    force_prefix,
    min_length,
)
from seqjax.decode.logits.narrowing import (
    epsilon_cutoff,
    eta_cutoff,
    min_p,
    temperature,
    top_k,
    top_p,
    typical_p,
)
from seqjax.decode.logits.repetition import (
    encoder_no_repeat_ngram,
    encoder_repetition_penalty,
    frequency_penalty,
    no_repeat_ngram,
    presence_penalty,
    repetition_penalty,
)
from seqjax.decode.logits.words import forbid, forbid_phrases
from seqjax.decode.protocol import Hypotheses, LogitsProcessor, StepFn, Symbols
from seqjax.decode.refill import Work
from seqjax.decode.required import Required, require
from seqjax.decode.sample import Greedy, Sample
from seqjax.decode.scoring import ScoreFn, average, gnmt, length_normalised
from seqjax.decode.search import Way, begin, go_on
from seqjax.decode.stochastic import StochasticBeam
from seqjax.types import Padded


class Rules(NamedTuple):
    """What a search must know of a vocabulary.

    Attributes:
      symbols: Ids of BOS, EOS and padding.
      exempt: Ids that no repetition rule touches: EOS, which ends an answer and repeats nothing,
        and what the user names.
      never: Ids that are never said.
      phrases: Sequences of ids that are never said.
      first: Id that every answer begins with.
      last: Id that an answer of maximal length ends with.
    """

    symbols: Symbols
    exempt: tuple[int, ...] = ()
    never: tuple[int, ...] = ()
    phrases: tuple[tuple[int, ...], ...] = ()
    first: int | None = None
    last: int | None = None

    def forbids(self, ids: Sequence[int]) -> bool:
        """Says whether these tokens, one after the other, can never be said."""
        return any(one in self.never for one in ids) or any(
            tuple(ids[start : start + len(phrase)]) == phrase
            for phrase in self.phrases
            for start in range(len(ids))
        )


class Asked(NamedTuple):
    """What belongs to a sentence while it is searched; every leaf leads with `batch`.

    Attributes:
      memory: What the model looks back at.
      limits: `[batch]` most tokens, EOS counted.
      keys: `[batch]` what draws are made from; else `()`.
      source: The source in ids of the target vocabulary, for the rules that look at it; else `()`.
      prefix: What the answer must begin with; else `()`.
      required: Phrases that the answer must hold; else `()`.
    """

    memory: Any
    limits: Int[Any, " batch"]
    keys: Any
    source: Padded | tuple[()] = ()
    prefix: Padded | tuple[()] = ()
    required: Required | tuple[()] = ()


class Search(NamedTuple):
    """A search in three parts, pure functions all, so that slots can be refilled in between.

    Attributes:
      begin_fn: `(state, asked, max_length) -> work`.
      go_on_fn: `(params, work, most, steps=None) -> work` when all, or `most` more sentences, are
        done, or after so many steps.
      finish_fn: `(work) -> hypotheses`.
    """

    begin_fn: Callable[[Any, Asked, int], Work]
    go_on_fn: Callable[..., Work]
    finish_fn: Callable[[Work], Hypotheses]


def build_search(
    config: DecodeConfig,
    rules: Rules,
    step_fn_of: Callable[[Any, Asked], StepFn],
    state_score_fn_of: Callable[[Asked], StateScoreFn] | None = None,
) -> Search:
    """Returns a search of any model.

    Args:
      config: Which search, and its settings.
      rules: Ids that it must know.
      step_fn_of: `(params, asked) -> step_fn`.
      state_score_fn_of: What coverage adds to a score; see `Beam`.
    """

    def way_of(asked: Asked) -> Way:
        return build_way(config, asked, state_score_fn_of and state_score_fn_of(asked))

    def begin_fn(state: Any, asked: Asked, max_length: int) -> Work:
        progress = begin(
            state,
            way_of(asked),
            symbols=rules.symbols,
            max_length=max_length,
            limits=asked.limits,
        )
        return Work(progress, asked)

    def go_on_fn(params: Any, work: Work, most_done: Any, steps: Any = None) -> Work:
        asked = work.sentences
        progress = go_on(
            step_fn_of(params, asked),
            work.progress,
            way_of(asked),
            symbols=rules.symbols,
            processor=build_processor(config, rules, asked),
            renormalise=config.normalise == "after",
            most_done=most_done,
            steps=steps,
        )
        return work._replace(progress=progress)

    def finish_fn(work: Work) -> Hypotheses:
        return way_of(work.sentences).finish(work.progress, rules.symbols)

    return Search(begin_fn, go_on_fn, finish_fn)


def build_way(
    config: DecodeConfig, asked: Asked, state_score_fn: StateScoreFn | None = None
) -> Way:
    """Returns the way of searching."""
    match config.method:
        case "greedy":
            return Greedy()
        case "sample":
            return Sample(asked.keys, config.n_best)
        case "stochastic_beam":
            return StochasticBeam(asked.keys, config.n_best)
        case "beam":
            return Beam(
                config.beam_size,
                n_best=config.n_best,
                score_fn=build_score_fn(config),
                stop=config.stop,
                patience=config.patience,
                groups=config.beam_groups,
                diversity=config.diversity,
                state_score_fn=state_score_fn,
                stepwise=config.coverage_when == "each_step",
                required=asked.required or None,
            )


def build_score_fn(config: DecodeConfig) -> ScoreFn:
    """Returns what hypotheses are ranked by."""
    match config.length_penalty_kind:
        case "average":
            length_penalty = average(config.length_penalty)
        case "gnmt":
            length_penalty = gnmt(config.length_penalty)
    return length_normalised(length_penalty, word_reward=config.word_reward)


def build_processor(config: DecodeConfig, rules: Rules, asked: Asked) -> LogitsProcessor:
    """Returns the chain of logits processors in the order in which they act.

    Penalties come first, then what is forbidden, then what is forced, then (for draws) what narrows
    the choice.
    """
    return chain(
        *_penalties(config, rules, asked),
        *_forbidden(config, rules, asked),
        *_forced(config, rules, asked),
        *(_narrowing(config) if config.method in ("sample", "stochastic_beam") else ()),
    )


def _penalties(config: DecodeConfig, rules: Rules, asked: Asked) -> list[LogitsProcessor]:
    found = []
    exempt, window = rules.exempt, config.repetition_window or None
    if config.encoder_repetition_penalty != 1.0:
        found.append(
            encoder_repetition_penalty(
                config.encoder_repetition_penalty,
                *asked.source,
                meaning=config.repetition_meaning,
                exempt=exempt,
            )
        )
    if config.repetition_penalty != 1.0:
        found.append(
            repetition_penalty(
                config.repetition_penalty,
                meaning=config.repetition_meaning,
                exempt=exempt,
                window=window,
            )
        )
    if config.presence_penalty:
        found.append(presence_penalty(config.presence_penalty, exempt=exempt, window=window))
    if config.frequency_penalty:
        found.append(frequency_penalty(config.frequency_penalty, exempt=exempt, window=window))
    return found


def _forbidden(config: DecodeConfig, rules: Rules, asked: Asked) -> list[LogitsProcessor]:
    found = []
    exempt, window = rules.exempt, config.repetition_window or None
    if config.no_repeat_ngram:
        found.append(no_repeat_ngram(config.no_repeat_ngram, exempt=exempt, window=window))
    if config.encoder_no_repeat_ngram:
        found.append(
            encoder_no_repeat_ngram(config.encoder_no_repeat_ngram, *asked.source, exempt=exempt)
        )
    if rules.phrases:
        found.append(forbid_phrases(rules.phrases))
    if rules.never:
        found.append(forbid(rules.never))
    return found


def _forced(config: DecodeConfig, rules: Rules, asked: Asked) -> list[LogitsProcessor]:
    found, eos_id = [], rules.symbols.eos_id
    if config.length_decay != 1.0:
        found.append(decay_length(config.length_decay_start, config.length_decay, eos_id=eos_id))
    if config.min_length:
        found.append(min_length(config.min_length, eos_id=eos_id))
    if asked.required:
        found.append(require(asked.required, eos_id=eos_id, limits=asked.limits))
    if rules.first is not None:
        found.append(force_first(rules.first))
    if rules.last is not None:
        found.append(force_last(rules.last, limits=asked.limits))
    if asked.prefix:
        found.append(force_prefix(*asked.prefix))
    return found


def _narrowing(config: DecodeConfig) -> list[LogitsProcessor]:
    found = []
    if config.temperature != 1.0:
        found.append(temperature(config.temperature))
    if config.top_k:
        found.append(top_k(config.top_k))
    if config.top_p < 1.0:
        found.append(top_p(config.top_p))
    if config.min_p:
        found.append(min_p(config.min_p))
    if config.typical_p < 1.0:
        found.append(typical_p(config.typical_p))
    if config.epsilon_cutoff:
        found.append(epsilon_cutoff(config.epsilon_cutoff))
    if config.eta_cutoff:
        found.append(eta_cutoff(config.eta_cutoff))
    return found

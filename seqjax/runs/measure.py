"""How good a model is on data it has not learnt from: likelihood, answers, health of the search."""

import dataclasses
import functools
import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import jax

from seqjax.build.data import TaskData, build_coder
from seqjax.build.learner import Learner
from seqjax.build.rules import build_rules
from seqjax.config import Config, DecodeConfig
from seqjax.data.readers import Pairs
from seqjax.data.vocabulary import Vocabulary
from seqjax.metrics.health import health
from seqjax.metrics.text import evaluate_texts, group_references
from seqjax.predict.answer import Answer, silent
from seqjax.predict.answerer import Answerer
from seqjax.predict.voices import Member, Weights
from seqjax.report.attention import AttentionExample
from seqjax.runs.looking import Attention
from seqjax.train.compiled import AnnounceFn, Compiled
from seqjax.train.mesh import Layout, gather
from seqjax.train.processes import is_first, told
from seqjax.types import Batch, Parameters, sum_means

ValidateFn = Callable[[Parameters], dict[str, float]]
AnswerFn = Callable[[list[str]], list[list[Answer]]]
"""The n best answers to each text."""
VALIDATION_SCORES = (
    "exact_match",
    "token_error_rate",
    "character_error_rate",
    "bleu",
    "chrf",
    "ended",
    "empty",
    "repeated",
    "length_ratio",
)


class Likelihood:
    """Measures negative log-likelihood, token accuracy and perplexity by teacher forcing."""

    def __init__(self, learner: Learner, announce: AnnounceFn, layout: Layout | None = None):
        """Args:
        learner: With the model.
        announce: Told what is compiled.
        layout: Devices that share the work; by default the one that the weights are on.
        """

        def means(params: Parameters, memory: Any, batch: Batch):
            unused = jax.random.key(0)  # nothing is random when not training
            loss, (means, memory) = learner.loss_fn(params, memory, batch, unused, 0, train=False)
            return {"loss": loss, **means}, memory

        def label(params, memory, batch) -> str:
            rows, time = batch.inputs.values.shape[:2]
            return f"likelihood, {rows} x {time}"

        self._memory = layout.put_whole_rows(learner.memory) if layout else learner.memory
        self._put_fn = layout.put_whole_rows if layout else lambda batch: batch
        lie = (layout.everywhere, layout.rows) if layout else None
        self._means = Compiled(means, announce, label, out_shardings=lie)

    def __call__(self, params: Parameters, batches: Iterable[Batch]) -> dict[str, float]:
        """Returns `loss` (nats per token, EOS counted, BOS not), `token_accuracy`, `perplexity`
        (exp of the loss), `bits_per_token` and `tokens`, over all batches together; with attention
        `attention_spread` as well."""
        memory, parts = self._memory, []
        for batch in batches:
            means, memory = self._means(params, memory, self._put_fn(batch))
            parts.append(jax.device_get(means))
        loss = sum_means(part["loss"] for part in parts)
        names = {"token_accuracy"}.union(*parts) - {"loss"}
        others = {name: sum_means(part[name] for part in parts) for name in sorted(names)}
        return {
            "loss": float(loss.value()),
            **{name: float(mean.value()) for name, mean in others.items()},
            "perplexity": _exp(float(loss.value())),
            "bits_per_token": float(loss.value()) / math.log(2),
            "tokens": int(loss.weight),
        }


def _exp(nats: float) -> float:
    """A model that is worse than any vocabulary still has a perplexity that JSON can hold."""
    return math.exp(min(nats, 700.0))


class Decoded(NamedTuple):
    """Answers to a test set.

    Attributes:
      sources: Distinct source texts, in the order of their first line.
      references: The accepted answers to each.
      answers: The n best answers given to each.
      scores: What they are worth; see `evaluate_texts` and `health`.
    """

    sources: list[str]
    references: list[list[str]]
    answers: list[list[Answer]]
    scores: dict[str, Any]


class Seen(NamedTuple):
    """What a validation has looked at.

    Attributes:
      decoded: The answers to its examples.
      attention: On the way to what some of them should be answered; empty without attention.
    """

    decoded: Decoded
    attention: list[AttentionExample]


def decode_pairs(
    answer_fn: AnswerFn,
    pairs: Pairs,
    vocabulary: Vocabulary,
    bleu_tokenizer: str = "13a",
) -> Decoded:
    """Answers every distinct source and scores the best answers.

    Repeated source lines are several references of one source: the best of them counts.
    """
    sources, references = group_references(pairs.sources, pairs.targets)
    answers = answer_fn(sources)
    best = [answer[0] for answer in answers]
    cut = vocabulary.cut
    scores = evaluate_texts(
        [answer.text for answer in best], references, tokenise=cut, bleu_tokenizer=bleu_tokenizer
    )
    scores |= health(
        [list(answer.tokens) for answer in best],
        [[cut(text) for text in accepted] for accepted in references],
        [answer.finished for answer in best],
    )
    return Decoded(sources, references, answers, scores)


def build_validator(
    config: Config,
    learner: Learner,
    data: TaskData,
    layout: Layout,
    announce: AnnounceFn,
    note: Callable[[str], None],
    poll: Callable[[], None] = lambda: None,
    seen: Callable[[Seen], None] = lambda seen: None,
) -> ValidateFn:
    """Returns what is measured while a run trains, with two sample answers told to `note`.

    A text-to-text task decodes `validation.examples` sources greedily, and tells `seen` of them; a
    language model continues nothing. Of several processes the first one decodes, and tells the
    others what came of it. Between batches `poll` is called, which may raise.
    """
    likelihood = Likelihood(learner, announce, layout)

    def polled(batches: Iterable[Batch]) -> Iterator[Batch]:
        for batch in batches:
            poll()
            yield batch

    if config.task == "language-model":
        return lambda params: likelihood(params, polled(data.valid_batches()))
    greedy = dataclasses.replace(config.decode, method="greedy", n_best=1)
    answerer = build_answerer(
        config, greedy, learner, data.vocabularies, data.longest_target, announce
    )
    most = config.validation.examples
    pairs = Pairs(data.valid.sources[:most], data.valid.targets[:most])
    look = Attention(config, learner.model, data.vocabularies, announce)

    def validate(params: Parameters) -> dict[str, float]:
        scores = likelihood(params, polled(data.valid_batches()))
        poll()
        weights = gather(params)
        return scores | told(answers_scores(weights) if is_first() else None)

    def answers_scores(weights: Parameters) -> dict[str, float]:
        answer_fn = functools.partial(answerer, Weights((weights,)))
        decoded = decode_pairs(answer_fn, pairs, data.vocabularies["target"])
        shown = sorted({0, len(decoded.sources) // 2})
        for number in shown:
            note(_sample_line(decoded, number))
        sources = [decoded.sources[number] for number in shown]
        wanted = [decoded.references[number][0] for number in shown]
        seen(Seen(decoded, look(weights, Pairs(sources, wanted))))
        return {name: float(decoded.scores[name]) for name in VALIDATION_SCORES}

    return validate


def _sample_line(decoded: Decoded, number: int) -> str:
    answer, references = decoded.answers[number][0], decoded.references[number]
    right = answer.text in references
    wanted = "" if right else f"   wanted {references[0]}"
    return (
        f"  {'✓' if right else '✗'} {decoded.sources[number]} -> {answer.text}"
        f"   p {math.exp(answer.log_prob):.2f}{wanted}"
    )


def build_answerer(
    config: Config,
    decode: DecodeConfig,
    learner: Learner,
    vocabularies: dict[str, Vocabulary],
    longest_target: int,
    announce: AnnounceFn = silent,
) -> Answerer:
    """Returns the run's model as an `Answerer` that searches as `decode` says."""
    model: Any = learner.model
    return Answerer(
        [Member(model, build_coder(config, vocabularies))],
        decode,
        build_rules(decode, vocabularies["target"]),
        longest_target=longest_target,
        max_source=config.data.max_source,
        announce=announce,
    )

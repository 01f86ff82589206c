"""Several runs, and what stands beside them, that answer together."""

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

from seqjax.build.rules import build_rules
from seqjax.config import DecodeConfig
from seqjax.decode.rerank import minimum_bayes_risk, rerank
from seqjax.errors import InputError
from seqjax.metrics.text import UTILITIES
from seqjax.predict.answer import Answer, Request, silent
from seqjax.predict.answerer import Answerer
from seqjax.predict.asker import Trouble
from seqjax.predict.voices import Member, Weights
from seqjax.runs.fitted import Fitted
from seqjax.runs.listening import heard, partner_of
from seqjax.runs.trained import Trained
from seqjax.tasks.language_model import LanguageModeling
from seqjax.tasks.task import ASKED_BY
from seqjax.tasks.text_to_text import TextToText
from seqjax.train.compiled import AnnounceFn

Consensus = Literal["none", "bleu", "chrf", "edit"]


class Beside(NamedTuple):
    """What has a say beside the runs that answer.

    Attributes:
      forbidden: Texts that no answer may hold.
      lexicon: Source tokens to target tokens, for unknown ones that are replaced.
      language_model: Is listened to at every step.
      language_weight: Of its log-probabilities.
      consensus: What likeness puts the n best answers in order; see `minimum_bayes_risk`.
      rerank: Has a say in the order of the n best answers.
      rerank_weight: Of its scores.
      keep: How many of the n best are given in the end; all of them if None.
    """

    forbidden: tuple[str, ...] = ()
    lexicon: dict[str, str] = {}
    language_model: Trained | Fitted | None = None
    language_weight: float = 0.0
    consensus: Consensus = "none"
    rerank: Trained | None = None
    rerank_weight: float = 0.0
    keep: int | None = None


class Panel:
    """One or more text-to-text runs of one target vocabulary, answering as one.

    Attributes:
      answerer: Searches.
      weights: Of all that take part in the search.
      beside: What has a say after it, too.
    """

    def __init__(
        self,
        runs: Sequence[Trained],
        decode: DecodeConfig,
        beside: Beside = Beside(),  # noqa: B008, it is a value
        announce: AnnounceFn = silent,
    ):
        """Args:
        runs: What was trained; settings that are not of the search are those of the first.
        decode: How to search.
        beside: What else has a say.
        announce: Told of compilations.

        Raises:
          InputError: If the runs, or what stands beside them, do not go together.
        """
        first, decode = runs[0], runs[0].searching(decode)
        if beside.keep is not None and beside.keep > decode.n_best:
            raise InputError(
                f"keep must be at most decode.n_best ({decode.n_best}), got {beside.keep}"
            )
        most_source = min(run.config.data.max_source for run in runs)
        members = [_member(run, most_source) for run in runs]
        for run in runs:
            _refuse_odd_ones(first, run)
        longest_target = max(run.statistics["longest_target"] for run in runs)
        _refuse_what_needs_attention(first, decode)
        target = first.vocabularies["target"]
        partner, theirs = None, ()
        if beside.language_model is not None:
            partner = partner_of(beside.language_model, beside.language_weight, target)
            theirs = heard(beside.language_model)
        self.beside, self._announce = beside, announce
        self.weights = Weights(tuple(run.params for run in runs), theirs)
        self.answerer = Answerer(
            members,
            TextToText(first.config).bounded(decode, longest_target),
            build_rules(decode, target, forbidden=beside.forbidden),
            longest_target=longest_target,
            most_source=most_source,
            partner=partner,
            lexicon=beside.lexicon,
            announce=announce,
        )

    def __call__(self, requests: Sequence[str | Request], *, first: int = 0) -> list[list[Answer]]:
        """Returns the answers to each text, best first; see `Answerer`."""
        answers = self.answerer(self.weights, requests, first=first)
        if self.beside.rerank is not None:
            answers = self._reranked(requests, answers)
        if self.beside.consensus != "none":
            answers = [self._by_consensus(found) for found in answers]
        return [found[: self.beside.keep] for found in answers]

    def cuts(self, text: str) -> bool:
        """Returns whether a source has more steps than are read of it."""
        return self.answerer.asker.cuts(text)

    def trouble(self, request: Request) -> Trouble | None:
        """Returns why no answer can hold what a request wants; None if one can."""
        return self.answerer.asker.trouble(request)

    def score(self, sources: Sequence[str], targets: Sequence[str]) -> list[Answer]:
        """Returns given answers with their log-probabilities and scores."""
        return self.answerer.score(self.weights, sources, targets)

    def _reranked(self, requests, answers: list[list[Answer]]) -> list[list[Answer]]:
        flat = [
            (request if isinstance(request, str) else request.text, answer)
            for request, found in zip(requests, answers, strict=True)
            for answer in found
        ]
        theirs = iter(self._judge_fn([text for text, _ in flat], [a.text for _, a in flat]))
        ordered = []
        for found in answers:
            judged = [next(theirs) for _ in found]
            mine = [answer.score for answer in found]
            order = rerank([mine, judged], [1.0, self.beside.rerank_weight])
            ordered.append([found[number]._replace(score=score) for number, score in order])
        return ordered

    @functools.cached_property
    def _judge_fn(self) -> Callable[[list[str], list[str]], list[float]]:
        judge = self.beside.rerank
        assert judge is not None
        if isinstance(judge.task, LanguageModeling):
            continuer = judge.task.continuer(judge.learnt, judge.config.decode, self._announce)
            return lambda sources, answers: continuer.score(judge.params, answers)
        other = Panel([judge], _plain(judge.config.decode), announce=self._announce)
        return lambda sources, answers: [one.score for one in other.score(sources, answers)]

    def _by_consensus(self, found: list[Answer]) -> list[Answer]:
        utility_fn = UTILITIES[self.beside.consensus]
        weights = None  # draws are as frequent as they are probable
        if self.answerer.config.method != "sample":
            top = max(answer.log_prob for answer in found)
            weights = [math.exp(answer.log_prob - top) for answer in found]
        order = minimum_bayes_risk([answer.text for answer in found], utility_fn, weights)
        return [found[number]._replace(score=utility) for number, utility in order]


def _plain(decode: DecodeConfig) -> DecodeConfig:
    """Returns a search whose scores are those of the model itself, the mean per token."""
    return DecodeConfig(length_penalty=decode.length_penalty, batch_size=decode.batch_size)


def _member(run: Trained, most_source: int) -> Member:
    if not isinstance(run.task, TextToText):
        raise InputError(
            f"{run.run.path}: is a {run.config.task} run; only encoder-decoders answer together; "
            f"use seqjax {ASKED_BY[run.config.task]}"
        )
    model: Any = run.learner.model
    return Member(model, run.task.coder_of(run.vocabularies, most_source))


def _refuse_odd_ones(first: Trained, run: Trained) -> None:
    ours, theirs = first.vocabularies["target"], run.vocabularies["target"]
    if ours.fingerprint() != theirs.fingerprint():
        odd = sorted(set(ours.tokens) ^ set(theirs.tokens))
        which = f"{odd[0]!r} is in one of them only" if odd else "their order differs"
        raise InputError(
            f"{run.run.path}: its target vocabulary is not that of {first.run.path} ({which}); "
            "only runs of one target vocabulary answer together"
        )
    if run.config.model.copying != first.config.model.copying or (
        run.config.model.copying
        and run.config.data.source_tokens != first.config.data.source_tokens
    ):
        raise InputError(
            f"{run.run.path}: copies source tokens and {first.run.path} does not, or others; they "
            "cannot answer together"
        )


def _refuse_what_needs_attention(first: Trained, decode: DecodeConfig) -> None:
    model = first.config.model
    if decode.unknown == "replace" and (model.attention == "none" or model.pyramid):
        raise InputError(
            f"{first.run.path}: decode.unknown must not be replace for a model that does not "
            "look at single source tokens (model.attention none, or model.pyramid)"
        )
    if decode.coverage_penalty and model.attention == "none":
        raise InputError(
            f"{first.run.path}: decode.coverage_penalty must be 0 for a model without "
            f"attention, got {decode.coverage_penalty}"
        )

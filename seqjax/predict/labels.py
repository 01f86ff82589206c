"""Text in, labels or tags out: a trained classifier or tagger as its user sees it."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import numpy as np

from seqjax.data.coding import PairCoder
from seqjax.predict.answer import EMPTY, Answer, Request, silent
from seqjax.predict.room import height, padded
from seqjax.predict.voices import Weights
from seqjax.train.compiled import AnnounceFn, Compiled
from seqjax.types import Padded, Parameters

SayFn = Callable[[Parameters, Padded], Any]
"""`(weights, sources) -> what is said of them`, arrays that lead with the sources."""


class _Sayer:
    """Asks a model about texts of like length together.

    What is said of a text never depends on the texts beside it.
    """

    def __init__(self, say_fn: SayFn, coder: PairCoder, batch_size: int, max_source: int, announce):
        def label(params, source) -> str:
            rows, time = source.values.shape[:2]
            return f"answers, {rows} x {time} source steps"

        self._say = Compiled(say_fn, announce, label)
        self._coder, self._batch_size, self._max_source = coder, batch_size, max_source

    def __call__(
        self, weights: Weights, requests: Sequence[str | Request]
    ) -> Iterator[tuple[int, int, Any]]:
        """Yields number, length and what is said, of each text that has tokens."""
        texts = [request if isinstance(request, str) else request.text for request in requests]
        rows = [self._coder.source_ids(text)[: self._max_source] for text in texts]
        order = sorted((n for n in range(len(rows)) if len(rows[n])), key=lambda n: len(rows[n]))
        size = height(len(order), self._batch_size, width=1)
        for start in range(0, len(order), size):
            numbers = order[start : start + size]
            source = padded([rows[n] for n in numbers], size, self._coder.source.pad_id)
            said = jax.device_get(self._say(weights.members[0], source))
            for row, number in enumerate(numbers):
                yield number, len(rows[number]), jax.tree.map(lambda leaf, r=row: leaf[r], said)


class Labeller:
    """Gives the most probable labels of a text, each with its log-probability."""

    def __init__(
        self,
        log_probs_fn: SayFn,
        coder: PairCoder,
        *,
        n_best: int,
        batch_size: int,
        max_source: int,
        announce: AnnounceFn = silent,
    ):
        """Args:
        log_probs_fn: Gives `[batch, classes]`, in nats.
        coder: What texts are to the model.
        n_best: Labels of each text.
        batch_size: Texts at a time.
        max_source: Longer ones are cut there.
        announce: Told of compilations.
        """
        self._sayer = _Sayer(log_probs_fn, coder, batch_size, max_source, announce)
        self._names, self._n_best = coder.target.tokens, n_best

    def __call__(
        self, weights: Weights, requests: Sequence[str | Request], *, first: int = 0
    ) -> list[list[Answer]]:
        """Returns the labels of each text, the most probable first; see `AnswerFn`."""
        answers: list[list[Answer]] = [[EMPTY] for _ in requests]
        for number, _, log_probs in self._sayer(weights, requests):
            order = np.argsort(-log_probs, kind="stable")[: self._n_best].tolist()
            answers[number] = [self._answer(one, float(log_probs[one])) for one in order]
        return answers

    def _answer(self, one: int, log_prob: float) -> Answer:
        name = self._names[one]
        return Answer(name, (name,), log_prob, log_prob, True)


class Tagging:
    """Gives the tags of the tokens of a text."""

    def __init__(
        self,
        tags_fn: SayFn,
        coder: PairCoder,
        *,
        batch_size: int,
        max_source: int,
        announce: AnnounceFn = silent,
    ):
        """Args:
        tags_fn: Gives `[batch, time]` tags, and `[batch]` what they are worth, in nats.
        coder: What texts are to the model.
        batch_size, max_source, announce: As of `Labeller`.
        """
        self._sayer = _Sayer(tags_fn, coder, batch_size, max_source, announce)
        self._target = coder.target

    def __call__(
        self, weights: Weights, requests: Sequence[str | Request], *, first: int = 0
    ) -> list[list[Answer]]:
        """Returns one answer to each text: a tag for every token; see `AnswerFn`."""
        answers: list[list[Answer]] = [[EMPTY] for _ in requests]
        for number, length, (tags, log_prob) in self._sayer(weights, requests):
            tokens = self._target.tokens_of(tags[:length].tolist())
            worth = float(log_prob)
            answers[number] = [Answer(self._target.join(tokens), tuple(tokens), worth, worth, True)]
        return answers

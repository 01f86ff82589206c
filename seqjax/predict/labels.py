"""Sources in, labels, tags or numbers out: what reads a whole source, as its user sees it."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import numpy as np

from seqjax.data.coding import PairCoder
from seqjax.data.figures import Figures
from seqjax.decode.protocol import Hypotheses
from seqjax.predict.answer import EMPTY, Answer, Request, silent
from seqjax.predict.room import height, padded
from seqjax.predict.voices import Weights
from seqjax.train.compiled import AnnounceFn, Compiled
from seqjax.types import Padded

SayFn = Callable[[Weights, Padded], Any]
"""`(weights, sources) -> what is said of them`: arrays that lead with the sources."""


class Sayer:
    """Asks a model about sources of like length together.

    What is said of a source never depends on those beside it.
    """

    def __init__(
        self,
        say_fn: SayFn,
        coder: PairCoder,
        *,
        batch_size: int,
        announce: AnnounceFn = silent,
    ):
        """Args:
        say_fn: See `SayFn`.
        coder: What sources are to the model.
        batch_size: Sources at a time.
        announce: Told of compilations.
        """

        def label(weights, source) -> str:
            rows, time = source.values.shape[:2]
            return f"answers, {rows} x {time} source steps"

        self._say = Compiled(say_fn, announce, label)
        self._coder, self._batch_size = coder, batch_size

    def __call__(
        self, weights: Weights, requests: Sequence[str | Request]
    ) -> Iterator[tuple[int, int, Any]]:
        """Yields number, length and what is said, of each source that has steps."""
        texts = [request if isinstance(request, str) else request.text for request in requests]
        rows = [self._coder.source_ids(text) if text.strip() else () for text in texts]
        order = sorted((n for n in range(len(rows)) if len(rows[n])), key=lambda n: len(rows[n]))
        size = height(len(order), self._batch_size, width=1)
        for start in range(0, len(order), size):
            numbers = order[start : start + size]
            source = padded([rows[n] for n in numbers], size, self._coder.source.pad_id)
            said = jax.device_get(self._say(weights, source))
            for row, number in enumerate(numbers):
                yield number, len(rows[number]), jax.tree.map(lambda leaf, r=row: leaf[r], said)


class Labeller:
    """Gives the most probable labels of a source, each with its log-probability."""

    def __init__(self, sayer: Sayer, names: Sequence[str]):
        """Args:
        sayer: Says `[batch, classes]` log-probabilities, in nats.
        names: Of the classes.
        """
        self._sayer, self._names = sayer, names

    def __call__(
        self, weights: Weights, requests: Sequence[str | Request], *, first: int = 0
    ) -> list[list[Answer]]:
        """Returns all labels of each source, the most probable first; see `AnswerFn`."""
        answers: list[list[Answer]] = [[EMPTY] for _ in requests]
        for number, _, log_probs in self._sayer(weights, requests):
            order = np.argsort(-log_probs, kind="stable").tolist()
            answers[number] = [self._answer(one, float(log_probs[one])) for one in order]
        return answers

    def _answer(self, one: int, log_prob: float) -> Answer:
        name = self._names[one]
        return Answer(name, (name,), log_prob, log_prob, True)


class Numbers:
    """Gives the number of a source."""

    def __init__(self, sayer: Sayer, figures: Figures):
        """Args:
        sayer: Says `[batch]` numbers, normalised.
        figures: What they mean.
        """
        self._sayer, self._figures = sayer, figures

    def __call__(
        self, weights: Weights, requests: Sequence[str | Request], *, first: int = 0
    ) -> list[list[Answer]]:
        """Returns the number of each source as an answer without a probability; see `AnswerFn`."""
        answers: list[list[Answer]] = [[EMPTY] for _ in requests]
        for place, _, number in self._sayer(weights, requests):
            text = self._figures.decode(float(number))
            answers[place] = [Answer(text, (text,), 0.0, 0.0, True)]
        return answers


class Sequences:
    """Gives sequences of a source: tags of its steps, or what CTC hears in them."""

    def __init__(self, sayer: Sayer, coder: PairCoder):
        """Args:
        sayer: Says `Hypotheses`, without EOS.
        coder: What they mean.
        """
        self._sayer, self._target = sayer, coder.target

    def __call__(
        self, weights: Weights, requests: Sequence[str | Request], *, first: int = 0
    ) -> list[list[Answer]]:
        """Returns the sequences of each source, the best first; see `AnswerFn`."""
        answers: list[list[Answer]] = [[EMPTY] for _ in requests]
        for number, _, found in self._sayer(weights, requests):
            some = [slot for slot in range(len(found.lengths)) if np.isfinite(found.scores[slot])]
            answers[number] = [self._answer(found, slot) for slot in some] or [EMPTY]
        return answers

    def _answer(self, found: Hypotheses, slot: int) -> Answer:
        ids = found.tokens[slot, : found.lengths[slot]].tolist()
        tokens = self._target.tokens_of(ids)
        return Answer(
            self._target.join(tokens),
            tuple(tokens),
            float(found.log_probs[slot]),
            float(found.scores[slot]),
            bool(found.finished[slot]),
        )


class Spellings(Sequences):
    """Gives texts that several sequences may spell: their probabilities are added up."""

    def __init__(self, sayer: Sayer, coder: PairCoder, n_best: int):
        """Args:
        sayer, coder: As of `Sequences`.
        n_best: Texts given for each source, at most.
        """
        super().__init__(sayer, coder)
        self._n_best = n_best

    def __call__(
        self, weights: Weights, requests: Sequence[str | Request], *, first: int = 0
    ) -> list[list[Answer]]:
        """Returns the texts of each source, the best first; see `AnswerFn`."""
        found = super().__call__(weights, requests, first=first)
        return [joined(answers)[: self._n_best] for answers in found]


def joined(answers: Sequence[Answer]) -> list[Answer]:
    """Returns the distinct texts among answers, the most probable first.

    Log-probability and score of each are those of all answers with its text together.
    """
    texts: dict[str, Answer] = {}
    for answer in answers:
        one = texts.get(answer.text)
        total = answer.log_prob
        if one is not None:
            total = float(np.logaddexp(one.log_prob, total))
        texts[answer.text] = (one or answer)._replace(log_prob=total, score=total)
    return sorted(texts.values(), key=lambda answer: -answer.score)

"""What comes back from a model, and what is asked of it."""

import contextlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np

from seqjax.data.vocabulary import Vocabulary
from seqjax.decode.protocol import Hypotheses


class Request(NamedTuple):
    """What is asked about one source text.

    Attributes:
      text: The source.
      prefix: What the answer must begin with.
      required: Phrases that it must hold.
    """

    text: str
    prefix: str = ""
    required: tuple[str, ...] = ()


class Answer(NamedTuple):
    """One answer to one input.

    Attributes:
      text: As a user reads it.
      tokens: What it is made of, EOS not among them.
      log_prob: Of all tokens, in nats, EOS included.
      score: What answers to the same input are ranked by; see `Hypotheses.scores`.
      finished: False if the answer was cut at its maximal length.
    """

    text: str
    tokens: tuple[str, ...]
    log_prob: float
    score: float
    finished: bool


@runtime_checkable
class AnswerFn(Protocol):
    """What a trained model is to its user."""

    def __call__(
        self, weights: Any, requests: Sequence[str | Request], *, first: int = 0
    ) -> list[list[Answer]]:
        """Returns the n best answers to each request, best first.

        Args:
          weights: `Weights` of the models that answer.
          requests: Source texts, or these with what their answers must hold.
          first: Number of the first one, where these are a part of something longer.
        """
        ...


@runtime_checkable
class ContinueFn(Protocol):
    """What goes on from the beginning of something."""

    def __call__(self, weights: Any, prompts: Sequence[str], /) -> list[list[Answer]]:
        """Returns the n best continuations of each beginning (which may be empty), best first."""
        ...

    def joined(self, prompt: str, answer: Answer) -> str:
        """Returns a beginning and its continuation as one."""
        ...


EMPTY = Answer("", (), 0.0, 0.0, True)
"""The answer to an empty input: nothing, and the model is not asked."""


def silent(what: str) -> AbstractContextManager:
    """Announces nothing."""
    del what
    return contextlib.nullcontext()


def answers_of(
    hypotheses: Hypotheses,
    vocabulary: Vocabulary,
    tokens_of: Callable[[list[int], int], list[str]],
) -> list[Answer]:
    """Returns the answers to one input, in words.

    Slots without a hypothesis are left out; there is one answer at least.

    Args:
      hypotheses: Of one sentence, without the leading `batch`.
      vocabulary: Joins tokens to texts.
      tokens_of: `(ids without EOS, number of the answer) -> tokens`.
    """
    answers = []
    for slot in range(hypotheses.tokens.shape[0]):
        if slot and not np.isfinite(hypotheses.log_probs[slot]):
            continue
        finished = bool(hypotheses.finished[slot])
        ids = hypotheses.tokens[slot, : hypotheses.lengths[slot] - finished].tolist()
        tokens = tokens_of(ids, slot)
        answers.append(
            Answer(
                text=vocabulary.join(tokens),
                tokens=tuple(tokens),
                log_prob=float(hypotheses.log_probs[slot]),
                score=float(hypotheses.scores[slot]),
                finished=finished,
            )
        )
    return answers

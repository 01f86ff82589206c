"""A trained model as its user sees it: text in, answers out."""

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import jax
import numpy as np

from seqjax.build.search import (
    Symbols,
    build_search,
    language_step_fn,
    read_prompt,
    seq2seq_step_fn,
)
from seqjax.config import DecodeConfig
from seqjax.data.batching import pad
from seqjax.data.coding import PairCoder
from seqjax.data.vocabulary import Vocabulary
from seqjax.decode.protocol import Hypotheses
from seqjax.models.language_model import LanguageModel
from seqjax.models.seq2seq import Seq2Seq
from seqjax.train.compiled import AnnounceFn, Compiled
from seqjax.types import Padded, Parameters


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


EMPTY = Answer("", (), 0.0, 0.0, True)
"""The answer to an empty input: nothing, and the model is not asked."""


def silent(what: str) -> AbstractContextManager:
    """Announces nothing."""
    del what
    return contextlib.nullcontext()


class Answerer:
    """Answers source texts with a trained encoder-decoder.

    What a text is answered never depends on the texts beside it: every one has its own length
    limit, and sampling draws from a key of its own.
    """

    def __init__(
        self,
        model: Seq2Seq,
        coder: PairCoder,
        config: DecodeConfig,
        *,
        longest_target: int,
        max_source: int,
        announce: AnnounceFn = silent,
    ):
        """Args:
        model: What was trained.
        coder: What texts are to it.
        config: How to search.
        longest_target: Tokens of the longest training target, EOS included.
        max_source: Longer sources are cut there.
        announce: Told of compilations.
        """
        self.config = config
        self.max_source = max_source
        self._longest_target = longest_target
        self._coder = coder
        symbols = Symbols(coder.target.bos_id, coder.target.eos_id, coder.target.pad_id)
        search = build_search(config, symbols, forbidden=(symbols.bos_id, symbols.pad_id))

        def answer(params: Parameters, source: Padded, limits, keys) -> Hypotheses:
            variables = {"params": params}
            encoded: Any = model.apply(variables, source, method="encode")
            state, memory = encoded
            return search(
                seq2seq_step_fn(model, params, memory, most_source=_rounded(max_source)),
                state,
                max_length=int(self._limit(source.values.shape[1])),
                limits=limits,
                keys=keys,
            )

        def label(params, source, limits, keys) -> str:
            rows, time = source.values.shape[:2]
            return f"{config.method} search, {rows} x {time} source tokens"

        self._answer = Compiled(answer, announce, label)

    def __call__(
        self, params: Parameters, texts: Sequence[str], *, seed: int = 0, first: int = 0
    ) -> list[list[Answer]]:
        """Returns the n best answers to each text, best first.

        Args:
          params: The model's weights.
          texts: Source texts; an empty one (or one without tokens) is answered by nothing.
          seed: Of sampling.
          first: Number of the first text, where these are a part of something longer: text n draws
            from a key of (seed, first + n).
        """
        answers: list[list[Answer]] = [[EMPTY] for _ in texts]
        for indices, batch in self.batches(params, texts, seed=seed, first=first):
            for index, answer in zip(indices, batch, strict=True):
                answers[index] = answer
        return answers

    def encode(self, text: str) -> np.ndarray:
        """Returns the ids of a source text, not cut yet."""
        return self._coder.source_ids(text)

    def batches(
        self, params: Parameters, texts: Sequence[str], *, seed: int = 0, first: int = 0
    ) -> Iterator[tuple[list[int], list[list[Answer]]]]:
        """Yields `(indices into texts, their answers)`, texts of like length together."""
        sources = [self.encode(text)[: self.max_source] for text in texts]
        asked = sorted(
            (i for i, source in enumerate(sources) if len(source)), key=lambda i: len(sources[i])
        )
        for start in range(0, len(asked), self.config.batch_size):
            indices = asked[start : start + self.config.batch_size]
            padded = _padded(
                [sources[i] for i in indices], self.config.batch_size, self._coder.source.pad_id
            )
            limits = np.where(padded.lengths > 0, self._limit(padded.lengths), 1)
            keys = _row_keys(seed, [first + i for i in indices], len(padded.lengths))
            hypotheses = jax.device_get(self._answer(params, padded, limits, keys))
            yield (
                indices,
                [self._answers(hypotheses, row, texts[i]) for row, i in enumerate(indices)],
            )

    def _answers(self, hypotheses: Hypotheses, row: int, text: str) -> list[Answer]:
        said = lambda ids: self._coder.said(ids, text)
        return _answers(self._coder.target, said, hypotheses, row)

    def _limit(self, source_lengths):
        if self.config.max_length is not None:
            return np.full_like(source_lengths, self.config.max_length)
        return np.maximum(self._longest_target, 2 * source_lengths).astype(np.int32) + 10


class Continuer:
    """Continues prompts with a trained language model."""

    def __init__(
        self,
        model: LanguageModel,
        vocabulary: Vocabulary,
        config: DecodeConfig,
        *,
        announce: AnnounceFn = silent,
    ):
        """Args:
        model: What was trained.
        vocabulary: Its tokens.
        config: How to search; `max_length` tokens are written, 200 by default.
        announce: Told of compilations.
        """
        self.config = config
        self._vocabulary = vocabulary
        symbols = Symbols(vocabulary.bos_id, vocabulary.eos_id, vocabulary.pad_id)
        never = (symbols.bos_id, symbols.pad_id, vocabulary.unk_id)
        search = build_search(config, symbols, forbidden=never)
        self._max_length = config.max_length or 200

        def go_on(params: Parameters, prompt: Padded, limits, keys) -> Hypotheses:
            return search(
                language_step_fn(model, params),
                read_prompt(model, params, prompt),
                max_length=self._max_length,
                limits=limits,
                keys=keys,
            )

        def label(params, prompt, limits, keys) -> str:
            return f"{config.method} search after {prompt.values.shape[1]} prompt tokens"

        self._go_on = Compiled(go_on, announce, label)

    def joined(self, prompt: str, answer: Answer) -> str:
        """Returns the prompt and its continuation as one text."""
        if self._vocabulary.kind == "chars":
            return prompt + answer.text
        return self._vocabulary.join([*self._vocabulary.cut(prompt), *answer.tokens])

    def __call__(
        self, params: Parameters, prompts: Sequence[str], *, seed: int = 0
    ) -> list[list[Answer]]:
        """Returns `n_best` continuations of each prompt (which may be empty), best first."""
        bos = self._vocabulary.bos_id
        tokens = [[bos, *self._vocabulary.encode(prompt)] for prompt in prompts]
        size = self.config.batch_size
        answers = []
        for start in range(0, len(tokens), size):
            part = tokens[start : start + size]
            padded = _padded(part, size, self._vocabulary.pad_id)
            limits = np.where(padded.lengths > 0, self._max_length, 1).astype(np.int32)
            padded = padded._replace(lengths=np.maximum(padded.lengths, 1))
            keys = _row_keys(seed, range(start, start + len(part)), len(padded.lengths))
            hypotheses = jax.device_get(self._go_on(params, padded, limits, keys))
            said = self._vocabulary.tokens_of
            answers += [
                _answers(self._vocabulary, said, hypotheses, row) for row in range(len(part))
            ]
        return answers


def _padded(rows: Sequence[Any], batch_size: int, pad_id: int) -> Padded:
    """Rounds both axes up to few sizes, so that few shapes are compiled."""
    height = batch_size if len(rows) > 8 else min(batch_size, 1 if len(rows) == 1 else 8)
    return pad(rows, height, _rounded(max(map(len, rows))), pad_id)


def _rounded(length: int) -> int:
    step = 8 if length <= 64 else 64 if length <= 512 else 512
    return math.ceil(length / step) * step


def _row_keys(seed: int, numbers: Sequence[int], rows: int):
    padded = np.zeros(rows, np.uint32)
    padded[: len(numbers)] = numbers
    return jax.vmap(jax.random.fold_in, (None, 0))(jax.random.key(seed), padded)


def _answers(
    vocabulary: Vocabulary,
    tokens_of: Callable[[list[int]], list[str]],
    hypotheses: Hypotheses,
    row: int,
) -> list[Answer]:
    """Slots without a hypothesis are left out; there is one answer at least."""
    answers = []
    for slot in range(hypotheses.tokens.shape[1]):
        if slot and not np.isfinite(hypotheses.log_probs[row, slot]):
            continue
        finished = bool(hypotheses.finished[row, slot])
        ids = hypotheses.tokens[row, slot, : hypotheses.lengths[row, slot] - finished].tolist()
        tokens = tokens_of(ids)
        answers.append(
            Answer(
                text=vocabulary.join(tokens),
                tokens=tuple(tokens),
                log_prob=float(hypotheses.log_probs[row, slot]),
                score=float(hypotheses.scores[row, slot]),
                finished=finished,
            )
        )
    return answers

"""A text and how it goes on: a trained language model as its user sees it."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from seqjax.build.search import Asked, Rules, build_search
from seqjax.build.stepping import language_step_fn, read_prompt, unread
from seqjax.config import DecodeConfig
from seqjax.data.vocabulary import Vocabulary
from seqjax.decode.force import force
from seqjax.decode.protocol import Hypotheses
from seqjax.models.language_model import LanguageModel
from seqjax.predict.answer import Answer, answers_of, silent
from seqjax.predict.room import height, padded, row_keys
from seqjax.train.compiled import AnnounceFn, Compiled
from seqjax.types import Padded, Parameters

MOST = 200
"""Tokens that are written where nothing else is said."""


def line_start(vocabulary: Vocabulary) -> int:
    """Returns what a language model reads before the first token of a line."""
    return vocabulary.ids.get("\n", vocabulary.bos_id)


def line_end(vocabulary: Vocabulary) -> int:
    """Returns what a language model says after the last token of a line."""
    return vocabulary.ids.get("\n", vocabulary.eos_id)


def joined(vocabulary: Vocabulary, prompt: str, answer: Answer) -> str:
    """Returns a prompt and its continuation as one text."""
    if vocabulary.kind == "chars":
        return prompt + answer.text
    return vocabulary.join([*vocabulary.cut(prompt), *answer.tokens])


class Continuer:
    """Continues prompts with a trained language model."""

    def __init__(
        self,
        model: LanguageModel,
        vocabulary: Vocabulary,
        config: DecodeConfig,
        rules: Rules,
        *,
        announce: AnnounceFn = silent,
    ):
        """Args:
        model: What was trained.
        vocabulary: Its tokens.
        config: How to search; `max_length` tokens are written, 200 by default.
        rules: Ids that the search must know.
        announce: Told of compilations.
        """
        self.config, self._vocabulary = config, vocabulary
        self._max_length = config.max_length or MOST
        search = build_search(config, rules, lambda params, asked: language_step_fn(model, params))

        def go_on(params: Parameters, prompt: Padded, asked: Asked) -> Hypotheses:
            work = search.begin_fn(read_prompt(model, params, prompt), asked, self._max_length)
            return search.finish_fn(search.go_on_fn(params, work, None))

        def label(params, prompt, asked) -> str:
            return f"{config.method} search after {prompt.values.shape[1]} prompt tokens"

        def score(params: Parameters, lines: Padded) -> Float[Array, " rows"]:
            state = unread(model, line_start(vocabulary), lines.lengths.shape[0])
            step_fn = language_step_fn(model, params)
            said = force(step_fn, state, *lines, bos_id=vocabulary.bos_id).log_probs
            return jnp.sum(said, axis=1) / jnp.maximum(lines.lengths, 1)

        self._go_on = Compiled(go_on, announce, label)
        self._score = Compiled(score, announce, lambda params, lines: "scoring of lines")

    def joined(self, prompt: str, answer: Answer) -> str:
        """Returns the prompt and its continuation as one text."""
        return joined(self._vocabulary, prompt, answer)

    def __call__(self, params: Parameters, prompts: Sequence[str]) -> list[list[Answer]]:
        """Returns `n_best` continuations of each prompt (which may be empty), best first."""
        tokens = [[self._vocabulary.bos_id, *self._vocabulary.encode(prompt)] for prompt in prompts]
        size = height(len(tokens), self.config.batch_size, self.config.n_best)
        answers = []
        for start in range(0, len(tokens), size):
            part = tokens[start : start + size]
            prompt = padded(part, size, self._vocabulary.pad_id)
            asked = Asked(
                memory=(),
                limits=np.where(prompt.lengths > 0, self._max_length, 0).astype(np.int32),
                keys=row_keys(self.config.seed, range(start, start + len(part)), size),
            )
            prompt = prompt._replace(lengths=np.maximum(prompt.lengths, 1))
            found = jax.device_get(self._go_on(params, prompt, asked))
            answers += [
                answers_of(
                    jax.tree.map(lambda leaf, row=row: leaf[row], found),
                    self._vocabulary,
                    lambda ids, slot: self._vocabulary.tokens_of(ids),
                )
                for row in range(len(part))
            ]
        return answers

    def score(self, params: Parameters, lines: Sequence[str]) -> list[float]:
        """Returns the mean log-probability per token of each line, its end counted (nats)."""
        tokens = [[*self._vocabulary.encode(line), line_end(self._vocabulary)] for line in lines]
        size = height(len(tokens), self.config.batch_size, width=1)
        scores: list[float] = []
        for start in range(0, len(tokens), size):
            part = padded(tokens[start : start + size], size, self._vocabulary.pad_id)
            scores += np.asarray(self._score(params, part)).tolist()
        return scores[: len(lines)]

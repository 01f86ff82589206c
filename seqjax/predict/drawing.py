"""A text and how it goes on, by draws from an n-gram model."""

from collections.abc import Sequence

import numpy as np

from seqjax.baselines.ngram import NGramModel
from seqjax.config import DecodeConfig
from seqjax.data.vocabulary import Vocabulary
from seqjax.predict.answer import Answer
from seqjax.predict.continuer import MOST, joined


class Drawer:
    """Continues prompts with an n-gram model; what a `Continuer` is of a network."""

    def __init__(self, vocabulary: Vocabulary, config: DecodeConfig):
        """Args:
        vocabulary: Of the model.
        config: How to draw: `n_best`, `seed`, `temperature`, and `max_length` (200 by default).
        """
        self._vocabulary, self._config = vocabulary, config

    def joined(self, prompt: str, answer: Answer) -> str:
        """Returns the prompt and its continuation as one text."""
        return joined(self._vocabulary, prompt, answer)

    def __call__(self, model: NGramModel, prompts: Sequence[str]) -> list[list[Answer]]:
        """Returns `n_best` continuations of each prompt (which may be empty), the likeliest first.

        A prompt's draws depend on the seed, its number and theirs, and on nothing else. What a
        running text never holds is not drawn: padding, beginning, end, unknown tokens.
        """
        return [
            sorted(
                (self._draw(model, prompt, [number, copy]) for copy in range(self._config.n_best)),
                key=lambda answer: -answer.score,
            )
            for number, prompt in enumerate(prompts)
        ]

    def _draw(self, model: NGramModel, prompt: str, place: list[int]) -> Answer:
        config, vocabulary = self._config, self._vocabulary
        context = np.array(vocabulary.encode(prompt), np.int64)
        (seed,) = np.random.SeedSequence([config.seed, *place]).generate_state(1)
        ids = model.sample(
            config.max_length or MOST,
            seed=int(seed),
            context=context,
            temperature=config.temperature,
            never=range(vocabulary.specials),
        )
        log_prob = float(model.log_probs(ids, context).sum())
        tokens = vocabulary.tokens_of(ids.tolist())
        return Answer(vocabulary.join(tokens), tuple(tokens), log_prob, log_prob, False)

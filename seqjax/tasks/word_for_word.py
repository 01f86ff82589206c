"""A lexicon with an n-gram model of the target, in place of an encoder and a decoder."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from seqjax.baselines.lexicon import Lexicon
from seqjax.baselines.translator import WordTranslator, train_translator
from seqjax.data.readers import Pairs
from seqjax.predict.answer import Answer
from seqjax.tasks.arrays import Arrays, array, check_names, check_within, from_words, to_words
from seqjax.tasks.baseline import Material, answers_to
from seqjax.tasks.counted import ROUNDING, checked_ngrams
from seqjax.tasks.plain import pair_material
from seqjax.tasks.task import Vocabularies
from seqjax.tasks.text_to_text import TextToText

ARRAYS = ("source_ids", "target_ids", "probs")
"""What is kept of a lexicon."""


@dataclasses.dataclass(frozen=True)
class WordForWord:
    """IBM Model 1 over the tokens of a network, also those that it does not know; see `Baseline`.

    Attributes:
      task: What is answered.
    """

    task: TextToText

    def material(self) -> Material:
        """Reads pairs; see `Baseline`."""
        return pair_material(self.task)

    def fit(self, material: Material) -> Arrays:
        """Learns lexicons of both directions, and the language of targets; see `Baseline`."""
        vocabularies, train = material.data.vocabularies, material.train
        found = train_translator(
            [vocabularies["source"].cut(text) for text in train.sources],
            [vocabularies["target"].cut(text) for text in train.targets],
            order=self.task.config.model.ngram_order,
        )
        return {
            "source_words": from_words(found.source_ids),
            "target_words": from_words(found.target_words),
            "forward": _from_lexicon(found.forward),
            "reverse": _from_lexicon(found.reverse),
            "language": dict(found.language.to_arrays()),
        }

    def model(self, arrays: Arrays, vocabularies: Vocabularies) -> WordTranslator:
        """Returns the translator; see `Baseline`."""
        check_names(arrays, ("source_words", "target_words", "forward", "reverse", "language"))
        sources, targets = (to_words(arrays, f"{side}_words") for side in ("source", "target"))
        if not sources or not targets or targets[0]:
            raise ValueError("there must be source words and target words, the first of them empty")
        order = self.task.config.model.ngram_order
        return WordTranslator(
            {word: number for number, word in enumerate(sources)},
            targets,
            _to_lexicon(arrays, "forward", len(sources), len(targets)),
            _to_lexicon(arrays, "reverse", len(targets), len(sources)),
            checked_ngrams(arrays["language"], order, len(targets)),
        )

    def likelihood(
        self, model: WordTranslator, examples: Pairs, vocabularies: Vocabularies
    ) -> dict[str, float]:
        """Its scores are no probabilities of targets; see `Baseline`."""
        return {}

    def answers(
        self, model: WordTranslator, texts: Sequence[str], vocabularies: Vocabularies
    ) -> list[list[Answer]]:
        """Returns the one answer to each text; see `Baseline`."""
        source, target = vocabularies["source"], vocabularies["target"]

        def say(some: list[str]) -> list[list[Answer]]:
            found = [tuple(model.translate(source.cut(text))) for text in some]
            return [[Answer(target.join(words), words, 0.0, 0.0, True)] for words in found]

        return answers_to(texts, say)


def _from_lexicon(lexicon: Lexicon) -> Arrays:
    return {name: getattr(lexicon, name) for name in ARRAYS}


def _to_lexicon(arrays: Arrays, name: str, source_size: int, target_size: int) -> Lexicon:
    stored = arrays[name]
    check_names(stored, ARRAYS, name)
    sources = array(stored, "source_ids", np.int64, (None,))
    targets = array(stored, "target_ids", np.int64, sources.shape)
    probs = array(stored, "probs", np.float64, sources.shape)
    check_within("source_ids", sources, 0, source_size)
    check_within("target_ids", targets, 0, target_size - 1)
    check_within("probs", probs, 0.0, 1 + ROUNDING)
    places = sources * target_size + targets
    if (places[1:] <= places[:-1]).any():
        raise ValueError(f"{name} must ascend")
    return Lexicon(sources, targets, probs, source_size, log_likelihoods=())

"""N-grams in place of a network that models language."""

import dataclasses
from typing import Any

import numpy as np

from seqjax.baselines.ngram import NGramModel, from_arrays, train_ngram
from seqjax.baselines.smoothing import Order
from seqjax.config import DecodeConfig
from seqjax.metrics.likelihood import likelihood_scores
from seqjax.predict.drawing import Drawer
from seqjax.tasks.arrays import Arrays, array, check_names, check_within, whole
from seqjax.tasks.baseline import Material
from seqjax.tasks.language_model import LanguageModeling
from seqjax.tasks.task import Vocabularies

ROUNDING = 1e-9
"""By which a share may be above 1."""


@dataclasses.dataclass(frozen=True)
class NGrams:
    """Modified Kneser-Ney over the tokens of a network; see `Baseline`.

    Attributes:
      task: The language-model task.
    """

    task: LanguageModeling

    def material(self) -> Material:
        """Returns the tokens that a network would learn; see `Baseline`."""
        data = self.task.data()
        feed: Any = data.feed
        return Material(data, feed.tokens)

    def fit(self, material: Material) -> Arrays:
        """Counts the text as one sequence; see `Baseline`."""
        size = len(material.data.vocabularies["text"])
        order = self.task.config.model.ngram_order
        return dict(train_ngram([material.train], order=order, vocab_size=size).to_arrays())

    def model(self, arrays: Arrays, vocabularies: Vocabularies) -> NGramModel:
        """Returns the model of these arrays; see `Baseline`."""
        order = self.task.config.model.ngram_order
        return checked_ngrams(arrays, order, len(vocabularies["text"]))

    def likelihood(
        self, model: NGramModel, examples: str, vocabularies: Vocabularies
    ) -> dict[str, float]:
        """Returns the likelihood of every token of a text, from its beginning; see `Baseline`."""
        tokens = np.array(vocabularies["text"].encode(examples), np.int64)
        return likelihood_scores(float(-model.log_probs(tokens).mean()), len(tokens))

    def drawer(self, decode: DecodeConfig, vocabularies: Vocabularies) -> Drawer:
        """Returns what draws how a text goes on; see `ContinuingBaseline`."""
        return Drawer(vocabularies["text"], decode)


def checked_ngrams(arrays: Arrays, order: int, vocab_size: int) -> NGramModel:
    """Returns the n-gram model of arrays that anybody may have written.

    Args:
      arrays: As `NGramModel.to_arrays` gives them.
      order: That it must have.
      vocab_size: Likewise.

    Raises:
      ValueError: If an array is missing, has another dtype or shape, or could not have been
        counted: n-grams out of order or of unknown beginning, shares outside [0, 1].
    """
    lengths = range(1, order + 1)
    check_names(
        arrays, ["vocab_size", *(f"{n}.{field}" for n in lengths for field in Order._fields)]
    )
    whole(arrays, "vocab_size", vocab_size, vocab_size)
    base, contexts = vocab_size + 1, 1
    for length in lengths:
        names = [f"{length}.{field}" for field in Order._fields]
        keys = array(arrays, names[0], np.int64, (base if length == 1 else None,))
        gains = array(arrays, names[1], np.float64, (len(keys),))
        backoffs = array(arrays, names[2], np.float64, (contexts,))
        check_within(names[0], keys, 0, contexts * base - 1)
        if (keys[1:] <= keys[:-1]).any():
            raise ValueError(f"{names[0]} must ascend")
        check_within(names[1], gains, 0.0, 1 + ROUNDING)
        check_within(names[2], backoffs, np.finfo(np.float64).tiny, 1 + ROUNDING)
        contexts = len(keys)
    return from_arrays(arrays)

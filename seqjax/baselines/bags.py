"""Bags of words and of characters, weighed by TF-IDF, with logistic regression."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from seqjax.errors import InputError


class Recipe(NamedTuple):
    """How a text becomes numbers, and how strongly weights are held back.

    Attributes:
      words: The longest runs of words that are counted; 0 counts none.
      characters: The longest runs of characters, of 2 or more and within words; 0 counts none.
      inverse_penalty: Scikit-learn's C, the inverse of the weight of the squared norm.
    """

    words: int = 2
    characters: int = 0
    inverse_penalty: float = 1.0


GRID = tuple(
    Recipe(words, characters, inverse_penalty)
    for words, characters in ((1, 0), (2, 0), (2, 5))
    for inverse_penalty in (0.3, 1.0, 3.0, 10.0, 30.0)
)
"""What is tried on validation data."""


class Bag(NamedTuple):
    """One kind of runs.

    Attributes:
      analyzer: `words` or `characters`.
      longest: Of its runs.
      runs: Those of training, sorted.
      inverse_frequencies: `[runs]` how much each is worth.
    """

    analyzer: str
    longest: int
    runs: tuple[str, ...]
    inverse_frequencies: np.ndarray


class BagModel(NamedTuple):
    """A trained classifier of texts: data alone, fit for a file.

    Attributes:
      labels: Those seen in training, sorted.
      recipe: Which was best on validation.
      valid_accuracy: Its share of right answers there.
      bags: Of words, of characters, or both.
      kernel: `[features, labels]`, the features of all bags one behind the other.
      bias: `[labels]`.
    """

    labels: tuple[str, ...]
    recipe: Recipe
    valid_accuracy: float
    bags: tuple[Bag, ...]
    kernel: np.ndarray
    bias: np.ndarray

    def probs(self, texts: Sequence[str]) -> np.ndarray:
        """Returns `[texts, labels]`, the probability of each label, in the order of `labels`."""
        logits = _features(self.bags, texts) @ self.kernel + self.bias
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
        return exponentials / exponentials.sum(axis=1, keepdims=True)

    def answer(self, texts: Sequence[str]) -> list[str]:
        """Returns the most probable label of each text."""
        return [self.labels[best] for best in self.probs(texts).argmax(axis=1)]


def train_bags(
    texts: Sequence[str],
    labels: Sequence[str],
    *,
    valid_texts: Sequence[str],
    valid_labels: Sequence[str],
    grid: Sequence[Recipe] = GRID,
) -> BagModel:
    """Returns the classifier that is best on validation, of a fixed grid of recipes.

    Words stand between spaces, and keep their case: what a tokeniser has done is not done again.
    The count n of a run in a text is damped to `1 + ln n`, times `1 + ln((1 + N) / (1 + N_run))` of
    N texts; rows have length 1, words and characters each for themselves. Nothing is drawn. Of
    recipes that are equally right, the first is kept.

    Args:
      texts: To train on.
      labels: One a text.
      valid_texts: To choose by.
      valid_labels: One a text.
      grid: Recipes to try.

    Raises:
      InputError: If scikit-learn is not installed, or there are not two labels.
    """
    if len(set(labels)) < 2:
        raise InputError(
            f"training labels: all are {labels[0]!r}; give texts of two labels at least"
            if labels
            else "training labels: there are none; give texts of two labels at least"
        )
    if not grid:
        raise ValueError("grid must not be empty")
    models = []
    for words, characters in dict.fromkeys((recipe.words, recipe.characters) for recipe in grid):
        bags = _learn_bags(texts, words, characters)
        train, valid = _features(bags, texts), _features(bags, valid_texts)
        for recipe in (one for one in grid if (one.words, one.characters) == (words, characters)):
            classifier = (
                _scikit_learn()
                .linear_model.LogisticRegression(C=recipe.inverse_penalty, max_iter=1000)
                .fit(train, list(labels))
            )
            accuracy = float(classifier.score(valid, list(valid_labels)))
            kernel, bias = classifier.coef_.T, classifier.intercept_
            if len(classifier.classes_) == 2:  # it keeps the weights of the second label only
                kernel, bias = np.hstack([0 * kernel, kernel]), np.append(0.0, bias)
            known = tuple(str(label) for label in classifier.classes_)
            models.append(BagModel(known, recipe, accuracy, bags, kernel, bias))
    return max(models, key=lambda model: model.valid_accuracy)


def _learn_bags(texts: Sequence[str], words: int, characters: int) -> tuple[Bag, ...]:
    """Returns the runs that there are in texts, with what they are worth."""
    bags = []
    for analyzer, longest in (("words", words), ("characters", characters)):
        if longest:
            counter = _counter(analyzer, longest).fit(texts)
            runs = tuple(str(run) for run in counter.get_feature_names_out())
            bags.append(Bag(analyzer, longest, runs, counter.idf_))
    return tuple(bags)


def _features(bags: Sequence[Bag], texts: Sequence[str]) -> Any:
    """Returns `[texts, features]`, sparse."""
    parts = []
    for bag in bags:
        counter = _counter(bag.analyzer, bag.longest).set_params(vocabulary=bag.runs)
        counter.idf_ = bag.inverse_frequencies
        parts.append(counter.transform(texts))
    return sparse.hstack(parts, format="csr")


def _counter(analyzer: str, longest: int) -> Any:
    counter = _scikit_learn().feature_extraction.text.TfidfVectorizer(
        lowercase=False, sublinear_tf=True
    )
    if analyzer == "words":
        return counter.set_params(tokenizer=str.split, token_pattern=None, ngram_range=(1, longest))
    return counter.set_params(analyzer="char_wb", ngram_range=(min(2, longest), longest))


def _scikit_learn() -> Any:
    """Returns scikit-learn, which not every installation has."""
    try:
        import sklearn.feature_extraction.text
        import sklearn.linear_model
    except ImportError:
        raise InputError(
            "bag_of_words: scikit-learn is not installed; pip install 'seqjax[baselines]'"
        ) from None
    return sklearn

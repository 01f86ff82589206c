"""Answers that need no more than counting or rules: copies, usual targets, rules, majorities."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np

from seqjax.baselines.rules import read_date
from seqjax.baselines.simple import UsualModel, copy_input, train_majority, train_usual
from seqjax.data.embedded.inflection import inflect
from seqjax.data.embedded.numbers import say_number
from seqjax.data.readers import Pairs
from seqjax.metrics.likelihood import likelihood_scores
from seqjax.predict.answer import Answer
from seqjax.tasks.arrays import Arrays, array, check_names, check_within, from_words, to_words
from seqjax.tasks.baseline import Material, answers_to, certain
from seqjax.tasks.classify import Classify
from seqjax.tasks.pairs import PairTask
from seqjax.tasks.task import Vocabularies
from seqjax.tasks.text_to_text import TextToText

TextsFn = Callable[[Sequence[str]], list[str]]
"""`(sources) -> an answer to each`."""
RULES = {"dates": read_date, "numbers": say_number, "inflection": inflect}
"""By built-in data; each answers with nothing what it does not understand."""


def pair_material(task: PairTask) -> Material:
    """Returns the data of a task of pairs, and all pairs of training, the long ones included."""
    splits = task.splits()
    train = splits.train if isinstance(splits.train, Pairs) else Pairs.of(splits.train)
    return Material(task.data_of(splits), train)


def from_usual(model: UsualModel) -> Arrays:
    """Returns usual answers as arrays."""
    return {
        "sources": from_words(model.targets),
        "targets": from_words(model.targets.values()),
        "otherwise": from_words([model.otherwise]),
    }


def to_usual(arrays: Arrays) -> UsualModel:
    """Returns the model that `from_usual` was given.

    Raises:
      ValueError: If they are no such arrays.
    """
    check_names(arrays, ("sources", "targets", "otherwise"))
    sources = to_words(arrays, "sources")
    targets = to_words(arrays, "targets", distinct=False)
    otherwise = to_words(arrays, "otherwise")
    if len(targets) != len(sources) or len(otherwise) != 1:
        raise ValueError("targets must be one a source, and otherwise one")
    return UsualModel(dict(zip(sources, targets, strict=True)), otherwise[0])


@dataclasses.dataclass(frozen=True)
class Plain:
    """Answers texts with texts, each with the one that it has; see `Baseline`.

    Attributes:
      task: What is answered.
      kind: How: `usual` as training most often does, `copy` with the source, `rules` with what a
        date means, or how a number is said.
    """

    task: TextToText
    kind: Literal["usual", "copy", "rules"]

    def material(self) -> Material:
        """Reads pairs; see `Baseline`."""
        return pair_material(self.task)

    def fit(self, material: Material) -> Arrays:
        """Counts targets, if it is to give the usual ones; see `Baseline`."""
        if self.kind != "usual":
            return {}
        return from_usual(train_usual(material.train.sources, material.train.targets))

    def model(self, arrays: Arrays, vocabularies: Vocabularies) -> TextsFn:
        """Returns what gives the answers; see `Baseline`."""
        if self.kind != "usual":
            check_names(arrays, ())
            return copy_input if self.kind == "copy" else self._rules
        return to_usual(arrays).answer

    def _rules(self, texts: Sequence[str]) -> list[str]:
        return list(map(RULES[self.task.config.data.embedded], texts))

    def likelihood(
        self, model: TextsFn, examples: Pairs, vocabularies: Vocabularies
    ) -> dict[str, float]:
        """Nothing here has a probability; see `Baseline`."""
        return {}

    def answers(
        self, model: TextsFn, texts: Sequence[str], vocabularies: Vocabularies
    ) -> list[list[Answer]]:
        """Returns the one answer to each text; see `Baseline`."""
        target = vocabularies["target"]
        return answers_to(texts, lambda some: [[certain(answer, target)] for answer in model(some)])


ProbsFn = Callable[[Sequence[str]], np.ndarray]
"""`(texts) -> [texts, labels]`, the probability of each label in the order of the vocabulary."""


@dataclasses.dataclass(frozen=True)
class Labels:
    """All that baselines share which give labels their probabilities; see `Baseline`.

    Attributes:
      task: Classification.
    """

    task: Classify

    def material(self) -> Material:
        """Reads texts and labels; see `Baseline`."""
        return pair_material(self.task)

    def likelihood(
        self, model: ProbsFn, examples: Pairs, vocabularies: Vocabularies
    ) -> dict[str, float]:
        """Returns the likelihood of the right labels, each of which is a token; see `Baseline`."""
        ids = [vocabularies["target"].ids[label] for label in examples.targets]
        said = _logs(model(examples.sources))[np.arange(len(ids)), ids]
        return likelihood_scores(float(-said.mean()), len(ids))

    def answers(
        self, model: ProbsFn, texts: Sequence[str], vocabularies: Vocabularies
    ) -> list[list[Answer]]:
        """Returns all labels of each text, the most probable first; see `Baseline`."""
        names = vocabularies["target"].tokens

        def say(some: list[str]) -> list[list[Answer]]:
            if not some:
                return []
            return [
                [
                    Answer(names[one], (names[one],), row[one], row[one], True)
                    for one in np.argsort(-np.array(row), kind="stable").tolist()
                ]
                for row in _logs(model(some)).tolist()
            ]

        return answers_to(texts, say)


def _logs(probs: np.ndarray) -> np.ndarray:
    """Returns log-probabilities that JSON can hold."""
    return np.log(np.maximum(probs, np.finfo(np.float64).tiny))


@dataclasses.dataclass(frozen=True)
class Majority(Labels):
    """Says of every text how frequent each label is; see `Baseline`."""

    def fit(self, material: Material) -> Arrays:
        """Counts labels; see `Baseline`."""
        probs: Any = train_majority(material.train.targets).probs
        labels = material.data.vocabularies["target"].tokens
        return {"probs": np.array([probs[label] for label in labels], np.float64)}

    def model(self, arrays: Arrays, vocabularies: Vocabularies) -> ProbsFn:
        """Returns what says the same of every text; see `Baseline`."""
        check_names(arrays, ("probs",))
        probs = array(arrays, "probs", np.float64, (len(vocabularies["target"]),))
        check_within("probs", probs, np.finfo(np.float64).tiny, 1.0)
        return lambda texts: np.tile(probs, (len(texts), 1))

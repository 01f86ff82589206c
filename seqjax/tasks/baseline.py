"""What the rest of the house knows of a baseline: a model that is fitted, and not trained."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

from seqjax.config import DecodeConfig
from seqjax.data.figures import Figures
from seqjax.data.vocabulary import Vocabulary
from seqjax.predict.answer import EMPTY, Answer, ContinueFn
from seqjax.tasks.arrays import Arrays
from seqjax.tasks.task import Task, TaskData, Vocabularies


class Material(NamedTuple):
    """What a baseline learns from.

    Attributes:
      data: As a network gets it.
      train: The examples of training themselves: `Pairs`, or `[tokens]` ids of a running text.
    """

    data: TaskData
    train: Any


@runtime_checkable
class Baseline(Protocol):
    """One kind of baseline, for one configuration.

    Attributes:
      task: What it does; data, judgement and metrics are those of the task.
    """

    @property
    def task(self) -> Task: ...

    def material(self) -> Material:
        """Reads or makes the data that the config names.

        Raises:
          InputError: As `Task.data`.
        """
        ...

    def fit(self, material: Material) -> Arrays:
        """Returns all that is learnt.

        Raises:
          InputError: If a package that it takes is not installed, or too little is given.
        """
        ...

    def model(self, arrays: Arrays, vocabularies: Vocabularies) -> Any:
        """Returns what was fitted, from arrays that anybody may have written.

        Raises:
          ValueError: If they are not such as `fit` gives for these vocabularies.
        """
        ...

    def likelihood(self, model: Any, examples: Any, vocabularies: Vocabularies) -> dict[str, float]:
        """Returns what a model makes of examples, as `likelihood_scores`; empty if it has no
        probabilities."""
        ...


@runtime_checkable
class AnsweringBaseline(Baseline, Protocol):
    """A baseline that answers."""

    def answers(
        self, model: Any, texts: Sequence[str], vocabularies: Vocabularies
    ) -> list[list[Answer]]:
        """Returns the answers to each text, best first; see `AnswerFn`."""
        ...


@runtime_checkable
class ContinuingBaseline(Baseline, Protocol):
    """A baseline that goes on from the beginning of something, by draws."""

    def drawer(self, decode: DecodeConfig, vocabularies: Vocabularies) -> ContinueFn:
        """Returns what goes on, and takes what `model` gives as its weights."""
        ...


def answers_to(
    texts: Sequence[str], say_fn: Callable[[list[str]], list[list[Answer]]]
) -> list[list[Answer]]:
    """Returns what is said to each text, and `EMPTY` to those without anything to read."""
    said = iter(say_fn([text for text in texts if text.strip()]))
    return [next(said) if text.strip() else [EMPTY] for text in texts]


def certain(text: str, vocabulary: Vocabulary | Figures) -> Answer:
    """Returns an answer of a model that has no probabilities: its log-probability is 0."""
    return Answer(text, tuple(vocabulary.cut(text)), 0.0, 0.0, True)

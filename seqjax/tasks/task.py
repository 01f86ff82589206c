"""What the rest of the house knows of a task."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple, Protocol, runtime_checkable

import numpy as np

from seqjax.build.learner import Learner
from seqjax.build.teacher import Teacher
from seqjax.config import Config, DecodeConfig
from seqjax.data.readers import Pairs
from seqjax.data.sides import SideKind
from seqjax.predict.answer import Answer, AnswerFn, ContinueFn
from seqjax.predict.labels import Sayer
from seqjax.predict.looking import LookFn
from seqjax.train.compiled import AnnounceFn
from seqjax.train.roles import Feed
from seqjax.types import Batch

Vocabularies = Mapping[str, Any]
"""By side: a `Vocabulary`, or `Frames` where a side has vectors."""


DRAWS = ("n_best", "seed", "temperature", "max_length")
"""Settings of a search that draws without one obey."""


class TaskData(NamedTuple):
    """All that a task needs of its data.

    Attributes:
      vocabularies: By side.
      feed: Training batches.
      valid_batches: Gives the validation batches, in a fixed order.
      valid: The validation examples as text: `Pairs`, or one string.
      test: Examples that neither saw; None if the data has none.
      example: A batch of the smallest shape.
      target_counts: `[ids]`, how often each id is a target in training, EOS included; empty where
        targets are no ids.
      classes: Ids that a target may have.
      statistics: What `inspect` tells about the data, and what must be known of it to use what was
        trained on it; plain JSON.
      summary: The same in a few lines.
    """

    vocabularies: Vocabularies
    feed: Feed
    valid_batches: Callable[[], Iterator[Batch]]
    valid: Any
    test: Any
    example: Batch
    target_counts: np.ndarray
    classes: int
    statistics: dict[str, Any]
    summary: list[str]


class Learnt(NamedTuple):
    """What is known of a model when it is used: all of it but its weights.

    Attributes:
      learner: The model, and what it learns.
      vocabularies: By side.
      statistics: Of what it is trained on.
    """

    learner: Learner
    vocabularies: Vocabularies
    statistics: Mapping[str, Any]


class Decoded(NamedTuple):
    """Answers to a set of examples.

    Attributes:
      sources: Distinct sources, in the order of their first line; of a task in which every line
        counts, all of them.
      references: The accepted answers to each source.
      answers: The n best answers given to each.
      lengths: Steps of each source.
      scores: What the best answers are worth.
    """

    sources: list[str]
    references: list[list[str]]
    answers: list[list[Answer]]
    lengths: list[int]
    scores: dict[str, Any]


class Simple(NamedTuple):
    """What is worth knowing of data before anything is learnt from it.

    Attributes:
      baselines: Scores on the validation data of whoever does as the name says.
      repeated: Share of the validation targets that repeat themselves.
    """

    baselines: Mapping[str, Mapping[str, float]]
    repeated: float = 0.0


ASKED_BY = {
    **dict.fromkeys(("text-to-text", "transcribe", "describe"), "decode"),
    **dict.fromkeys(("classify", "tag", "regress"), "predict"),
    **dict.fromkeys(("language-model", "music"), "generate"),
}
"""The command that runs of a task answer to."""


@runtime_checkable
class Task(Protocol):
    """One kind of thing to learn, for one configuration: all in which tasks differ.

    Attributes:
      config: Of the run.
      kinds: What there is on each side: on `source` and `target`, or in `text`; nothing where what
        there is needs no vocabulary.
      loss_unit: What a loss is told in.
    """

    loss_unit: ClassVar[str]

    @property
    def config(self) -> Config: ...
    @property
    def kinds(self) -> Mapping[str, SideKind]: ...

    def data(self) -> TaskData:
        """Reads or makes the data that the config names.

        Raises:
          InputError: If a file cannot be used, or nothing is left of it.
        """
        ...

    def learner(self, sizes: Mapping[str, int], teachers: Sequence[Teacher] = ()) -> Learner:
        """Returns the model, and what it learns.

        Args:
          sizes: Ids of each side, or the width of its vectors.
          teachers: Who teaches, while it learns.
        """
        ...

    def example(self, sizes: Mapping[str, int]) -> Batch:
        """Returns the smallest batch that a model takes; only its shapes and dtypes count."""
        ...

    def read(self, paths: Sequence[str], vocabularies: Vocabularies) -> Any:
        """Reads examples that a trained model is measured on, as `TaskData.valid` holds them.

        Raises:
          InputError: If a file cannot be used, or holds what the model cannot know.
        """
        ...

    def batches(
        self, examples: Any, vocabularies: Vocabularies, statistics: Mapping[str, Any]
    ) -> Iterator[Batch]:
        """Returns batches of examples in a fixed order, of few shapes."""
        ...

    def states(self, learnt: Learnt, announce: AnnounceFn) -> Sayer:
        """Returns what gives the outputs of the top layer that reads a text."""
        ...

    def simple(self, data: TaskData) -> Simple:
        """Returns what simple ways of doing the task are worth."""
        ...


@runtime_checkable
class AnsweringTask(Task, Protocol):
    """A task whose models answer. (A language model is measured by its likelihood alone.)

    Attributes:
      searches: Whether answers are searched for, as `config.decode` says.
      likely: Whether answers have a probability.
      validation_scores: Which of the scores of answers a validation reports.
    """

    likely: ClassVar[bool]
    searches: ClassVar[bool]
    validation_scores: ClassVar[tuple[str, ...]]

    def answer_fn(self, learnt: Learnt, decode: DecodeConfig, announce: AnnounceFn) -> AnswerFn:
        """Returns what gives answers; `decode` says how they are searched for, and how many."""
        ...

    def judged(
        self,
        answer_fn: Callable[[list[str]], list[list[Answer]]],
        examples: Pairs,
        vocabularies: Vocabularies,
    ) -> Decoded:
        """Answers examples, and scores the answers."""
        ...

    def look_fn(self, learnt: Learnt, announce: AnnounceFn) -> LookFn:
        """Returns what shows where a model looks while it says given targets."""
        ...


@runtime_checkable
class ContinuingTask(Task, Protocol):
    """A task whose models go on from the beginning of something.

    Attributes:
      searches: Whether continuations may be searched for, as `DecodeConfig` says; else they are
        drawn, and obey `DRAWS` of it alone.
    """

    searches: ClassVar[bool]

    def continuer(
        self,
        learnt: Learnt,
        decode: DecodeConfig,
        announce: AnnounceFn,
        *,
        forbidden: Sequence[str] = (),
    ) -> ContinueFn:
        """Returns what goes on; `forbidden` is never written, where it is searched for.

        Raises:
          InputError: If the settings name what the model does not know.
        """
        ...


def sizes_of(vocabularies: Vocabularies) -> dict[str, int]:
    """Returns the ids of each side, or the width of its vectors."""
    return {side: len(one) for side, one in vocabularies.items()}

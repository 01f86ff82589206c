"""Regression: say which number belongs to a text, or to vectors."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from seqjax.build.learner import Learner
from seqjax.build.model import build_classifier
from seqjax.build.steps import build_regression_learner
from seqjax.build.teacher import Teacher
from seqjax.config import DecodeConfig
from seqjax.data.coding import FigureCoder
from seqjax.data.figures import read_figure
from seqjax.data.readers import Pairs
from seqjax.data.sides import SideKind
from seqjax.metrics.numbers import evaluate_numbers
from seqjax.predict.answer import Answer
from seqjax.predict.labels import Numbers
from seqjax.tasks.pairs import PairTask
from seqjax.tasks.task import Decoded, Learnt, Simple, TaskData, Vocabularies
from seqjax.train.compiled import AnnounceFn
from seqjax.types import Batch


@dataclasses.dataclass(frozen=True)
class Regress(PairTask):
    """An encoder reads a source, and what is left of it gives a number; see `Task`.

    A number is a target of one step without an end. The model says it in spreads from the mean of
    training, and is measured in the units of the file.
    """

    loss_unit: ClassVar[str] = "squared error, in spreads of training"
    ends: ClassVar[bool] = False
    searches: ClassVar[bool] = False
    likely: ClassVar[bool] = False
    validation_scores: ClassVar[tuple[str, ...]] = (
        *("mean_squared_error", "mean_absolute_error", "r2"),
    )

    @property
    def kinds(self) -> dict[str, SideKind]:
        return {**super().kinds, "target": "number"}

    def coder_of(self, vocabularies: Vocabularies, most_source: int | None) -> FigureCoder:
        source, target = vocabularies["source"], vocabularies["target"]
        return FigureCoder(source, target, most_source=most_source)

    def fits(self, source: str, target: str) -> str | None:
        try:
            read_figure(target)
        except ValueError as error:
            return f"the target {error}"
        return None

    def learner(self, sizes: Mapping[str, int], teachers: Sequence[Teacher] = ()) -> Learner:
        vocab_size = None if self.of_vectors else sizes["source"]
        model = build_classifier(self.config.model, vocab_size=vocab_size, num_classes=1)
        return build_regression_learner(model)

    def example(self, sizes: Mapping[str, int]) -> Batch:
        found = super().example(sizes)
        number: Any = found.inputs._replace(values=np.zeros((1, 1, 1), np.float32))
        return found._replace(targets=number)

    def answer_fn(self, learnt: Learnt, decode: DecodeConfig, announce: AnnounceFn) -> Numbers:
        def number_fn(weights, source):
            said: Any = learnt.learner.model.apply({"params": weights.members[0]}, source)
            return said[:, 0, 0]

        sayer = self.sayer(number_fn, learnt.vocabularies, announce, decode)
        return Numbers(sayer, learnt.vocabularies["target"])

    def judged(
        self,
        answer_fn: Callable[[list[str]], list[list[Answer]]],
        examples: Pairs,
        vocabularies: Vocabularies,
    ) -> Decoded:
        """Says a number for every source; each counts, also where a source comes twice."""
        answers = answer_fn(examples.sources)
        scores = evaluate_numbers(
            [float(found[0].text) for found in answers], list(map(float, examples.targets))
        )
        return Decoded(
            examples.sources,
            [[target] for target in examples.targets],
            answers,
            [vocabularies["source"].length(source) for source in examples.sources],
            scores,
        )

    def simple(self, data: TaskData) -> Simple:
        """The mean of training."""
        figures = data.vocabularies["target"]
        apart = np.array([figures.encode(text).item() for text in data.valid.targets])
        name = f"always saying {figures.decode(0.0)}"
        return Simple({name: {"loss": float(np.mean(apart**2))}})

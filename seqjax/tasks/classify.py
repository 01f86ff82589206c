"""Classification: say to which of some classes a text belongs."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

import jax

from seqjax.build.learner import Learner
from seqjax.build.model import build_classifier
from seqjax.build.steps import build_classifier_learner
from seqjax.build.teacher import Teacher
from seqjax.config import DecodeConfig
from seqjax.data.readers import FitsFn, Pairs, Splits
from seqjax.data.sides import SideKind
from seqjax.errors import InputError
from seqjax.metrics.classification import evaluate_labels
from seqjax.predict.answer import Answer
from seqjax.predict.labels import Labeller
from seqjax.tasks.pairs import PairTask, not_of_training
from seqjax.tasks.task import Decoded, Learnt, Simple, TaskData, Vocabularies
from seqjax.train.compiled import AnnounceFn


@dataclasses.dataclass(frozen=True)
class Classify(PairTask):
    """An encoder reads a text, and what is left of it gives a label; see `Task`.

    A label is a target of one step without an end.
    """

    ends: ClassVar[bool] = False
    searches: ClassVar[bool] = False
    validation_scores: ClassVar[tuple[str, ...]] = ("macro_f1", "calibration_error")

    @property
    def kinds(self) -> dict[str, SideKind]:
        return {"source": self.config.data.source_tokens, "target": "label"}

    def unseen_fits(self, targets: Iterable[str]) -> FitsFn:
        known = set(targets)
        return lambda source, target: not_of_training("label", [target], known)

    def data_of(self, splits: Splits) -> TaskData:
        """Returns the data that these texts are, in which there must be two labels."""
        data = super().data_of(splits)
        first, *others = data.vocabularies["target"].tokens
        if not others:
            raise InputError(f"training labels: all are {first!r}; give texts of two labels")
        return data

    def learner(self, sizes: Mapping[str, int], teachers: Sequence[Teacher] = ()) -> Learner:
        model = build_classifier(
            self.config.model, vocab_size=sizes["source"], num_classes=sizes["target"]
        )
        return build_classifier_learner(model, self.config.objective)

    def answer_fn(self, learnt: Learnt, decode: DecodeConfig, announce: AnnounceFn) -> Labeller:
        def log_probs_fn(weights, source):
            logits: Any = learnt.learner.model.apply({"params": weights.members[0]}, source)
            return jax.nn.log_softmax(logits[:, 0])

        sayer = self.sayer(log_probs_fn, learnt.vocabularies, announce, decode)
        return Labeller(sayer, learnt.vocabularies["target"].tokens)

    def judged(
        self,
        answer_fn: Callable[[list[str]], list[list[Answer]]],
        examples: Pairs,
        vocabularies: Vocabularies,
    ) -> Decoded:
        """Labels every text; each counts, also where a text comes twice."""
        answers = answer_fn(examples.sources)
        lengths = [vocabularies["source"].length(source) for source in examples.sources]
        scores = evaluate_labels(
            [{answer.text: answer.log_prob for answer in found} for found in answers],
            examples.targets,
            vocabularies["target"].tokens,
        )
        references = [[target] for target in examples.targets]
        return Decoded(examples.sources, references, answers, lengths, scores)

    def simple(self, data: TaskData) -> Simple:
        """The most frequent label of training."""
        usual = data.vocabularies["target"].tokens[0]  # they are in the order of their counts
        share = data.valid.targets.count(usual) / len(data.valid.targets)
        return Simple({f"always saying {usual!r}": {"accuracy": share}})

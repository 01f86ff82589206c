"""A baseline that has been fitted, in memory: what a `Trained` is of a network."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from seqjax.config import Config, DecodeConfig
from seqjax.data.sides import load_side
from seqjax.errors import InputError
from seqjax.predict.answer import Answer, AnswerFn, ContinueFn, Request, silent
from seqjax.rundir import RunDir, load_weights
from seqjax.tasks.baseline import AnsweringBaseline, Baseline, ContinuingBaseline
from seqjax.tasks.choose import build_baseline
from seqjax.tasks.task import Task, Vocabularies
from seqjax.train.compiled import AnnounceFn

KIND = "model.kind"
"""Key of the metadata under which a file of arrays says what was fitted."""


@dataclasses.dataclass(frozen=True)
class Fitted:
    """A fitted baseline.

    Attributes:
      run: Where it is kept.
      config: Its settings.
      vocabularies: By side.
      weights: What was fitted, as the baseline takes it.
      statistics: Of its training data.
    """

    run: RunDir
    config: Config
    vocabularies: Vocabularies
    weights: Any
    statistics: dict[str, Any]

    @property
    def baseline(self) -> Baseline:
        """What it is."""
        return build_baseline(self.config)

    @property
    def task(self) -> Task:
        """What it has learnt."""
        return self.baseline.task

    def likelihood(self, data: Any, announce: AnnounceFn = silent) -> dict[str, float]:
        """Returns what it makes of examples; empty if it has no probabilities."""
        del announce  # nothing is compiled
        return self.baseline.likelihood(self.weights, data, self.vocabularies)

    def answer_fn(
        self, decode: DecodeConfig | None = None, announce: AnnounceFn = silent
    ) -> AnswerFn:
        """Returns it as what gives answers, for which it searches in its own way.

        Raises:
          InputError: If it is of a task without answers.
        """
        del decode, announce
        baseline, vocabularies = self.baseline, self.vocabularies
        if not isinstance(baseline, AnsweringBaseline):
            raise InputError(
                f"{self.run.path}: a {self.config.task} run answers nothing; use seqjax generate"
            )

        def answer(
            weights: Any, requests: Sequence[str | Request], *, first: int = 0
        ) -> list[list[Answer]]:
            del first
            texts = [one if isinstance(one, str) else one.text for one in requests]
            return baseline.answers(weights, texts, vocabularies)

        return answer

    def continuer(self, decode: DecodeConfig) -> ContinueFn:
        """Returns it as what draws how a text, or a piece, goes on.

        Raises:
          InputError: If it is of a task in which nothing goes on.
        """
        if not isinstance(self.baseline, ContinuingBaseline):
            raise InputError(f"{self.run.path}: a {self.config.task} run does not go on")
        return self.baseline.drawer(decode, self.vocabularies)

    def cuts(self, text: str) -> bool:
        """Returns whether a source has more steps than are read of it, which none has."""
        return False

    def decode(self, texts: Sequence[str]) -> list[str]:
        """Returns the best answer to each text."""
        return [answers[0].text for answers in self.answer_fn()(self.weights, texts)]


def load_fitted(run: RunDir, config: Config) -> Fitted:
    """Returns the baseline of a run directory. Nothing that is stored there is executed.

    Raises:
      InputError: If what is stored does not fit together.
    """
    baseline, statistics = build_baseline(config), run.read_statistics()
    vocabularies = {
        side: load_side(run.vocabulary, side, kind) for side, kind in baseline.task.kinds.items()
    }
    arrays, metadata = load_weights(run.best_weights)
    try:
        found = metadata.get(KIND, "network")
        if found != config.model.kind:
            raise ValueError(f"it is of model.kind {found[:40]}, the run of {config.model.kind}")
        model = baseline.model(arrays, vocabularies)
    except ValueError as error:
        raise InputError(
            f"{run.best_weights}: {error}; restore config.json, vocabulary and weights of one "
            "training"
        ) from None
    return Fitted(run, config, vocabularies, model, statistics)

"""A network that has learnt something, in memory; see `Fitted` for a baseline."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from seqjax.build.learner import Learner
from seqjax.config import Config, DecodeConfig
from seqjax.data.sides import load_side
from seqjax.errors import InputError
from seqjax.predict.answer import AnswerFn, ContinueFn, silent
from seqjax.predict.features import Pool, features_of
from seqjax.predict.voices import Weights
from seqjax.rundir import RunDir, load_weights, open_run
from seqjax.runs.fitted import Fitted, load_fitted
from seqjax.runs.measure import Likelihood
from seqjax.tasks.choose import build_task
from seqjax.tasks.pairs import PairTask
from seqjax.tasks.task import (
    AnsweringTask,
    ContinuingTask,
    Learnt,
    Task,
    Vocabularies,
    sizes_of,
)
from seqjax.train.compiled import AnnounceFn
from seqjax.types import Parameters


@dataclasses.dataclass(frozen=True)
class Trained:
    """A run that has learnt something, in memory.

    Attributes:
      run: Where it is kept.
      config: Its settings.
      vocabularies: By side.
      learner: Its model and loss.
      params: Its best weights.
      statistics: Of its training data.
    """

    run: RunDir
    config: Config
    vocabularies: Vocabularies
    learner: Learner
    params: Parameters
    statistics: dict[str, Any]

    @property
    def learnt(self) -> Learnt:
        """What its task must know of it."""
        return Learnt(self.learner, self.vocabularies, self.statistics)

    @property
    def weights(self) -> Weights:
        """The best weights, as an `Answerer` takes them."""
        return Weights((self.params,))

    @property
    def task(self) -> Task:
        """What it has learnt."""
        return build_task(self.config)

    def likelihood(self, data: Any, announce: AnnounceFn = silent) -> dict[str, float]:
        """Returns what the run makes of examples, by teacher forcing."""
        batches = self.task.batches(data, self.vocabularies, self.statistics)
        return Likelihood(self.learner, announce)(self.params, batches)

    def answer_fn(
        self, decode: DecodeConfig | None = None, announce: AnnounceFn = silent
    ) -> AnswerFn:
        """Returns a run that answers as what gives the answers; `decode` replaces its settings.

        Raises:
          InputError: If it is a run of a task without answers, or has no use for such settings.
        """
        if not isinstance(self.task, AnsweringTask):
            raise InputError(
                f"{self.run.path}: a {self.config.task} run answers nothing; use seqjax generate"
            )
        searched = self.searching(decode or self.config.decode)
        return self.task.answer_fn(self.learnt, searched, announce)

    def searching(self, decode: DecodeConfig) -> DecodeConfig:
        """Returns settings of a search, if the run has a use for all of them.

        Raises:
          InputError: If it has not.
        """
        try:
            return dataclasses.replace(self.config, decode=decode).decode
        except ValueError as error:
            raise InputError(f"{self.run.path}: {error}") from None

    def continuer(
        self,
        decode: DecodeConfig | None = None,
        announce: AnnounceFn = silent,
        *,
        forbidden: Sequence[str] = (),
    ) -> ContinueFn:
        """Returns a run as what goes on from a text, or a piece, never by what is `forbidden`.

        Raises:
          InputError: If it is a run of a task in which nothing goes on.
        """
        if not isinstance(self.task, ContinuingTask):
            raise InputError(f"{self.run.path}: a {self.config.task} run does not go on")
        decode = decode or self.config.decode
        return self.task.continuer(self.learnt, decode, announce, forbidden=forbidden)

    def cuts(self, text: str) -> bool:
        """Returns whether a source has more steps than are read of it."""
        task = self.task
        return isinstance(task, PairTask) and task.coder(self.vocabularies).cuts(text)

    def features(
        self, texts: Sequence[str], pool: Pool, announce: AnnounceFn = silent
    ) -> list[np.ndarray]:
        """Returns what the model makes of each text; see `features_of`."""
        sayer = self.task.states(self.learnt, announce)
        return features_of(sayer, self.weights, texts, pool)

    def decode(self, texts: Sequence[str]) -> list[str]:
        """Returns the best answer to each text."""
        return [answers[0].text for answers in self.answer_fn()(self.weights, texts)]


def load(path: str) -> Trained | Fitted:
    """Returns the run at `path`, network or baseline. Nothing that is stored there is executed.

    Raises:
      InputError: If it is no run, or what is stored does not fit together.
    """
    run = open_run(path)
    config = run.read_config()
    return load_network(path) if config.model.kind == "network" else load_fitted(run, config)


def load_network(path: str) -> Trained:
    """Returns the run at `path` with its best weights, as `load`.

    Raises:
      InputError: As `load`, and if it is a baseline.
    """
    run = open_run(path)
    task = build_task(_without_cudnn(run.read_network_config()))
    statistics = run.read_statistics()
    vocabularies = {
        side: load_side(run.vocabulary, side, kind) for side, kind in task.kinds.items()
    }
    sizes = sizes_of(vocabularies)
    learner, example = task.learner(sizes), task.example(sizes)
    expected = jax.eval_shape(learner.init, example, jax.eval_shape(lambda: jax.random.key(0)))
    params, _ = load_weights(run.best_weights)
    _refuse_other_weights(run, params, expected)
    params = jax.tree.map(jnp.asarray, params)
    return Trained(run, run.read_config(), vocabularies, learner, params, statistics)


def _without_cudnn(config: Config) -> Config:
    """What cuDNN trained needs no GPU afterwards: the weights are those of every other way."""
    if config.model.unroll != "cudnn" or jax.default_backend() == "gpu":
        return config
    return dataclasses.replace(config, model=dataclasses.replace(config.model, unroll="auto"))


def _refuse_other_weights(run: RunDir, params: Parameters, expected: Any) -> None:
    """Weights must be those of the model that config and vocabularies describe."""
    shapes = [
        {
            jax.tree_util.keystr(path, simple=True, separator="/"): leaf.shape
            for path, leaf in leaves
        }
        for leaves in map(jax.tree_util.tree_leaves_with_path, (params, expected))
    ]
    for name in sorted(shapes[0].keys() | shapes[1].keys()):
        got, wanted = (side.get(name, "nothing") for side in shapes)
        if got != wanted:
            raise InputError(
                f"{run.best_weights}: weight {name} has shape {got}, the run's config makes it "
                f"{wanted}; restore config.json, vocabulary and weights of one training"
            )

"""A training before its first step: all that a configuration describes, built in one place."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import jax

from seqjax.build.learner import Learner
from seqjax.build.mesh import mesh_lines
from seqjax.build.model import count_params
from seqjax.build.teacher import build_teachers
from seqjax.build.training import Training, build_training
from seqjax.build.transfer import NOTHING, Start, build_start, started
from seqjax.build.vectors import (
    NOTHING_FOUND,
    Found,
    build_vectors,
    held_rows,
    start_from,
    vector_lines,
)
from seqjax.config import Config
from seqjax.errors import InputError
from seqjax.tasks.task import Task, TaskData, sizes_of
from seqjax.train.compiled import AnnounceFn, Compiled
from seqjax.train.freezing import count_learnt
from seqjax.train.mesh import Layout, put
from seqjax.train.paths import check_patterns
from seqjax.train.plan import Plan
from seqjax.train.step import StepMetrics, TrainState
from seqjax.types import Batch, Key

TRAINING_STEP = "training step"
"""What a compilation is called that a step of training waits for."""


class Setup(NamedTuple):
    """What a training, or a rehearsal of one, is made of.

    Attributes:
      config: What it was built from.
      layout: Which devices hold what.
      data: What is learnt.
      learner: Model and loss.
      training: State and step, not compiled.
      key: The run's.
      total_steps: The last step, where it is known.
      shapes: Of the weights.
      start: What another run hands over.
      found: Vectors that embeddings start from.
      given: What the step is given besides and does not change (teachers' weights), in its place.
      in_shardings: Of state, batch and key.
      out_shardings: Of what a step returns.
    """

    config: Config
    layout: Layout
    data: TaskData
    learner: Learner
    training: Training
    key: Key
    total_steps: int | None
    shapes: Any
    start: Start
    found: Found
    given: Any
    in_shardings: Any
    out_shardings: Any

    def lines(self) -> list[str]:
        """Returns what there is to say of model, start and devices."""
        patterns, size = self.config.optimizer.freeze, count_params(self.shapes)
        learnt = f", {count_learnt(self.shapes, patterns):,} of them learnt" if patterns else ""
        return [
            f"model    {size:,} parameters{learnt} · seed {self.config.seed}",
            *self.start.lines,
            *mesh_lines(self.layout, self.shapes),
            *vector_lines(self.config.model, self.data.vocabularies, self.found),
        ]

    @property
    def planned_shapes(self) -> int:
        """How many shapes training batches may have."""
        return len(self.data.statistics.get("shapes", [()]))

    def first_state(self) -> TrainState:
        """Returns the state before the first update, on its devices. The weights exist once."""
        params = started(jax.jit(self.learner.init)(self.data.example, self.key), self.start)
        params = start_from(params, self.learner.tables, self.found)
        return self.laid_out(jax.jit(self.training.init_fn, donate_argnums=0)(params))

    def laid_out(self, state: TrainState) -> TrainState:
        """Returns a state whose leaves lie where a step takes them."""
        return put(state, self.in_shardings[0])

    def gradient(self, state: TrainState, batch: Batch, key: Key) -> Any:
        """Returns the gradient of a step; see `Training.gradient_fn`."""
        return self.training.gradient_fn(state, batch, key, given=self.given)

    def plan(self) -> Plan:
        """Returns when to validate, to save and to stop."""
        config, epoch_steps = self.config, self.data.feed.batches_per_epoch
        validate_every = config.validation.every or epoch_steps
        return Plan(
            steps=config.steps,
            epochs=config.epochs,
            minutes=config.minutes,
            patience=config.validation.patience,
            validate_every=validate_every,
            save_every=config.save_every or validate_every,
            metric=config.validation.metric,
            min_delta=config.validation.min_delta,
            clip_norm=config.optimizer.clip_norm,
            most_skipped=config.optimizer.most_skipped,
            rollback_rate=config.optimizer.rollback_rate,
        )


class Step:
    """The compiled training step of a `Setup`: `(state, batch, key) -> (state, metrics)`.

    It consumes the state that it is given.
    """

    def __init__(self, setup: Setup, announce: AnnounceFn):
        self._given = setup.given
        self._compiled = Compiled(
            setup.training.step_fn,
            announce,
            lambda state, batch, key, given: f"{TRAINING_STEP}, {shape_name(batch)}",
            donate_argnums=(0,),
            in_shardings=(*setup.in_shardings, setup.layout.everywhere),
            out_shardings=setup.out_shardings,
        )

    @property
    def compilations(self) -> int:
        """Shapes that it was compiled for."""
        return self._compiled.compilations

    def __call__(self, state: TrainState, batch: Batch, key: Key) -> tuple[TrainState, StepMetrics]:
        return self._compiled(state, batch, key, self._given)

    def begin(self, state: TrainState, batches: Iterable[Batch], key: Key) -> None:
        """Begins to compile for the shapes of these batches, side by side."""
        for batch in batches:
            self._compiled.begin(state, batch, key, self._given)

    def close(self) -> None:
        """Compiles nothing more of what was begun."""
        self._compiled.close()

    def executable(self, state: TrainState, batch: Batch, key: Key) -> Any:
        """Returns what runs for a batch of this shape, compiled now if it was not yet."""
        return self._compiled.executable(state, batch, key, self._given)


def set_up(task: Task, layout: Layout, data: TaskData, *, begins: bool = True) -> Setup:
    """Builds what the task's configuration describes; no weight is made yet.

    Args:
      task: What is learnt.
      layout: On which devices.
      data: Of the task.
      begins: Else the run goes on, and what weights start from is not looked for.

    Raises:
      InputError: If something that the config names cannot be used.
    """
    config, vocabularies = task.config, data.vocabularies
    key = jax.random.key(config.seed)
    found = build_vectors(config.model, vocabularies) if begins else NOTHING_FOUND
    teachers = build_teachers(config, vocabularies)
    learner = task.learner(sizes_of(vocabularies), teachers)._replace(
        held=held_rows(config.model, vocabularies, found),
        given=tuple(teacher.params for teacher in teachers),
    )
    shapes = jax.eval_shape(learner.init, data.example, key)
    try:
        check_patterns(shapes, config.optimizer.freeze, "--optimizer.freeze")
    except ValueError as error:
        raise InputError(str(error)) from None
    start = build_start(config, shapes, vocabularies, learner.tables) if begins else NOTHING
    epoch_steps = data.feed.batches_per_epoch
    total_steps = _total_steps(config, epoch_steps)
    training = build_training(config.optimizer, learner, total_steps, epoch_steps)
    in_shardings, out_shardings = layout.of_step(jax.eval_shape(training.init_fn, shapes))
    given = put(learner.given, layout.everywhere)
    return Setup(
        *(config, layout, data, learner, training, key, total_steps, shapes, start, found, given),
        *(in_shardings, out_shardings),
    )


def _total_steps(config: Config, epoch_steps: int) -> int | None:
    by_epochs = config.epochs * epoch_steps if config.epochs else None
    known = [steps for steps in (config.steps, by_epochs) if steps is not None]
    return min(known) if known else None


def of_each_shape(batches: Iterable[Batch]) -> list[Batch]:
    """Returns the first batch of each shape, in that order."""
    found: dict[str, Batch] = {}
    for batch in batches:
        found.setdefault(shape_name(batch), batch)
    return list(found.values())


def shape_name(batch: Batch) -> str:
    """Returns what a batch's shape is called: rows x source -> target."""
    rows, time = batch.inputs.values.shape[:2]
    said = batch.targets.values.shape[1] if hasattr(batch.targets, "values") else 1
    return f"{rows} x {time} -> {said}"

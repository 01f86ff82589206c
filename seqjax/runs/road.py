"""The straight road: from a configuration to a trained run, in one function that is read first."""

import functools
import json
from collections.abc import Callable
from typing import Any, NamedTuple

import jax

from seqjax.build.data import TaskData, build_data
from seqjax.build.learner import build_learner
from seqjax.build.mesh import build_layout, mesh_lines
from seqjax.build.model import count_params
from seqjax.build.training import build_training
from seqjax.build.vectors import NOTHING_FOUND, build_vectors, start_from, vector_lines
from seqjax.config import Config, differing_fields
from seqjax.errors import InputError
from seqjax.files import write_text
from seqjax.rundir import RunDir, create_run, save_weights
from seqjax.runs.measure import build_validator
from seqjax.runs.record import Recorder
from seqjax.runs.spectator import Silent, Spectator
from seqjax.train.checkpoint import Checkpoints
from seqjax.train.compiled import Compiled
from seqjax.train.interrupt import Interrupts
from seqjax.train.loop import Plan, Progress, fit
from seqjax.train.mesh import gather, put
from seqjax.train.step import TrainState

MAY_CHANGE = (
    *("train", "valid", "run_dir", "steps", "epochs", "minutes", "save_every"),
    *("decode.", "mesh."),
)
"""Settings that a run may be continued with another value of (files by what is in them)."""


class Outcome(NamedTuple):
    """How a training ended.

    Attributes:
      run: Where everything is.
      data: What it was trained on.
      state: After the last update.
      progress: Where it stands.
      reason: Why it stopped; `loop.INTERRUPTED` if it was asked to.
      compilations: Shapes that the training step was compiled for.
    """

    run: RunDir
    data: TaskData
    state: TrainState
    progress: Progress
    reason: str
    compilations: int


def train(config: Config, spectator: Spectator = Silent()) -> Outcome:
    """Trains what `config` describes, or goes on where its run directory was left.

    Args:
      config: With a `run_dir`.
      spectator: Told of everything as it happens.

    Raises:
      InputError: If data, run directory or configuration cannot be used.
    """
    assert config.run_dir is not None
    _refuse_cudnn_without_gpu(config)
    layout = build_layout(config)
    run = create_run(config.run_dir)
    _refuse_another_config(run, config)
    data = build_data(config)
    checkpoints = Checkpoints(run.checkpoints)
    begins = not checkpoints.steps()
    found = build_vectors(config.model, data.vocabularies) if begins else NOTHING_FOUND
    _describe(run, config, data, spectator.note)

    key = jax.random.key(config.seed)
    learner = build_learner(config, data.vocabularies, found)
    total_steps = _total_steps(config, data.feed.batches_per_epoch)
    training = build_training(config.optimizer, learner, total_steps, data.feed.batches_per_epoch)
    state = jax.jit(training.init_fn, donate_argnums=0)(  # the weights exist once
        start_from(jax.jit(learner.init)(data.example, key), learner.tables, found)
    )
    in_shardings, out_shardings = layout.of_step(state)
    state = put(state, in_shardings[0])
    step_fn = Compiled(
        training.step_fn,
        spectator.compiling,
        lambda state, batch, key: f"training step, {_shape(batch)}",
        donate_argnums=(0,),
        in_shardings=in_shardings,
        out_shardings=out_shardings,
    )
    spectator.note(f"model    {count_params(state.params):,} parameters · seed {config.seed}")
    for line in mesh_lines(layout, state.params):
        spectator.note(line)
    for line in vector_lines(config.model, data.vocabularies, found):
        spectator.note(line)

    state, progress = _restored(checkpoints, state, run, spectator.note)
    recorder = Recorder(run)
    watching = spectator.training(progress, steps=total_steps, minutes=config.minutes)
    with Interrupts() as interrupts, watching:
        state, progress, reason = fit(
            state,
            progress,
            step_fn=step_fn,
            feed=data.feed,
            key=put(key, layout.everywhere),
            initial_memory=layout.put_whole_rows(learner.memory),
            validate=build_validator(
                config, learner, data, layout, spectator.compiling, spectator.note
            ),
            react=lambda state, stalled: put(training.react_fn(state, stalled), in_shardings[0]),
            keep_best=functools.partial(_keep_best, run),
            checkpoints=checkpoints,
            plan=_plan(config, data.feed.batches_per_epoch),
            observer=_Recording(spectator, recorder),
            interrupted=lambda: interrupts.requested,
        )
    recorder.close()
    return Outcome(run, data, state, progress, reason, step_fn.compilations)


class _Recording:
    """An observer of the loop that writes down what the spectator only sees."""

    def __init__(self, spectator: Spectator, recorder: Recorder):
        self.stepped = spectator.stepped
        self._spectator, self._recorder = spectator, recorder

    def row(self, row: dict[str, Any]) -> None:
        self._recorder.write(row)

    def validated(self, row: dict[str, Any], progress: Progress, is_best: bool) -> None:
        self._recorder.write(row)
        self._spectator.validated(row, progress, is_best)


def _refuse_cudnn_without_gpu(config: Config) -> None:
    if config.model.unroll == "cudnn" and jax.default_backend() != "gpu":
        raise InputError(
            f"model.unroll cudnn needs a GPU, JAX has {jax.default_backend()}; leave it at auto, "
            f"or ask `seqjax doctor` for what JAX sees"
        )


def _refuse_another_config(run: RunDir, config: Config) -> None:
    """A run goes on with the settings it was begun with, or it is another run."""
    if not run.config.exists():
        return
    before = run.read_config()
    falls = config.optimizer.needs_last_step
    allowed = tuple(n for n in MAY_CHANGE if not (falls and n in ("steps", "epochs")))
    changed = [
        f"{name} {old!r} -> {new!r}"
        for name, old, new in differing_fields(before, config)
        if not name.startswith(allowed)
    ]
    if changed:
        raise InputError(
            f"{run.path}: begun with other settings ({', '.join(changed)}); "
            f"choose another --run-dir, or --overwrite to start anew"
        )


def _describe(run: RunDir, config: Config, data: TaskData, note: Callable[[str], None]) -> None:
    """Writes config, vocabularies and statistics; refuses a run begun on other data."""
    if run.data.exists():
        before = json.loads(run.data.read_text(encoding="utf-8")).get("fingerprint")
        if before != data.statistics["fingerprint"]:
            raise InputError(
                f"{run.path}: the training data is not what the run was begun with; "
                f"choose another --run-dir, or --overwrite to start anew"
            )
    run.write_config(config)
    run.vocabulary.mkdir(exist_ok=True)
    for name, vocabulary in data.vocabularies.items():
        vocabulary.save(run.vocabulary, name)
    write_text(run.data, json.dumps(data.statistics, indent=2, ensure_ascii=False) + "\n")
    for line in data.summary:
        note(line)


def _restored(
    checkpoints: Checkpoints, state: TrainState, run: RunDir, note: Callable[[str], None]
) -> tuple[TrainState, Progress]:
    found = checkpoints.restore(state, lambda text: note(f"warning  {text}; trying an older one"))
    if found is None:
        run.keep_metrics_until(-1)
        return state, Progress()
    state, stored = found
    progress = Progress(**stored)
    run.keep_metrics_until(progress.step)
    note(f"resume   from step {progress.step} (epoch {progress.epoch + 1})")
    return state, progress


def _keep_best(run: RunDir, params: Any, row: dict[str, Any]) -> None:
    metadata = {"step": str(row["step"]), "validation": json.dumps(row)}
    save_weights(run.best_weights, jax.device_get(gather(params)), metadata)


def _total_steps(config: Config, batches_per_epoch: int) -> int | None:
    by_epochs = config.epochs * batches_per_epoch if config.epochs else None
    known = [steps for steps in (config.steps, by_epochs) if steps is not None]
    return min(known) if known else None


def _plan(config: Config, batches_per_epoch: int) -> Plan:
    validate_every = config.validation.every or batches_per_epoch
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
    )


def _shape(batch) -> str:
    rows, time = batch.inputs.values.shape[:2]
    said = batch.targets.values.shape[1] if hasattr(batch.targets, "values") else 1
    return f"{rows} x {time} -> {said}"

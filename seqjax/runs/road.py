"""The straight road: from a configuration to a trained run, in one function that is read first."""

import contextlib
import functools
import json
from collections.abc import Callable
from typing import Any, NamedTuple

import jax

from seqjax.build.data import TaskData, build_data
from seqjax.build.learner import build_learner
from seqjax.build.mesh import build_layout, mesh_lines
from seqjax.build.model import count_params
from seqjax.build.teacher import build_teachers
from seqjax.build.training import GradientFn, build_training
from seqjax.build.transfer import NOTHING, build_start, started
from seqjax.build.vectors import NOTHING_FOUND, build_vectors, start_from, vector_lines
from seqjax.config import Config
from seqjax.errors import InputError, first_line
from seqjax.rundir import RunDir, create_run, locked, save_weights
from seqjax.runs.going_on import (
    Resume,
    describe,
    prepare,
    refuse_another_directory,
    refuse_other_data,
    restored,
)
from seqjax.runs.measure import build_validator
from seqjax.runs.profile import Profiled, refuse_unreachable
from seqjax.runs.spectator import Silent, Spectator
from seqjax.runs.watching import TRAINING_STEP, Unrecorded, Watching
from seqjax.train.checkpoint import Checkpoints
from seqjax.train.compiled import Compiled
from seqjax.train.crash import write_crash
from seqjax.train.finite import first_not_finite
from seqjax.train.freezing import count_learnt
from seqjax.train.interrupt import Interrupted, Interrupts
from seqjax.train.loop import INTERRUPTED, fit
from seqjax.train.mesh import Layout, gather, put
from seqjax.train.norms import module_names
from seqjax.train.paths import check_patterns
from seqjax.train.plan import Plan
from seqjax.train.processes import Agreement, OwnRows, is_first, jointly, several, told
from seqjax.train.progress import Progress
from seqjax.train.step import TrainState
from seqjax.types import Batch, Key, Parameters


class Outcome(NamedTuple):
    """How a training ended.

    Attributes:
      run: Where everything is.
      data: What it was trained on.
      state: After the last update.
      progress: Where it stands.
      reason: Why it stopped; `loop.INTERRUPTED` if it was asked to.
      compilations: Shapes that the training step was compiled for.
      spent: Seconds of training by what they went to; see `Clock`.
      finished_before: Nothing was left to do, and nothing was touched.
    """

    run: RunDir
    data: TaskData
    state: TrainState
    progress: Progress
    reason: str
    compilations: int
    spent: dict[str, float]
    finished_before: bool = False


def train(
    config: Config,
    spectator: Spectator = Silent(),
    *,
    resume: Resume = "auto",
    overwrite: bool = False,
    profile_steps: tuple[int, int] | None = None,
) -> Outcome:
    """Trains what `config` describes, or goes on where its run directory was left.

    Args:
      config: With a `run_dir`.
      spectator: Told of everything as it happens.
      resume: Whether there must be something to go on from, or must not be.
      overwrite: Remove what an earlier training left there first.
      profile_steps: First and last step of which a profile is recorded.

    Raises:
      InputError: If data, run directory or configuration cannot be used, or another process trains
        there.
      AskedToStop: If a signal comes before the first step.
    """
    assert config.run_dir is not None
    _refuse_cudnn_without_gpu(config)
    layout = build_layout(config)
    spectator = spectator if is_first() else Silent()
    run = create_run(config.run_dir)
    with Interrupts() as interrupts, contextlib.ExitStack() as held:
        jointly(lambda: held.enter_context(locked(run.lock, spectator.note)), first_only=True)
        jointly(lambda: prepare(run, config, resume=resume, overwrite=overwrite), first_only=True)
        return _train(run, config, layout, spectator, interrupts, profile_steps)


def _train(
    run: RunDir,
    config: Config,
    layout: Layout,
    spectator: Spectator,
    interrupts: Interrupts,
    profile_steps: tuple[int, int] | None,
) -> Outcome:
    data = build_data(config)
    checkpoints = Checkpoints(run.checkpoints, keep=config.keep)
    begins = told(not checkpoints.steps())
    found = build_vectors(config.model, data.vocabularies) if begins else NOTHING_FOUND
    key = jax.random.key(config.seed)
    teachers = build_teachers(config, data.vocabularies)
    learner = build_learner(config, data.vocabularies, found, teachers)
    shapes = jax.eval_shape(learner.init, data.example, key)
    described = model_line(config, shapes)
    tables = learner.tables
    start = build_start(config, shapes, data.vocabularies, tables) if begins else NOTHING
    refuse_other_data(run, data)
    jointly(lambda: describe(run, config, data, spectator.note), first_only=True)
    jointly(lambda: refuse_another_directory(run))

    total_steps = total_steps_of(config, data.feed.batches_per_epoch)
    training = build_training(config.optimizer, learner, total_steps, data.feed.batches_per_epoch)
    params = started(jax.jit(learner.init)(data.example, key), start)
    params = start_from(params, tables, found)
    state = jax.jit(training.init_fn, donate_argnums=0)(params)  # the weights exist once
    del params
    in_shardings, out_shardings = layout.of_step(state)
    state = put(state, in_shardings[0])
    given = put(learner.given, layout.everywhere)
    gradient_fn = functools.partial(training.gradient_fn, given=given)
    spectator.note(described)
    for line in start.lines:
        spectator.note(line)
    for line in mesh_lines(layout, state.params):
        spectator.note(line)
    for line in vector_lines(config.model, data.vocabularies, found):
        spectator.note(line)

    state, progress = restored(checkpoints, state, run, spectator.note)
    plan = _plan(config, data.feed.batches_per_epoch)
    reason = plan.reason_to_stop(progress)
    if reason and progress.validated_step == progress.step:
        return Outcome(run, data, state, progress, reason, 0, progress.spent, finished_before=True)
    if profile_steps is not None:
        refuse_unreachable(profile_steps, total_steps, progress.step)
    if progress.step:
        spectator.note(f"resume   from step {progress.step} (epoch {progress.epoch + 1})")
    modules = module_names(state.params)
    watching = (
        Watching(run, config, data, spectator, progress, modules)
        if is_first()
        else Unrecorded(progress)
    )
    agreement = Agreement()
    stopping = lambda: agreement.stopping(interrupts.requested)
    step_fn = Compiled(
        training.step_fn,
        watching.compiling,
        lambda state, batch, key, given: f"{TRAINING_STEP}, {shape_name(batch)}",
        donate_argnums=(0,),
        in_shardings=(*in_shardings, layout.everywhere),
        out_shardings=out_shardings,
    )
    taught_fn = lambda state, batch, key: step_fn(state, batch, key, given)
    record = None
    if profile_steps is not None:
        record = Profiled(taught_fn, profile_steps, progress.step, run.profile, spectator.note)
    goal = spectator.training(progress, steps=total_steps, minutes=config.minutes)
    with goal, interrupts.polled():
        state, progress, reason = fit(
            state,
            progress,
            step_fn=record or taught_fn,
            feed=OwnRows(data.feed, layout.part) if several() else data.feed,
            key=put(key, layout.everywhere),
            initial_memory=layout.put_whole_rows(learner.memory),
            validate=build_validator(
                *(config, learner, data, layout, watching.compiling, spectator.note),
                poll=functools.partial(_leave_if, stopping),
                seen=watching.seen,
            ),
            react=lambda state, stalled: put(training.react_fn(state, stalled), in_shardings[0]),
            keep_best=functools.partial(_keep_best, run),
            report=functools.partial(_report, run, gradient_fn, key),
            checkpoints=checkpoints,
            plan=plan,
            observer=watching,
            interrupted=stopping,
            place_fn=layout.put_rows,
            now_fn=agreement.now,
            clock=watching.clock,
        )
    if record is not None:
        record.close()
    spent = watching.finish(progress, interrupted=reason == INTERRUPTED)
    return Outcome(run, data, state, progress, reason, step_fn.compilations, spent)


def _leave_if(stopping: Callable[[], bool]) -> None:
    if stopping():
        raise Interrupted


def _refuse_cudnn_without_gpu(config: Config) -> None:
    if config.model.unroll == "cudnn" and jax.default_backend() != "gpu":
        raise InputError(
            f"model.unroll cudnn needs a GPU, JAX has {jax.default_backend()}; leave it at auto, "
            f"or ask `seqjax doctor` for what JAX sees"
        )


def model_line(config: Config, params: Parameters) -> str:
    """Says how large the model is, and how much of it is learnt.

    Raises:
      InputError: If a weight that is to stay as it is does not exist.
    """
    patterns, size = config.optimizer.freeze, count_params(params)
    try:
        check_patterns(params, patterns, "--optimizer.freeze")
    except ValueError as error:
        raise InputError(str(error)) from None
    learnt = f", {count_learnt(params, patterns):,} of them learnt" if patterns else ""
    return f"model    {size:,} parameters{learnt} · seed {config.seed}"


def _keep_best(run: RunDir, params: Any, row: dict[str, Any]) -> None:
    whole = gather(params)
    if is_first():
        metadata = {"step": str(row["step"]), "validation": json.dumps(row)}
        save_weights(run.best_weights, jax.device_get(whole), metadata)


def _report(
    run: RunDir, gradient_fn: GradientFn, key: Key, state: TrainState, batch: Batch, at: Progress
) -> str:
    """Writes down a batch after which training could not go on; says where it went wrong."""
    state, batch = gather((state, batch))
    try:
        where = first_not_finite(gradient_fn, state, batch, key) or "nowhere, computed once more"
    except Exception as error:  # it walks through JAX's own program, which may hold what is new
        where = f"where cannot be told ({first_line(error)})"
    facts = {"step": at.step, "epoch": at.epoch, "batch": at.batch, "first_not_finite": where}
    paths = []
    write = lambda: paths.append(write_crash(run.crash, state, batch, key, facts))
    jointly(write, first_only=True)
    return f"{where}; the batch is in {told(str(paths[0]) if paths else '')}"


def total_steps_of(config: Config, batches_per_epoch: int) -> int | None:
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
        most_skipped=config.optimizer.most_skipped,
        rollback_rate=config.optimizer.rollback_rate,
    )


def shape_name(batch) -> str:
    rows, time = batch.inputs.values.shape[:2]
    said = batch.targets.values.shape[1] if hasattr(batch.targets, "values") else 1
    return f"{rows} x {time} -> {said}"

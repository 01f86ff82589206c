"""The straight road: from a configuration to a trained run, in one function that is read first."""

import contextlib
import functools
import itertools
import json
from collections.abc import Callable
from typing import Any, NamedTuple

import jax

from seqjax.build.mesh import build_layout
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
from seqjax.runs.measure import Likelihood, build_validator
from seqjax.runs.profile import Profiled, refuse_unreachable
from seqjax.runs.setup import Setup, Step, of_each_shape, set_up
from seqjax.runs.spectator import Silent, Spectator
from seqjax.runs.watching import Unrecorded, Watching
from seqjax.tasks.choose import build_task
from seqjax.tasks.task import TaskData
from seqjax.train.checkpoint import Checkpoints
from seqjax.train.crash import write_crash
from seqjax.train.finite import first_not_finite
from seqjax.train.interrupt import Interrupted, Interrupts
from seqjax.train.loop import INTERRUPTED, fit
from seqjax.train.mesh import Layout, gather, put
from seqjax.train.norms import module_names
from seqjax.train.processes import Agreement, OwnRows, is_first, jointly, several, told
from seqjax.train.progress import Progress
from seqjax.train.step import TrainState
from seqjax.types import Batch

LOOKED_AT = 64
"""Batches that are looked at for the shapes that come first."""


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
      likelihood: What measured, compiled for one device; None if there were several.
    """

    run: RunDir
    data: TaskData
    state: TrainState
    progress: Progress
    reason: str
    compilations: int
    spent: dict[str, float]
    finished_before: bool = False
    likelihood: Likelihood | None = None


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
      overwrite: Remove what an earlier training left there, once the data has been read.
      profile_steps: First and last step of which a profile is recorded.

    Raises:
      InputError: If data, run directory or configuration cannot be used, or another process trains
        there.
      AskedToStop: If a signal comes before the first step.
    """
    assert config.run_dir is not None
    if config.model.kind != "network":
        raise ValueError(f"model.kind must be network (others are fitted), got {config.model.kind}")
    _refuse_cudnn_without_gpu(config)
    layout = build_layout(config)
    spectator = spectator if is_first() else Silent()
    run = create_run(config.run_dir)
    with Interrupts() as interrupts, contextlib.ExitStack() as held:
        jointly(lambda: held.enter_context(locked(run.lock, spectator.note)), first_only=True)
        if not overwrite:
            jointly(lambda: prepare(run, config, resume=resume), first_only=True)
        return _train(run, config, layout, spectator, interrupts, overwrite, profile_steps)


def _train(
    run: RunDir,
    config: Config,
    layout: Layout,
    spectator: Spectator,
    interrupts: Interrupts,
    overwrite: bool,
    profile_steps: tuple[int, int] | None,
) -> Outcome:
    task = build_task(config)
    data = task.data()
    checkpoints = Checkpoints(run.checkpoints, keep=config.keep)
    setup = set_up(task, layout, data, begins=overwrite or told(not checkpoints.steps()))
    refuse_other_data(run, data)
    if overwrite:
        jointly(run.clear, first_only=True)
    jointly(lambda: describe(run, config, data), first_only=True)
    jointly(lambda: refuse_another_directory(run))
    for line in (*data.summary, *setup.lines()):
        spectator.note(line)

    state, progress = restored(checkpoints, setup.first_state(), run, spectator.note)
    plan = setup.plan()
    reason = plan.reason_to_stop(progress)
    if reason and progress.validated_step == progress.step:
        return Outcome(run, data, state, progress, reason, 0, progress.spent, finished_before=True)
    if profile_steps is not None:
        refuse_unreachable(profile_steps, setup.total_steps, progress.step)
    if progress.step:
        spectator.note(f"resume   from step {progress.step} (epoch {progress.epoch + 1})")
    modules = module_names(state.params)
    watching = (
        Watching(run, task, data, spectator, progress, modules)
        if is_first()
        else Unrecorded(progress)
    )
    agreement = Agreement()
    stopping = lambda: agreement.stopping(interrupts.requested)
    step_fn = Step(setup, watching.compiling)
    likelihood = Likelihood(setup.learner, watching.compiling, layout)
    record = None
    if profile_steps is not None:
        record = Profiled(step_fn, profile_steps, progress.step, run.profile, spectator.note)
    goal = spectator.training(progress, steps=setup.total_steps, minutes=config.minutes)
    with contextlib.closing(step_fn), goal, interrupts.polled():
        _begin_to_compile(step_fn, setup, state, progress)
        state, progress, reason = fit(
            state,
            progress,
            step_fn=record or step_fn,
            feed=OwnRows(data.feed, layout.part) if several() else data.feed,
            key=put(setup.key, layout.everywhere),
            initial_memory=layout.put_whole_rows(setup.learner.memory),
            validate=build_validator(
                *(task, setup.learner, data, likelihood, watching.compiling, spectator.note),
                poll=functools.partial(_leave_if, stopping),
                seen=watching.seen,
            ),
            react=lambda state, stalled: setup.laid_out(setup.training.react_fn(state, stalled)),
            keep_best=functools.partial(_keep_best, run),
            report=functools.partial(_report, run, setup),
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
    outcome = Outcome(run, data, state, progress, reason, step_fn.compilations, spent)
    return outcome if layout.mesh.size > 1 else outcome._replace(likelihood=likelihood)


def _begin_to_compile(step_fn: Step, setup: Setup, state: TrainState, at: Progress) -> None:
    """Has the shapes that come first compiled side by side, while what is there already trains.

    On a GPU a compiler tries which of several ways is fastest: there nothing else may run.
    """
    if jax.default_backend() != "cpu" or several() or setup.planned_shapes < 2:
        return
    left = LOOKED_AT if setup.total_steps is None else setup.total_steps - at.step
    coming = itertools.islice(
        setup.data.feed.batches(at.epoch, at.batch), min(max(left, 0), LOOKED_AT)
    )
    batches = map(setup.layout.put_rows, of_each_shape(coming))
    step_fn.begin(state, batches, put(setup.key, setup.layout.everywhere))


def _leave_if(stopping: Callable[[], bool]) -> None:
    if stopping():
        raise Interrupted


def _refuse_cudnn_without_gpu(config: Config) -> None:
    if config.model.unroll == "cudnn" and jax.default_backend() != "gpu":
        raise InputError(
            f"model.unroll cudnn needs a GPU, JAX has {jax.default_backend()}; leave it at auto, "
            f"or ask `seqjax doctor` for what JAX sees"
        )


def _keep_best(run: RunDir, params: Any, row: dict[str, Any]) -> None:
    whole = gather(params)
    if is_first():
        metadata = {"step": str(row["step"]), "validation": json.dumps(row)}
        save_weights(run.best_weights, jax.device_get(whole), metadata)


def _report(run: RunDir, setup: Setup, state: TrainState, batch: Batch, at: Progress) -> str:
    """Writes down a batch after which training could not go on; says where it went wrong."""
    state, batch = gather((state, batch))
    try:
        where = (
            first_not_finite(setup.gradient, state, batch, setup.key)
            or "nowhere, computed once more"
        )
    except Exception as error:  # it walks through JAX's own program, which may hold what is new
        where = f"where cannot be told ({first_line(error)})"
    facts = {"step": at.step, "epoch": at.epoch, "batch": at.batch, "first_not_finite": where}
    paths = []
    write = lambda: paths.append(write_crash(run.crash, state, batch, setup.key, facts))
    jointly(write, first_only=True)
    return f"{where}; the batch is in {told(str(paths[0]) if paths else '')}"

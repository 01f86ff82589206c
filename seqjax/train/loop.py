"""The only Python loop over training steps: when to validate, to save and to stop."""

import dataclasses
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Protocol, runtime_checkable

import jax

from seqjax.errors import InputError
from seqjax.train.checkpoint import Checkpoints
from seqjax.train.step import StepMetrics, TrainState, evaluated_params
from seqjax.types import Batch, Key, Parameters

LOWER_IS_BETTER = (
    "loss",
    "perplexity",
    "bits_per_token",
    "token_error_rate",
    "character_error_rate",
)
ROW_EVERY = 20
"""Steps between two lines of the training history."""
INTERRUPTED = "interrupted"
"""The reason `fit` gives when it stopped because it was asked to; the run can go on."""
MOST_SKIPPED = 20
"""Non-finite steps in a row after which training gives up."""


@dataclasses.dataclass(frozen=True)
class Progress:
    """Where a run stands; saved with every checkpoint as JSON.

    Attributes:
      epoch: Passes over the data that are complete.
      batch: Batches of the current pass that have been used.
      step: Updates made.
      seconds: Time spent training so far, validation and compilation included.
      best: The best value of the validation metric, None before the first validation.
      best_step: When it was reached.
      stalled: Validations since.
      validated_step: When the last validation was.
      loss_total, loss_weight, clipped: Sums since the last line of the history.
    """

    epoch: int = 0
    batch: int = 0
    step: int = 0
    seconds: float = 0.0
    best: float | None = None
    best_step: int = 0
    stalled: int = 0
    validated_step: int = 0
    loss_total: float = 0.0
    loss_weight: float = 0.0
    clipped: int = 0


@runtime_checkable
class Feed(Protocol):
    """Training data: the same batches in the same order for the same epoch, wherever one starts."""

    @property
    def batches_per_epoch(self) -> int: ...

    def batches(self, epoch: int, start: int) -> Iterator[Batch]: ...


@runtime_checkable
class Observer(Protocol):
    """Whoever watches: a terminal, a file, a test."""

    def stepped(self, progress: Progress, metrics: StepMetrics, seconds: float) -> None: ...
    def row(self, row: dict[str, Any]) -> None: ...
    def validated(self, row: dict[str, Any], progress: Progress, is_best: bool) -> None: ...


class Plan(NamedTuple):
    """When to do what. `None` means never.

    Attributes:
      steps, epochs, minutes: The first that is reached ends training.
      patience: Validations without a new best that end it; 0 never does.
      validate_every, save_every: In steps.
      metric: The validation value that decides what is best.
      min_delta: By more than how much a value must be better than the best to be the new one.
      clip_norm: Gradient norm above which a step counts as clipped.
    """

    steps: int | None
    epochs: int | None
    minutes: float | None
    patience: int
    validate_every: int
    save_every: int
    metric: str = "loss"
    min_delta: float = 0.0
    clip_norm: float = 0.0


def fit(
    state: TrainState,
    progress: Progress,
    *,
    step_fn: Callable[[TrainState, Batch, Key], tuple[TrainState, StepMetrics]],
    feed: Feed,
    key: Key,
    initial_memory: Any,
    validate: Callable[[Parameters], dict[str, float]],
    react: Callable[[TrainState, int], TrainState] = lambda state, stalled: state,
    keep_best: Callable[[Parameters, dict[str, Any]], None],
    checkpoints: Checkpoints,
    plan: Plan,
    observer: Observer,
    interrupted: Callable[[], bool] = lambda: False,
) -> tuple[TrainState, Progress, str]:
    """Trains until the plan says stop; returns the last state, where the run stands, and why.

    Started again with the state and progress of a checkpoint it goes on with the very next batch.

    Args:
      state: From `init_state`, or restored.
      progress: `Progress()`, or restored with it.
      step_fn: A compiled `train_step`; may consume the state it is given.
      feed: Training batches.
      key: The run's key.
      initial_memory: What the first batch of every epoch receives as memory.
      validate: Weights to metrics, among them `loss` and the plan's metric.
      react: What a validation changes: state and validations since the best to the state to go on
        with. It must keep shapes and dtypes.
      keep_best: Told of new best weights.
      checkpoints: Where to save.
      plan: When to do what.
      observer: Told of everything.
      interrupted: Polled after each step; True saves and stops.

    Raises:
      InputError: If loss or gradients stay non-finite, or a checkpoint cannot be written.
    """
    started = time.monotonic() - progress.seconds

    def judge(progress: Progress) -> Progress:
        nonlocal state
        params = evaluated_params(state)
        row = {"event": "validation", "step": progress.step, "epoch": progress.epoch}
        row |= validate(params)
        progress, is_best = _judged(progress, row[plan.metric], plan)
        progress = dataclasses.replace(
            progress, validated_step=progress.step, seconds=time.monotonic() - started
        )
        row |= {"best": is_best, "seconds": round(progress.seconds, 2)}
        if is_best:
            keep_best(params, row)
        observer.validated(row, progress, is_best)
        state = react(state, progress.stalled)
        return progress

    while not (reason := _reason_to_stop(progress, plan)):
        if progress.batch == 0:
            state = state._replace(memory=jax.tree.map(lambda leaf: leaf.copy(), initial_memory))
        for batch in feed.batches(progress.epoch, progress.batch):
            before = time.monotonic()
            state, metrics = step_fn(state, batch, key)
            metrics = jax.device_get(metrics)
            progress = _counted(progress, metrics, plan, feed.batches_per_epoch)
            progress = dataclasses.replace(progress, seconds=time.monotonic() - started)
            observer.stepped(progress, metrics, time.monotonic() - before)
            if metrics.skipped_in_a_row >= MOST_SKIPPED:
                raise InputError(
                    f"loss or gradients were not finite for {MOST_SKIPPED} steps up to step "
                    f"{progress.step}; saved steps: {checkpoints.steps() or 'none'}; lower "
                    f"--optimizer.learning-rate or set --optimizer.clip-norm"
                )
            if progress.step % ROW_EVERY == 0:
                observer.row(_history_row(progress, metrics))
                progress = dataclasses.replace(progress, loss_total=0.0, loss_weight=0.0, clipped=0)
            due = progress.step % plan.validate_every == 0
            if due:
                progress = judge(progress)
            if due or progress.step % plan.save_every == 0:
                checkpoints.save(state, dataclasses.asdict(progress))
            if interrupted():
                checkpoints.save(state, dataclasses.asdict(progress))
                return state, progress, INTERRUPTED
            if _reason_to_stop(progress, plan):
                break
    if progress.validated_step != progress.step:
        progress = judge(progress)
        checkpoints.save(state, dataclasses.asdict(progress))
    return state, progress, reason


def _counted(
    progress: Progress, metrics: StepMetrics, plan: Plan, batches_per_epoch: int
) -> Progress:
    finite = metrics.skipped_in_a_row == 0
    next_batch = progress.batch + 1
    done = next_batch == batches_per_epoch
    return dataclasses.replace(
        progress,
        epoch=progress.epoch + done,
        batch=0 if done else next_batch,
        step=progress.step + 1,
        loss_total=progress.loss_total + (float(metrics.loss.total) if finite else 0.0),
        loss_weight=progress.loss_weight + (float(metrics.loss.weight) if finite else 0.0),
        clipped=progress.clipped + bool(0 < plan.clip_norm < metrics.gradient_norm),
    )


def _history_row(progress: Progress, metrics: StepMetrics) -> dict[str, Any]:
    return {
        "event": "train",
        "step": progress.step,
        "epoch": progress.epoch,
        "loss": progress.loss_total / max(progress.loss_weight, 1.0),
        "tokens": progress.loss_weight,
        "gradient_norm": float(metrics.gradient_norm),
        "clipped": progress.clipped / ROW_EVERY,
        "learning_rate": float(metrics.learning_rate),
        "seconds": round(progress.seconds, 2),
    }


def _judged(progress: Progress, value: float, plan: Plan) -> tuple[Progress, bool]:
    """NaN is never the best: it is neither above nor below anything."""
    if progress.best is None:
        is_best = value == value
    else:
        gain = progress.best - value if plan.metric in LOWER_IS_BETTER else value - progress.best
        is_best = gain > plan.min_delta
    if is_best:
        return dataclasses.replace(progress, best=value, best_step=progress.step, stalled=0), True
    return dataclasses.replace(progress, stalled=progress.stalled + 1), False


def _reason_to_stop(progress: Progress, plan: Plan) -> str:
    if plan.steps is not None and progress.step >= plan.steps:
        return f"{plan.steps} steps done"
    if plan.epochs is not None and progress.epoch >= plan.epochs:
        return f"{plan.epochs} epochs done"
    if plan.minutes is not None and progress.seconds >= 60 * plan.minutes:
        return f"{plan.minutes:g} minutes are over"
    if plan.patience and progress.stalled >= plan.patience:
        return f"no new best in {plan.patience} validations"
    return ""

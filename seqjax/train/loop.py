"""The only Python loop over training steps: when to validate, to save and to stop."""

import contextlib
import dataclasses
import time
from collections.abc import Callable, Iterator
from typing import Any

import jax

from seqjax.errors import InputError
from seqjax.train.checkpoint import Checkpoints
from seqjax.train.clock import Clock
from seqjax.train.interrupt import Interrupted
from seqjax.train.plan import Plan
from seqjax.train.prefetch import prefetched
from seqjax.train.progress import ROW_EVERY, Progress, counted, history_row
from seqjax.train.roles import Feed, Observer
from seqjax.train.step import StepMetrics, TrainState, evaluated_params
from seqjax.types import Batch, Key, Parameters

INTERRUPTED = "interrupted"
"""The reason `fit` gives when it stopped because it was asked to; the run can go on."""
AHEAD = 2
"""Batches that are made and placed while a step computes."""


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
    report: Callable[[TrainState, Batch, Progress], str],
    checkpoints: Checkpoints,
    plan: Plan,
    observer: Observer,
    interrupted: Callable[[], bool] = lambda: False,
    place_fn: Callable[[Batch], Any] = jax.device_put,
    now_fn: Callable[[], float] = time.monotonic,
    clock: Clock | None = None,
) -> tuple[TrainState, Progress, str]:
    """Trains until the plan says stop; returns the last state, where the run stands, and why.

    Started again with the state and progress of a checkpoint it goes on with the very next batch,
    and with the validation that was due then if that was not made. What a step reports is fetched
    while the next one computes, unless something is due: then nothing is under way, and what is
    saved is exact.

    Args:
      state: From `init_state`, or restored.
      progress: `Progress()`, or restored with it.
      step_fn: A compiled `train_step`; may consume the state it is given.
      feed: Training batches.
      key: The run's key.
      initial_memory: What the first batch of every epoch receives as memory.
      validate: Weights to metrics, among them `loss` and the plan's metric. It may raise
        `Interrupted`, and is asked again when the run goes on.
      react: What a validation changes: state and validations since the best to the state to go on
        with. It must keep shapes and dtypes.
      keep_best: Told of new best weights.
      report: Told of the batch after which too many steps were not finite, and of the state before
        it; returns in words where it went wrong and what was written down.
      checkpoints: Where to save.
      plan: When to do what.
      observer: Told of everything.
      interrupted: Polled after each step; True saves and stops.
      place_fn: Batches to the device.
      now_fn: Seconds, the same for all who train together.
      clock: Told what the time goes to.

    Raises:
      InputError: If loss or gradients stay non-finite, or the last checkpoint cannot be written.
        One that cannot be written before is told to the observer, and training goes on.
    """
    loop = _Loop(
        state,
        progress,
        *(step_fn, feed, key, initial_memory, validate, react, keep_best, report),
        *(checkpoints, plan, observer, interrupted, place_fn, now_fn),
        clock or Clock(progress.spent),
    )
    reason = loop.run()
    return loop.state, loop.progress, reason


class _WentBackError(Exception):
    """State and progress are those of a checkpoint again."""


@dataclasses.dataclass
class _Loop:
    """Arguments of `fit`, and what changes. `progress` is that of the last step that was settled;
    the one after it may be under way."""

    state: TrainState
    progress: Progress
    step_fn: Callable
    feed: Feed
    key: Key
    initial_memory: Any
    validate: Callable
    react: Callable
    keep_best: Callable
    report: Callable
    checkpoints: Checkpoints
    plan: Plan
    observer: Observer
    interrupted: Callable[[], bool]
    place_fn: Callable
    now_fn: Callable[[], float]
    clock: Clock
    under_way: tuple[Batch, StepMetrics, float] | None = None
    skipping: bool = False
    unsaved: bool = False

    def __post_init__(self):
        self.started = self.now_fn() - self.progress.seconds
        self.settled_at = 0.0

    def run(self) -> str:
        try:
            self._make_up_for_a_validation()
            while not (reason := self.plan.reason_to_stop(self.progress)):
                with contextlib.suppress(_WentBackError):
                    self._epoch()
            return reason
        except Interrupted:
            self._save(last=True)
            return INTERRUPTED

    def _epoch(self) -> None:
        """Trains to the end of the data, or until there is a reason to stop."""
        progress = self.progress
        if progress.batch == 0:
            memory = jax.tree.map(lambda leaf: leaf.copy(), self.initial_memory)
            self.state = self.state._replace(memory=memory)
        batches = self.feed.batches(progress.epoch, progress.batch)
        with contextlib.closing(prefetched(batches, self.place_fn, AHEAD)) as ahead:
            while (batch := self._next(ahead)) is not None:
                with self.clock.on("step"):
                    now = time.monotonic()
                    self.state, metrics = self.step_fn(self.state, batch, self.key)
                    self._settle()
                    self.under_way = batch, metrics, now
                if self._something_is_due():
                    with self.clock.on("step"):
                        self._settle()
                    self._look()
                    if self.plan.reason_to_stop(self.progress):
                        return

    def _next(self, batches: Iterator[Any]) -> Any:
        with self.clock.on("data"):
            return next(batches, None)

    def _settle(self) -> None:
        """Counts the step that is under way, if there is one, when it is done."""
        if self.under_way is None:
            return
        (batch, metrics, begun), self.under_way = self.under_way, None
        metrics = jax.device_get(metrics)
        now = time.monotonic()
        progress = counted(
            self.progress,
            metrics,
            clip_norm=self.plan.clip_norm,
            batches_per_epoch=self.feed.batches_per_epoch,
        )
        self.progress = dataclasses.replace(progress, seconds=self.now_fn() - self.started)
        self.observer.stepped(self.progress, metrics, now - max(begun, self.settled_at))
        self.settled_at = now
        self.skipping = bool(metrics.skipped_in_a_row)
        if metrics.skipped_in_a_row >= self.plan.most_skipped:
            self._give_up(batch)
        if self.progress.step % ROW_EVERY == 0:
            self.observer.row(history_row(self.progress, metrics))
            self.progress = dataclasses.replace(
                self.progress, loss_total=0.0, loss_weight=0.0, clipped=0
            )

    def _something_is_due(self) -> bool:
        """Whether the step under way must be settled before another one begins.

        While steps are skipped each is settled at once, so that the state is still that of the
        batch when there are too many of them.
        """
        plan, step = self.plan, self.progress.step + 1
        over = plan.minutes is not None and self.progress.seconds >= 60 * plan.minutes
        return (
            step == plan.steps
            or self.progress.batch + 1 == self.feed.batches_per_epoch
            or step % plan.validate_every == 0
            or step % plan.save_every == 0
            or over
            or self.skipping
            or plan.most_skipped == 1
            or self.interrupted()
        )

    def _look(self) -> None:
        """Validates and saves what is due. Nothing is under way."""
        if self.interrupted():
            raise Interrupted
        step, plan = self.progress.step, self.plan
        validates = step % plan.validate_every == 0 or bool(plan.reason_to_stop(self.progress))
        if validates:
            self._judge()
        if validates or step % plan.save_every == 0:
            self._save(last=bool(plan.reason_to_stop(self.progress)))
        if self.interrupted():
            raise Interrupted

    def _make_up_for_a_validation(self) -> None:
        """Makes the validation before which the run was stopped, and saves that it was made."""
        progress, plan = self.progress, self.plan
        was_due = progress.step % plan.validate_every == 0 or plan.reason_to_stop(progress)
        if progress.step > progress.validated_step and was_due:
            self._judge()
            self._save(last=bool(plan.reason_to_stop(self.progress)), again=True)

    def _judge(self) -> None:
        with self.clock.on("validate"):
            params = evaluated_params(self.state)
            row = {
                "event": "validation",
                "step": self.progress.step,
                "epoch": self.progress.epoch,
                **self.validate(params),
            }
            progress, is_best = self.plan.judged(self.progress, row[self.plan.metric])
            self.progress = dataclasses.replace(progress, seconds=self.now_fn() - self.started)
            row |= {"best": is_best, "seconds": round(self.progress.seconds, 2)}
            if is_best:
                self.keep_best(params, row)
            self.observer.validated(row, self.progress, is_best)
            self.state = self.react(self.state, self.progress.stalled)

    def _save(self, *, last: bool, again: bool = False) -> None:
        """Saves, unless steps are being skipped: to such a step there is no going back."""
        if self.skipping and not last:
            return
        with self.clock.on("save"):
            self.progress = dataclasses.replace(self.progress, spent=self.clock.totals)
            try:
                self.checkpoints.save(self.state, dataclasses.asdict(self.progress), again=again)
                self.unsaved = False
            except InputError as error:
                if last:
                    raise
                if not self.unsaved:
                    self.observer.note(f"warning  {error}; training goes on and tries again")
                self.unsaved = True

    def _give_up(self, batch: Batch) -> None:
        """Goes back to a checkpoint with a lower rate, or stops.

        Raises:
          InputError: If it stops.
          _WentBackError: If it does not.
        """
        before, progress, plan = self.state, self.progress, self.plan
        where = self.report(before._replace(step=before.step - 1), batch, progress)
        told = (
            f"loss or gradients were not finite for {plan.most_skipped} steps up to step "
            f"{progress.step}: {where}"
        )
        found = None
        if plan.rollback_rate and not progress.rolled_back:
            found = self.checkpoints.restore(before, self.observer.note, good=True)
        if found is None:
            raise InputError(
                f"{told}; saved steps: {self.checkpoints.steps() or 'none'}; lower "
                f"--optimizer.learning-rate or set --optimizer.clip-norm"
            )
        state, stored = found
        self.state = state._replace(rate=state.rate * plan.rollback_rate)
        self.progress = dataclasses.replace(
            Progress(**stored), rolled_back=progress.step, seconds=progress.seconds
        )
        self.skipping = False
        row = {
            "event": "rollback",
            "step": self.progress.step,
            "epoch": self.progress.epoch,
            "from_step": progress.step,
            "rate": float(self.state.rate),
        }
        self.observer.note(
            f"warning  {told}; going back to step {self.progress.step} with "
            f"{float(self.state.rate):g} times the learning rate"
        )
        self.observer.went_back(row, self.progress)
        raise _WentBackError

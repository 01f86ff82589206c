"""When a run validates, saves and stops, and which of its weights are the best."""

import dataclasses
import math
from typing import NamedTuple

from seqjax.config.validation import LOWER_IS_BETTER
from seqjax.train.progress import Progress


class Plan(NamedTuple):
    """When to do what. `None` means never.

    Attributes:
      steps, epochs, minutes: The first that is reached ends training.
      patience: Validations without a new best that end it; 0 never does.
      validate_every, save_every: In steps.
      metric: The validation value that decides what is best.
      min_delta: By more than how much a value must be better than the best to be the new one.
      clip_norm: Gradient norm above which a step counts as clipped.
      most_skipped: Non-finite steps in a row after which the run goes back or stops.
      rollback_rate: Factor on the learning rate with which it goes back to a checkpoint, once; 0
        stops it instead.
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
    most_skipped: int = 20
    rollback_rate: float = 0.0

    def reason_to_stop(self, progress: Progress) -> str:
        """Returns why a run that stands there is done, in words; nothing if it is not."""
        if self.steps is not None and progress.step >= self.steps:
            return f"{self.steps} steps done"
        if self.epochs is not None and progress.epoch >= self.epochs:
            return f"{self.epochs} epochs done"
        if self.minutes is not None and progress.seconds >= 60 * self.minutes:
            return f"{self.minutes:g} minutes are over"
        if self.patience and progress.stalled >= self.patience:
            return f"no new best in {self.patience} validations"
        return ""

    def judged(self, progress: Progress, value: float) -> tuple[Progress, bool]:
        """Returns where the run stands after a validation, and whether that was the best so far.

        What is not finite is never the best, whichever direction is better.
        """
        gain = math.inf
        if progress.best is not None:
            lower = self.metric in LOWER_IS_BETTER
            gain = progress.best - value if lower else value - progress.best
        is_best = math.isfinite(value) and gain > self.min_delta
        changes = {"validated_step": progress.step, "stalled": progress.stalled + 1}
        if is_best:
            changes |= {"best": value, "best_step": progress.step, "stalled": 0}
        return dataclasses.replace(progress, **changes), is_best

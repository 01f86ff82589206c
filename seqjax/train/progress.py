"""Where a run stands, step for step, and what its history says of it."""

import dataclasses
import math
from typing import Any

from seqjax.train.step import StepMetrics

ROW_EVERY = 20
"""Steps between two lines of the training history."""


@dataclasses.dataclass(frozen=True)
class Progress:
    """Where a run stands; saved with every checkpoint as JSON.

    Attributes:
      epoch: Passes over the data that are complete.
      batch: Batches of the current pass that have been used.
      step: Updates made.
      seconds: Time spent training so far, validation and compilation included.
      spent: The same by what it was spent on; see `Clock`.
      best: The best value of the validation metric, None before the first validation.
      best_step: When it was reached.
      stalled: Validations since.
      validated_step: When the last validation was.
      rolled_back: The step from which the run went back to a checkpoint; 0 if it never did.
      loss_total, loss_weight, clipped: Sums since the last line of the history.
    """

    epoch: int = 0
    batch: int = 0
    step: int = 0
    seconds: float = 0.0
    spent: dict[str, float] = dataclasses.field(default_factory=dict)
    best: float | None = None
    best_step: int = 0
    stalled: int = 0
    validated_step: int = 0
    rolled_back: int = 0
    loss_total: float = 0.0
    loss_weight: float = 0.0
    clipped: int = 0


def counted(
    progress: Progress, metrics: StepMetrics, *, clip_norm: float, batches_per_epoch: int
) -> Progress:
    """Returns where the run stands after one more step, which `metrics` (on the host) are of.

    A step that was skipped counts as a step and as a batch, and not in the loss. `clip_norm` is the
    gradient norm above which a step counts as clipped; 0 if none does.
    """
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
        clipped=progress.clipped + bool(finite and 0 < clip_norm < metrics.gradient_norm),
    )


def history_row(progress: Progress, metrics: StepMetrics) -> dict[str, Any]:
    """Returns a line of the history: means since the last one, the last step's norm and rate.

    The loss is NaN where every step was skipped.
    """
    return {
        "event": "train",
        "step": progress.step,
        "epoch": progress.epoch,
        "loss": progress.loss_total / progress.loss_weight if progress.loss_weight else math.nan,
        "tokens": progress.loss_weight,
        "gradient_norm": float(metrics.gradient_norm),
        "clipped": progress.clipped / ROW_EVERY,
        "learning_rate": float(metrics.learning_rate),
        "seconds": round(progress.seconds, 2),
    }

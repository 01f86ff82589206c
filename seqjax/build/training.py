"""From configuration and learner to what is trained, and one update of it."""

import functools
from collections.abc import Callable
from typing import NamedTuple

import optax

from seqjax.build.learner import Learner
from seqjax.build.optimizer import build_optimizer, build_schedule
from seqjax.build.vectors import hold
from seqjax.config import OptimizerConfig
from seqjax.train.step import StepMetrics, TrainState, init_state, train_step
from seqjax.types import Batch, Key, Parameters


class Training(NamedTuple):
    """The two ends of a training step.

    Attributes:
      init_fn: Weights to the state before the first update.
      step_fn: `train_step` with all but state, batch and key chosen; not compiled.
    """

    init_fn: Callable[[Parameters], TrainState]
    step_fn: Callable[[TrainState, Batch, Key], tuple[TrainState, StepMetrics]]


def build_training(config: OptimizerConfig, learner: Learner, total_steps: int | None) -> Training:
    """Returns how `learner` is trained; `total_steps` is when its learning rate has fallen.

    Raises:
      ValueError: If the schedule needs a last step and there is none.
    """
    schedule = build_schedule(config, total_steps)
    optimizer = build_optimizer(config, schedule)
    if learner.held:
        optimizer = optax.chain(optimizer, hold(learner.held, learner.tables))
    return Training(
        functools.partial(
            init_state,
            optimizer=optimizer,
            memory=learner.memory,
            averaged=config.average_decay > 0,
        ),
        functools.partial(
            train_step,
            loss_fn=functools.partial(learner.loss_fn, train=True),
            optimizer=optimizer,
            schedule=schedule,
            average_decay=config.average_decay,
        ),
    )

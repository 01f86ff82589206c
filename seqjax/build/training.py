"""From configuration and learner to what is trained, and one update of it."""

import functools
from collections.abc import Callable
from typing import NamedTuple

import jax
import optax

from seqjax.build.learner import Learner
from seqjax.build.optimizer import build_optimizer
from seqjax.build.reaction import ReactFn, build_reaction
from seqjax.build.schedule import build_schedule
from seqjax.build.vectors import hold
from seqjax.config import OptimizerConfig
from seqjax.train.average import AverageFn, mean_since, moving_average
from seqjax.train.freezing import still
from seqjax.train.gradient import Gradient, batch_gradient
from seqjax.train.noise import noisy_weights
from seqjax.train.progress import ROW_EVERY
from seqjax.train.step import LossFn, StepMetrics, TrainState, init_state, train_step
from seqjax.types import Parameters

GradientFn = Callable[..., Gradient]
"""`(state, batch, key, given) -> gradient`."""


class Training(NamedTuple):
    """The ends of a training step.

    Attributes:
      init_fn: Weights to the state before the first update.
      step_fn: `train_step` with all but state, batch and key chosen; not compiled. It takes what
        the learner is `given` as a fourth argument, for such arrays are not to be compiled in.
      gradient_fn: State before a step, batch, key and what is given to the gradient of `step_fn`.
      react_fn: What a validation changes of the state; on the host.
    """

    init_fn: Callable[[Parameters], TrainState]
    step_fn: Callable[..., tuple[TrainState, StepMetrics]]
    gradient_fn: GradientFn
    react_fn: ReactFn


def build_training(
    config: OptimizerConfig,
    learner: Learner,
    total_steps: int | None,
    epoch_steps: int | None = None,
) -> Training:
    """Returns how `learner` is trained.

    Args:
      config: The recipe.
      learner: What is learnt.
      total_steps: When the learning rate has fallen, for a schedule that needs to know.
      epoch_steps: Steps of an epoch, for a schedule that counts them.

    Raises:
      ValueError: If the schedule needs one of the two and it is None.
    """
    schedule = build_schedule(config, total_steps, epoch_steps)
    optimizer = build_optimizer(config, schedule)
    if learner.held:
        optimizer = optax.chain(optimizer, hold(learner.held, learner.tables))
    average_fn = _average_fn(config)

    def loss_given(given):
        return _noisy_loss(config, functools.partial(learner.loss_fn, train=True, given=given))

    def gradient_fn(state, batch, key, given=()):
        step_key = jax.random.fold_in(key, state.step)
        return batch_gradient(
            *(loss_given(given), state.params, state.memory, batch, step_key, state.step),
            config.accumulate,
        )

    def step_fn(state, batch, key, given=()):
        return train_step(
            *(state, batch, key),
            loss_fn=loss_given(given),
            optimizer=optimizer,
            schedule=schedule,
            average_fn=average_fn,
            parts=config.accumulate,
            norms_every=ROW_EVERY,
        )

    return Training(
        functools.partial(
            init_state,
            optimizer=optimizer,
            memory=learner.memory,
            averaged=average_fn is not None,
        ),
        step_fn,
        gradient_fn,
        build_reaction(config),
    )


def _average_fn(config: OptimizerConfig) -> AverageFn | None:
    if config.name == "nt_asgd":
        return mean_since
    return moving_average(config.average_decay) if config.average_decay else None


def _noisy_loss(config: OptimizerConfig, loss_fn: LossFn) -> LossFn:
    """The loss at weights with noise, of which the frozen ones have neither noise nor gradient."""

    def noisy(params, memory, batch, key, step):
        if config.weight_noise:
            params = noisy_weights(params, config.weight_noise, key, config.freeze)
        return loss_fn(still(params, config.freeze), memory, batch, key, step)

    return noisy

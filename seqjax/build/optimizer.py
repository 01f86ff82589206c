"""From configuration to an optax transformation."""

import jax.numpy as jnp
import optax

from seqjax.config import OptimizerConfig


def build_schedule(config: OptimizerConfig, total_steps: int | None) -> optax.Schedule:
    """Returns the learning rate as a function of the step.

    Raises:
      ValueError: If the schedule needs a last step and there is none.
    """
    peak, warmup = config.learning_rate, config.warmup_steps
    if config.schedule in ("linear", "cosine") and total_steps is None:
        raise ValueError(f"schedule {config.schedule!r} needs a number of steps or epochs")
    falling = max((total_steps or 0) - warmup, 1)
    match config.schedule:
        case "constant":
            after = optax.constant_schedule(peak)
        case "linear":
            after = optax.linear_schedule(peak, 0.0, falling)
        case "cosine":
            after = optax.cosine_decay_schedule(peak, falling)
        case "inverse_sqrt":
            scale = max(warmup, 1)
            after = lambda step: peak * jnp.sqrt(scale / (scale + step))
    return optax.join_schedules([optax.linear_schedule(0.0, peak, max(warmup, 1)), after], [warmup])


def build_optimizer(
    config: OptimizerConfig, schedule: optax.Schedule
) -> optax.GradientTransformation:
    """Returns clipping, update rule and schedule as one optax transformation."""
    match config.name:
        case "adam":
            rule = optax.adam(schedule)
        case "adamw":
            rule = optax.adamw(schedule, weight_decay=config.weight_decay)
        case "sgd":
            rule = optax.sgd(schedule)
    if config.clip_norm:
        return optax.chain(optax.clip_by_global_norm(config.clip_norm), rule)
    return rule

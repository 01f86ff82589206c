"""From configuration to the learning rate of every step."""

import jax.numpy as jnp
import optax

from seqjax.config import OptimizerConfig


def build_schedule(
    config: OptimizerConfig, total_steps: int | None, epoch_steps: int | None = None
) -> optax.Schedule:
    r"""Returns the learning rate as a function of the updates made before.

    With $s$ the updates, $w$ those of the warm-up, $\eta$ the peak and $f$ the floor, it is
    $\eta s / w$ as long as $s < w$, and then, where $T$ is the last step and
    $u = \min(1, \frac{s - w}{T - w})$:

    - constant, plateau: $\eta$
    - linear: $\eta (f + (1 - f)(1 - u))$
    - cosine: $\eta (f + (1 - f) \frac{1 + \cos \pi u}{2})$ (Loshchilov and Hutter, 2017)
    - polynomial: $\eta (f + (1 - f)(1 - u)^p)$
    - inverse_sqrt: $\eta \sqrt{w / s}$ (Vaswani et al., 2017)
    - luong: $\eta \max(f, c^n)$, $n$ the times that it has been lowered (Luong et al., 2015)

    Args:
      config: How it rises and falls.
      total_steps: The last step, where it is known.
      epoch_steps: Steps of an epoch, where they are known.

    Raises:
      ValueError: If the schedule needs one of the two and it is not known.
    """
    peak, warmup, floor = config.learning_rate, config.warmup_steps, config.floor
    if config.needs_last_step and total_steps is None:
        raise ValueError(f"schedule {config.schedule!r} needs a number of steps or epochs")
    falling = max((total_steps or 0) - warmup, 1)
    match config.schedule:
        case "constant" | "plateau":
            after = optax.constant_schedule(peak)
        case "linear":
            after = optax.linear_schedule(peak, floor * peak, falling)
        case "cosine":
            after = optax.cosine_decay_schedule(peak, falling, alpha=floor)
        case "polynomial":
            after = optax.polynomial_schedule(peak, floor * peak, config.power, falling)
        case "inverse_sqrt":
            scale = max(warmup, 1)
            after = lambda step: peak * jnp.sqrt(scale / (scale + step))
        case "luong":
            lowered = _lowerings(config, total_steps, epoch_steps)
            after = lambda step: peak * jnp.maximum(config.factor ** lowered(step + warmup), floor)
    return optax.join_schedules([optax.linear_schedule(0.0, peak, max(warmup, 1)), after], [warmup])


def _lowerings(config: OptimizerConfig, total_steps: int | None, epoch_steps: int | None):
    """How often the rate has been lowered by a step: once at the start, then at equal intervals."""
    match config.luong_unit:
        case "run":
            unit = total_steps
        case "epochs":
            unit = epoch_steps
        case "steps":
            unit = 1
    if unit is None:
        raise ValueError("schedule 'luong' by epochs needs the number of steps of an epoch")
    start, every = round(config.luong_start * unit), max(1, round(config.luong_every * unit))
    return lambda step: jnp.maximum((step - start) // every + 1, 0)

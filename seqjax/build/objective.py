"""From configuration to the parts of what training minimises."""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from seqjax.config import ObjectiveConfig
from seqjax.losses import (
    activation_penalty,
    change_penalty,
    coverage_loss,
    cross_entropy,
    distillation_loss,
    repetition_unlikelihood,
    teacher_log_probs,
)
from seqjax.types import Mean, Padded

LEFT = 0.01
"""Part of the way that a curve which never arrives still has before it at its last step."""


def build_own_share(config: ObjectiveConfig) -> Callable[[Any], Float[Array, ""]] | None:
    """Returns the share of tokens that a decoder reads from itself, by updates before this one.

    Of the update number i, counted from 1, with N = `scheduled_sampling_steps`, it is the whole
    share times `i / N`, at most 1 (linear); `1 - k ** i` (exponential); `1 - k / (k + exp(i / k))`
    (inverse sigmoid, which is not quite 0 at the start), each k so that 1 % is left at N.

    Returns:
      None where nothing is to be read from it.

    References:
      Bengio et al., "Scheduled sampling for sequence prediction with recurrent neural networks",
      2015, section 2.4, of the share that stays true.
    """
    if not config.scheduled_sampling:
        return None
    steps = config.scheduled_sampling_steps
    if not steps:
        return lambda step: jnp.asarray(config.scheduled_sampling, jnp.float32)
    match config.scheduled_sampling_curve:
        case "linear":
            risen = lambda number: jnp.minimum(1.0, number / steps)
        case "exponential":
            risen = lambda number: 1 - LEFT ** (number / steps)
        case "inverse_sigmoid":
            # k / (k + exp(i / k)) without the exponential, which overflows.
            k = _inverse_sigmoid_constant(steps)
            risen = lambda number: 1 / (1 + k * jnp.exp(-number / k))
    return lambda step: config.scheduled_sampling * risen((step + 1).astype(jnp.float32))


def _inverse_sigmoid_constant(steps: int) -> float:
    """Returns k such that `k / (k + exp(steps / k))` is `LEFT`."""
    odds = (1 - LEFT) / LEFT  # exp(steps / k) / k
    low, high = 1e-3, float(steps)
    for _ in range(100):
        middle = (low + high) / 2
        too_small = steps / middle - math.log(middle) > math.log(odds)
        low, high = (middle, high) if too_small else (low, middle)
    return low


class Said(NamedTuple):
    """What a model said of the targets of a batch while it learnt.

    Attributes:
      logits: `[batch, time, vocab]`.
      weights: `[batch, time, source]` where it looked; no columns if there is nothing to look at.
      outputs: `[batch, time, hidden]` of the top layer.
      dropped: `[batch, time, size]` what its output layer read, after dropout.
    """

    logits: Float[Array, "batch time vocab"]
    weights: Float[Array, "batch time source"]
    outputs: Float[Array, "batch time hidden"]
    dropped: Float[Array, "batch time size"]


def taught(
    config: ObjectiveConfig,
    loss: Mean,
    logits: Float[Array, "batch time vocab"],
    teachers: Sequence[Float[Array, "batch time vocab"]],
    targets: Padded,
) -> Mean:
    """Returns a loss mixed with how far a model is from what its teachers say of the same tokens.

    Args:
      config: By which weight, and at which temperature.
      loss: Of the tokens.
      logits: The model's.
      teachers: Theirs.
      targets: What all of them were asked to say.
    """
    temperature, weight = config.teacher_temperature, config.teacher_weight
    softened = teacher_log_probs(teachers, temperature)
    apart = distillation_loss(logits, softened, targets.lengths, temperature)
    return Mean((1 - weight) * loss.total + weight * apart.total, loss.weight)


def token_loss(config: ObjectiveConfig, said: Said, targets: Padded) -> Mean:
    """Returns all that is minimised of single tokens, given the true ones before them: one mean."""
    loss = cross_entropy(
        said.logits,
        targets,
        label_smoothing=config.label_smoothing,
        others_only=config.label_smoothing_kind == "others",
        z_loss=config.z_loss,
    )
    parts: list[tuple[float, Callable[[], Mean]]] = [
        (config.coverage_weight, lambda: coverage_loss(said.weights, targets.lengths)),
        (config.activation_weight, lambda: activation_penalty(said.dropped, targets.lengths)),
        (config.change_weight, lambda: change_penalty(said.outputs, targets.lengths)),
        (config.unlikelihood, lambda: repetition_unlikelihood(said.logits, targets)),
    ]
    for weight, part_fn in parts:
        if weight:  # all have the tokens as their weight
            loss = Mean(loss.total + weight * part_fn().total, loss.weight)
    return loss

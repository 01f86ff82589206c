"""One update, as a pure function: it does not know what a model is."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int

from seqjax.types import Batch, Key, Mean, Parameters

LossFn = Callable[[Parameters, Any, Batch, Key, Any], tuple[Mean, tuple[dict[str, Mean], Any]]]
"""`(params, memory, batch, key, step) -> (loss, (further means, memory after the batch))`.

`key` is for what is random, `step` counts the updates before this one.

`memory` is what one batch hands to the next: the state of a language model that reads a long text
in windows; `()` for a task whose batches have nothing to do with each other.
"""


class TrainState(NamedTuple):
    """Everything that changes in training; saved whole, so that a run can go on from it.

    Attributes:
      step: Updates made.
      params: The weights.
      average: Their exponential moving average, which is what is evaluated; `()` if not wanted.
      optimizer_state: Whatever the optimizer keeps.
      memory: See `LossFn`.
      skipped: Updates left out because loss or gradient was not finite.
      skipped_in_a_row: How many of them since the last good one.
      rate: A factor on the scheduled learning rate. It is 1 at first; whoever sees the run from
        outside lowers it, which compiles nothing anew.
    """

    step: Int[Array, ""]
    params: Any
    average: Any
    optimizer_state: Any
    memory: Any
    skipped: Int[Array, ""]
    skipped_in_a_row: Int[Array, ""]
    rate: Float[Array, ""]


class StepMetrics(NamedTuple):
    """What one update reports.

    The gradient's norm is that before clipping, the learning rate that of the schedule times
    `TrainState.rate`.
    """

    loss: Mean
    means: dict[str, Mean]
    gradient_norm: Float[Array, ""]
    learning_rate: Float[Array, ""]
    skipped_in_a_row: Int[Array, ""]


def init_state(
    params: Parameters,
    optimizer: optax.GradientTransformation,
    *,
    memory: Any = (),
    averaged: bool = False,
) -> TrainState:
    """Returns the state before the first update."""
    state = TrainState(
        step=jnp.zeros((), jnp.int32),
        params=params,
        average=params if averaged else (),
        optimizer_state=optimizer.init(params),
        memory=memory,
        skipped=jnp.zeros((), jnp.int32),
        skipped_in_a_row=jnp.zeros((), jnp.int32),
        rate=jnp.ones((), jnp.float32),
    )
    return jax.tree.map(jnp.copy, state)  # no two leaves share a buffer: all of it is donated


def evaluated_params(state: TrainState) -> Parameters:
    """Returns the weights to evaluate and to keep: the average where there is one."""
    return state.average if jax.tree.leaves(state.average) else state.params


def train_step(
    state: TrainState,
    batch: Batch,
    key: Key,
    *,
    loss_fn: LossFn,
    optimizer: optax.GradientTransformation,
    schedule: optax.Schedule,
    average_decay: float = 0.0,
) -> tuple[TrainState, StepMetrics]:
    """Returns the state after one update on the batch's mean loss per token.

    Where loss or gradient is not finite, weights, optimizer and memory stay as they were and the
    step counts as skipped.

    Args:
      state: Donate it when compiling.
      batch: Any shape; each is compiled once.
      key: The run's key; the dropout of step n is a function of it and n alone.
      loss_fn: What is minimised.
      optimizer: Any optax transformation.
      schedule: The learning rate that it follows, which is only reported here. A step that was
        skipped does not count in it. What the optimizer would add to the weights is multiplied by
        `state.rate`, which is the same as if its learning rate were: weight decay shrinks with it.
      average_decay: Decay of the moving average; it warms up as (1 + n) / (10 + n).
    """

    def objective(params):
        loss, (means, memory) = loss_fn(
            params, state.memory, batch, jax.random.fold_in(key, state.step), state.step
        )
        return loss.value(), (loss, means, memory)

    gradients, (loss, means, memory) = jax.grad(objective, has_aux=True)(state.params)
    gradient_norm = optax.tree.norm(gradients)
    finite = jnp.isfinite(loss.total) & jnp.isfinite(gradient_norm)

    def updated():
        updates, optimizer_state = optimizer.update(gradients, state.optimizer_state, state.params)
        updates = jax.tree.map(lambda update: state.rate * update, updates)
        params = optax.apply_updates(state.params, updates)
        decay = jnp.minimum(average_decay, (1.0 + state.step) / (10.0 + state.step))
        average = jax.tree.map(
            lambda mean, new: decay * mean + (1 - decay) * new,
            state.average,
            params if jax.tree.leaves(state.average) else (),
        )
        return params, average, optimizer_state, memory

    def as_before():
        return state.params, state.average, state.optimizer_state, state.memory

    params, average, optimizer_state, memory = jax.lax.cond(finite, updated, as_before)
    learning_rate = state.rate * jnp.asarray(schedule(state.step - state.skipped), jnp.float32)
    bad = (~finite).astype(jnp.int32)
    in_a_row = (state.skipped_in_a_row + 1) * bad
    after = TrainState(
        step=state.step + 1,
        params=params,
        average=average,
        optimizer_state=optimizer_state,
        memory=memory,
        skipped=state.skipped + bad,
        skipped_in_a_row=in_a_row,
        rate=state.rate,
    )
    return after, StepMetrics(loss, means, gradient_norm, learning_rate, in_a_row)

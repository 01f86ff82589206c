"""One update, as a pure function: it does not know what a model is."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int

from seqjax.train.average import AverageFn
from seqjax.train.gradient import batch_gradient
from seqjax.train.norms import module_norms
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
      average: Their average, which is what is evaluated; `()` if not wanted.
      averaged: How many weights it is the mean of, for an average that somebody starts; else 0.
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
    averaged: Int[Array, ""]
    optimizer_state: Any
    memory: Any
    skipped: Int[Array, ""]
    skipped_in_a_row: Int[Array, ""]
    rate: Float[Array, ""]


class StepMetrics(NamedTuple):
    """What one update reports.

    The gradient's norm is that before clipping, the learning rate that of the schedule times
    `TrainState.rate`. `module_norms` are those of `train/norms.py` where they were due; zeros where
    they were not or the step was skipped; `()` if they never are.
    """

    loss: Mean
    means: dict[str, Mean]
    gradient_norm: Float[Array, ""]
    learning_rate: Float[Array, ""]
    skipped_in_a_row: Int[Array, ""]
    module_norms: Any = ()


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
        averaged=jnp.zeros((), jnp.int32),
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
    average_fn: AverageFn | None = None,
    parts: int = 1,
    norms_every: int = 0,
) -> tuple[TrainState, StepMetrics]:
    """Returns the state after one update on the batch's mean loss per token.

    Where loss or gradient is not finite, weights, optimizer and memory stay as they were and the
    step counts as skipped.

    Args:
      state: Donate it when compiling.
      batch: Any shape; each is compiled once.
      key: The run's key; all that is random in step n is a function of it and n alone.
      loss_fn: What is minimised.
      optimizer: Any optax transformation; one that draws is given the `key` of the step.
      schedule: The learning rate that it follows, which is only reported here. A step that was
        skipped does not count in it. What the optimizer would add to the weights is multiplied by
        `state.rate`, which is the same as if its learning rate were: weight decay shrinks with it.
      average_fn: How weights are averaged, for a state that has an average.
      parts: Parts of the batch that are computed one after the other; see `batch_gradient`.
      norms_every: Steps between two reports of `module_norms`; 0 makes none.
    """
    step_key = jax.random.fold_in(key, state.step)
    gradients, loss, means, memory = batch_gradient(
        loss_fn, state.params, state.memory, batch, step_key, state.step, parts
    )
    gradient_norm = optax.tree.norm(gradients)
    finite = jnp.isfinite(loss.total) & jnp.isfinite(gradient_norm)

    def propose():
        updates, optimizer_state = optax.with_extra_args_support(optimizer).update(
            gradients, state.optimizer_state, state.params, key=step_key
        )
        return jax.tree.map(lambda update: state.rate * update, updates), optimizer_state

    def updated():
        updates, optimizer_state = propose()
        params = optax.apply_updates(state.params, updates)
        average, averaged = state.average, state.averaged
        if average_fn is not None:
            average = average_fn(average, params, state.step - state.skipped, averaged)
            averaged = averaged + jnp.sign(averaged)
        return (params, average, averaged, optimizer_state, memory), norms_if_due()

    def as_before():
        before = state.params, state.average, state.averaged, state.optimizer_state, state.memory
        return before, no_norms()

    def norms():
        # Updates are computed again, so that in all other steps nobody has to keep them.
        return module_norms(gradients, propose()[0], state.params)

    def no_norms():
        return jnp.zeros_like(jax.eval_shape(norms)) if norms_every else ()

    def norms_if_due():
        if not norms_every:
            return ()
        return jax.lax.cond((state.step + 1) % norms_every == 0, norms, no_norms)

    kept, norms_now = jax.lax.cond(finite, updated, as_before)
    params, average, averaged, optimizer_state, memory = kept
    learning_rate = state.rate * jnp.asarray(schedule(state.step - state.skipped), jnp.float32)
    bad = (~finite).astype(jnp.int32)
    in_a_row = (state.skipped_in_a_row + 1) * bad
    after = TrainState(
        step=state.step + 1,
        params=params,
        average=average,
        averaged=averaged,
        optimizer_state=optimizer_state,
        memory=memory,
        skipped=state.skipped + bad,
        skipped_in_a_row=in_a_row,
        rate=state.rate,
    )
    return after, StepMetrics(loss, means, gradient_norm, learning_rate, in_a_row, norms_now)

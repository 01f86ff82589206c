"""From configuration to what a validation changes of the training state."""

from collections.abc import Callable

import jax.numpy as jnp

from seqjax.config import OptimizerConfig
from seqjax.train.step import TrainState

ReactFn = Callable[[TrainState, int], TrainState]
"""`(state, validations since the best) -> state`."""


def build_reaction(config: OptimizerConfig) -> ReactFn:
    """Returns `(state, validations since the best) -> state`: what a validation changes.

    All that it looks at is saved with a run, so that one which goes on reacts as one that was never
    left. A plateau lowers `state.rate`, to the floor at most; a rate that stands lower for other
    reasons stays there. NT-ASGD begins its average with the weights of now.
    """
    factor, floor = config.factor, config.floor

    def lower(state: TrainState, stalled: int) -> TrainState:
        if stalled == 0 or stalled % config.plateau_patience:
            return state
        rate = jnp.minimum(state.rate, jnp.maximum(factor * state.rate, floor))
        return state._replace(rate=rate)

    def average(state: TrainState, stalled: int) -> TrainState:
        if stalled < config.nonmonotone:
            return state
        return state._replace(averaged=jnp.maximum(state.averaged, 1))

    reactions = []
    if config.schedule == "plateau":
        reactions.append(lower)
    if config.name == "nt_asgd":
        reactions.append(average)

    def react(state: TrainState, stalled: int) -> TrainState:
        for reaction in reactions:
            state = reaction(state, stalled)
        return state

    return react

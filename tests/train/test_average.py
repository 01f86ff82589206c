"""Averages along a training, and what validations change: exact also for a run that was left."""

import functools

import jax
import numpy as np
import optax
import pytest
from train import toys

from seqjax.build.reaction import build_reaction
from seqjax.config import OptimizerConfig
from seqjax.train.average import mean_since, moving_average
from seqjax.train.checkpoint import Checkpoints
from seqjax.train.loop import INTERRUPTED
from seqjax.train.progress import Progress
from seqjax.train.step import train_step

pytestmark = pytest.mark.standard_promotion

CONFIG = OptimizerConfig(name="nt_asgd", schedule="plateau", nonmonotone=3, plateau_patience=2)


def test_a_moving_average_is_its_recursion_and_rests_where_nothing_moves():
    average_fn = jax.jit(moving_average(0.9))
    found = by_hand = np.float32(0.5)
    still = np.float32(1 / 3)
    for step in range(60):
        new = np.float32(np.sin(step))
        decay = min(0.9, (1 + step) / (10 + step))
        by_hand = decay * by_hand + (1 - decay) * new
        mean = average_fn({"a": found, "b": still}, {"a": new, "b": still}, step, 0)
        found = mean["a"]
        assert mean["b"] == still
        np.testing.assert_allclose(found, by_hand, rtol=1e-5)


@functools.cache
def step_fn():
    """SGD with the average of NT-ASGD."""
    return jax.jit(
        functools.partial(
            train_step,
            loss_fn=toys.loss_fn,
            optimizer=optax.sgd(0.02),
            schedule=lambda step: 0.02,
            average_fn=mean_since,
        )
    )


def new_state():
    state = toys.new_state()
    return state._replace(optimizer_state=optax.sgd(0.02).init(state.params))


def train(state, progress, checkpoints, weights, interrupted=lambda: False):
    """Validations get no better from a slope of 1 on; all weights after an update are kept."""

    def step(state, batch, key):
        state, metrics = step_fn()(state, batch, key)
        weights.append((float(state.params["slope"]), float(state.rate), int(state.averaged)))
        return state, metrics

    return toys.run(
        state,
        progress,
        checkpoints,
        toys.plan(steps=33, validate_every=2),
        validate=lambda params: {"loss": -min(1.0, float(params["slope"]))},
        interrupted=interrupted,
        step=step,
        react=build_reaction(CONFIG),
    )


def test_averaging_begins_when_validation_stalls_and_is_the_mean_from_there_on():
    weights = []
    state, progress, *_ = train(new_state(), toys.START, toys.NoCheckpoints(), weights)
    slopes, rates, averaged = map(np.array, zip(*weights, strict=True))
    started = int(np.argmax(averaged > 0))  # the first update after the third stalled validation
    assert 6 < started < 30 and progress.best_step == started - 2 * 3
    np.testing.assert_array_equal(averaged[started:], np.arange(2, 2 + len(slopes) - started))
    mean = np.mean(slopes[started - 1 :])
    np.testing.assert_allclose(state.average["slope"], mean, rtol=1e-6)
    assert rates[started - 3] == 1 and rates[started - 1] == 0.5 and rates[-1] < 0.2


@pytest.mark.parametrize("cut", (3, 15, 22, 23))
def test_rate_and_average_go_on_where_a_run_was_left(tmp_path, cut):
    whole, parts = [], []
    expected, *_ = train(new_state(), toys.START, toys.NoCheckpoints(), whole)
    checkpoints = Checkpoints(tmp_path)
    *_, reason, _ = train(
        new_state(), toys.START, checkpoints, parts, interrupted=lambda: len(parts) == cut
    )
    assert reason == INTERRUPTED and len(parts) == cut
    restored = checkpoints.restore(new_state(), pytest.fail)
    assert restored is not None
    state, stored = restored
    found, *_ = train(state, Progress(**stored), checkpoints, parts)
    assert parts == whole
    for one, other in zip(toys.leaves(found), toys.leaves(expected), strict=True):
        np.testing.assert_array_equal(one, other)

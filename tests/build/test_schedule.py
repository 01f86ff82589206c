"""Learning rates beside their formulas, at every step; what a validation changes of them."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from train import toys

from seqjax.build.reaction import build_reaction
from seqjax.build.schedule import build_schedule
from seqjax.config import OptimizerConfig

pytestmark = pytest.mark.standard_promotion

PEAK, LAST, EPOCH, FLOOR = 0.3, 40, 8, 0.2


def fallen(step, warmup):
    """Share of the way from the end of the warm-up to the last step."""
    return min(1.0, (step - warmup) / (LAST - warmup))


def lowered(start, every):
    """Halved from `start` on at every `every` steps, but not below the floor."""
    times = lambda step: sum(step >= at for at in range(start, 99, every))
    return lambda step, warmup: max(FLOOR, 0.5 ** times(step))


SCHEDULES = {
    "constant": ({}, lambda step, warmup: 1.0),
    "plateau": ({"floor": FLOOR}, lambda step, warmup: 1.0),
    "linear": ({"floor": FLOOR}, lambda *at: 1 - (1 - FLOOR) * fallen(*at)),
    "linear to 0": ({}, lambda *at: 1 - fallen(*at)),
    "cosine": (
        {"floor": FLOOR},
        lambda *at: FLOOR + (1 - FLOOR) * (1 + math.cos(math.pi * fallen(*at))) / 2,
    ),
    "polynomial": (
        {"floor": FLOOR, "power": 3.0},
        lambda *at: FLOOR + (1 - FLOOR) * (1 - fallen(*at)) ** 3,
    ),
    "inverse_sqrt": (
        {},
        lambda step, warmup: math.sqrt(warmup / step if warmup else 1 / (1 + step)),
    ),
    "luong": ({"floor": FLOOR}, lowered(20, 4)),
    "luong by epochs": (
        {"floor": FLOOR, "luong_unit": "epochs", "luong_start": 2.0, "luong_every": 1.0},
        lowered(16, 8),
    ),
    "luong by steps": (
        {"floor": FLOOR, "luong_unit": "steps", "luong_start": 3.0, "luong_every": 5.0},
        lowered(3, 5),
    ),
}


@pytest.mark.parametrize("warmup", (0, 7))
@pytest.mark.parametrize("case", SCHEDULES)
def test_schedules_are_their_formulas(case, warmup):
    settings, share = SCHEDULES[case]
    config = OptimizerConfig(
        learning_rate=PEAK, schedule=case.split()[0], warmup_steps=warmup, **settings
    )
    schedule = build_schedule(config, LAST, EPOCH)
    found = jax.jit(jax.vmap(schedule))(jnp.arange(LAST + 5))
    shares = [step / warmup if step < warmup else share(step, warmup) for step in range(LAST + 5)]
    np.testing.assert_allclose(found, PEAK * np.array(shares), rtol=1e-5, atol=1e-7)


def test_a_schedule_that_must_know_its_end_says_so():
    for settings, steps, said in (
        ({"schedule": "cosine"}, None, "'cosine' needs a number of steps or epochs"),
        ({"schedule": "luong"}, None, "'luong' needs a number of steps or epochs"),
        ({"schedule": "luong", "luong_unit": "epochs"}, 9, "needs the number of steps of an epoch"),
    ):
        with pytest.raises(ValueError, match=said):
            build_schedule(OptimizerConfig(**settings), steps)


def test_a_plateau_halves_the_rate_at_every_so_many_stalled_validations_down_to_the_floor():
    config = OptimizerConfig(schedule="plateau", plateau_patience=2, factor=0.5, floor=0.2)
    react, state, rates = build_reaction(config), toys.new_state(), []
    for stalled in (0, 1, 2, 3, 0, 1, 2, 3, 4, 5, 6):
        state = react(state, stalled)
        rates.append(float(state.rate))
    np.testing.assert_allclose(rates, [1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.2, 0.2, 0.2])
    lower = state._replace(rate=jnp.float32(0.1))
    assert float(react(lower, 2).rate) == np.float32(0.1)


def test_nothing_else_reacts_to_validations():
    state = toys.new_state()
    assert build_reaction(OptimizerConfig())(state, 99) is state

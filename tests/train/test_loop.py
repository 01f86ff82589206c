"""The loop: what ends it, what it keeps, and that it goes on as if nothing had happened."""

import dataclasses

import numpy as np
import pytest
from train import toys

from seqjax.errors import InputError
from seqjax.train.checkpoint import Checkpoints
from seqjax.train.loop import INTERRUPTED
from seqjax.train.progress import Progress

pytestmark = pytest.mark.standard_promotion


def whole(plan, **settings):
    return toys.run(toys.new_state(), toys.START, toys.NoCheckpoints(), plan, **settings)


def test_steps_and_epochs_end_a_run():
    state, progress, reason, _ = whole(toys.plan(steps=7))
    assert (int(state.step), progress.epoch, progress.batch, reason) == (7, 1, 2, "7 steps done")
    state, progress, reason, _ = whole(toys.plan(epochs=2))
    assert (int(state.step), progress.epoch, progress.batch) == (10, 2, 0)
    assert reason == "2 epochs done"


def test_minutes_end_a_run():
    _, progress, reason, _ = whole(toys.plan(minutes=1e-4))
    assert progress.step >= 1 and reason == "0.0001 minutes are over"


def test_a_run_that_stalls_ends_and_keeps_its_best():
    values = iter((3.0, 2.0, 2.5, float("nan"), 2.1, 0.0))
    _, progress, reason, kept = whole(
        toys.plan(patience=3), validate=lambda params: {"loss": next(values)}
    )
    assert reason == "no new best in 3 validations"
    assert (progress.best, progress.best_step, progress.stalled) == (2.0, 10, 3)
    assert [step for step, _ in kept] == [5, 10]


def test_higher_is_better_where_it_is():
    values = iter((0.1, 0.3, 0.2))
    _, progress, _, kept = whole(
        toys.plan(epochs=3, metric="exact_match"),
        validate=lambda params: {"loss": 1.0, "exact_match": next(values)},
    )
    assert progress.best == 0.3 and [step for step, _ in kept] == [5, 10]


def test_nan_is_never_the_best():
    _, progress, _, kept = whole(
        toys.plan(epochs=1), validate=lambda params: {"loss": float("nan")}
    )
    assert progress.best is None and kept == []


def test_the_last_step_is_validated_and_saved_once():
    checkpoints, watcher = toys.NoCheckpoints(), toys.Watcher()
    toys.run(
        toys.new_state(), toys.START, checkpoints, toys.plan(steps=7, save_every=3), watcher=watcher
    )
    assert [step for step, _ in watcher.validations] == [5, 7]
    assert checkpoints.saved == [3, 5, 6, 7]


@pytest.mark.parametrize("kill_after", (1, 4, 5, 6, 9, 11))
def test_a_run_that_was_stopped_goes_on_as_if_it_had_not_been(tmp_path, kill_after):
    watched = toys.Watcher()
    expected, expected_progress, _, _ = whole(toys.plan(steps=23), watcher=watched)
    checkpoints, made = Checkpoints(tmp_path), []
    before, after = toys.Watcher(), toys.Watcher()
    *_, reason, _ = toys.run(
        toys.new_state(),
        toys.START,
        checkpoints,
        toys.plan(steps=23),
        watcher=before,
        step=toys.recorded(made),
        interrupted=lambda: len(made) == kill_after,
    )
    assert reason == INTERRUPTED
    checkpoints = Checkpoints(tmp_path)
    restored = checkpoints.restore(toys.new_state(), pytest.fail)
    assert restored is not None
    state, stored = restored
    assert int(state.step) == kill_after
    found, progress, reason, _ = toys.run(
        state, Progress(**stored), checkpoints, toys.plan(steps=23), watcher=after
    )
    assert reason == "23 steps done"
    for one, other in zip(toys.leaves(found), toys.leaves(expected), strict=True):
        np.testing.assert_array_equal(one, other)
    timeless = lambda p: dataclasses.replace(p, seconds=0.0, spent={})
    assert timeless(progress) == timeless(expected_progress)
    assert before.validations + after.validations == watched.validations
    losses = lambda rows: [(row["step"], row["loss"]) for row in rows]
    assert losses(before.rows + after.rows) == losses(watched.rows) != []


def test_a_finished_run_does_nothing_more(tmp_path):
    checkpoints = Checkpoints(tmp_path)
    state, progress, _, _ = toys.run(toys.new_state(), toys.START, checkpoints, toys.plan(steps=5))
    watcher = toys.Watcher()
    again, after, reason, kept = toys.run(
        state, progress, checkpoints, toys.plan(steps=5), watcher=watcher
    )
    assert (int(again.step), after, reason) == (5, progress, "5 steps done")
    assert watcher.validations == [] and kept == []


def test_a_loss_that_stays_infinite_stops_the_run_and_names_the_step():
    def broken(state, batch, key):
        return toys.step_fn()(state, toys.infinite(batch), key)

    with pytest.raises(InputError, match="for 20 steps up to step 20: in batch 0; saved"):
        whole(toys.plan(steps=50), step=broken)

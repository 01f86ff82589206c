"""The loop: what ends it, what it keeps, and that it goes on as if nothing had happened."""

import dataclasses
import os
import signal

import numpy as np
import pytest
from train import toys

from seqjax.errors import InputError
from seqjax.train.checkpoint import Checkpoints
from seqjax.train.interrupt import Interrupted, Interrupts
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


def test_a_gain_must_be_more_than_the_least_that_counts():
    for metric, values in (
        ("perplexity", (3.0, 2.5, 1.9, 1.5)),
        ("chrf", (3.0, 3.5, 4.1, 4.5)),
    ):
        several = iter(values)
        _, progress, _, kept = whole(
            toys.plan(epochs=4, metric=metric, min_delta=1.0),
            validate=lambda params, m=metric, v=several: {"loss": 1.0, m: next(v)},
        )
        assert progress.best == values[2] and [step for step, _ in kept] == [5, 15]


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


QUICK = (1, 4, 5, 6, 9, 11)


@pytest.mark.parametrize(
    "kill_after",
    [k if k in QUICK else pytest.param(k, marks=pytest.mark.slow) for k in range(1, 23)],
)
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


def bad_from(step, until=99, made=None):
    """A step function whose batches have no finite loss from update `step` to `until`."""

    def run(state, batch, key):
        if made is not None:
            made.append(int(state.step))
        bad = step <= int(state.step) < until
        return toys.step_fn()(state, toys.infinite(batch) if bad else batch, key)

    return run


def test_a_run_that_stays_infinite_keeps_its_last_good_checkpoint(tmp_path):
    checkpoints, reported = Checkpoints(tmp_path), []

    def report(state, batch, progress):
        reported.append((int(state.step), np.asarray(batch.inputs.values)))
        return "in the toy"

    with pytest.raises(
        InputError, match="for 3 steps up to step 10: in the toy; saved steps: .6, 7"
    ):
        toys.run(
            toys.new_state(),
            toys.START,
            checkpoints,
            toys.plan(steps=50, save_every=1, most_skipped=3),
            step=bad_from(7),
            report=report,
        )
    # What is reported is the last batch, and the state before it.
    ((step, values),) = reported
    assert step == 9
    np.testing.assert_array_equal(values, toys.make_batch(104).inputs.values)
    found = checkpoints.restore(toys.new_state(), pytest.fail)
    assert found is not None and int(found[0].step) == 7
    assert all(np.isfinite(leaf).all() for leaf in toys.leaves(found[0]))


@pytest.mark.parametrize("most_skipped", (1, 3))
def test_a_run_goes_back_once_with_a_lower_rate(tmp_path, most_skipped):
    checkpoints, watcher, made = Checkpoints(tmp_path), toys.Watcher(), []
    plan = toys.plan(steps=50, save_every=4, most_skipped=most_skipped, rollback_rate=0.25)
    with pytest.raises(InputError, match=f"for {most_skipped} steps up to step {9 + most_skipped}"):
        toys.run(
            toys.new_state(),
            toys.START,
            checkpoints,
            plan,
            step=bad_from(9, made=made),
            watcher=watcher,
        )
    (row,) = watcher.ways_back
    assert (row["step"], row["from_step"], row["rate"]) == (8, 9 + most_skipped, 0.25)
    bad = list(range(8, 9 + most_skipped))
    assert made[-len(bad) :] == bad and made.count(8) == 2  # the batches are read again


def test_a_run_that_went_back_and_is_well_goes_on_at_the_lower_rate(tmp_path):
    calls = []

    def step(state, batch, key):
        bad = int(state.step) == 7 and 7 not in calls
        calls.append(int(state.step))
        return toys.step_fn()(state, toys.infinite(batch) if bad else batch, key)

    plan = toys.plan(steps=20, save_every=4, most_skipped=1, rollback_rate=0.5)
    state, progress, reason, _ = toys.run(
        toys.new_state(), toys.START, Checkpoints(tmp_path), plan, step=step
    )
    assert reason == "20 steps done" and progress.rolled_back == 8
    assert float(state.rate) == 0.5 and int(state.skipped) == 0


def test_a_save_that_fails_is_told_once_and_the_last_one_must_not(tmp_path, monkeypatch):
    checkpoints, watcher = Checkpoints(tmp_path), toys.Watcher()
    plan = toys.plan(steps=9, save_every=1)

    def full(*_):
        raise OSError(28, "No space left on device")

    def step(state, batch, key):
        number = int(state.step)
        monkeypatch.undo()
        if 3 <= number < 6:
            monkeypatch.setattr("os.fsync", full)
        return toys.step_fn()(state, batch, key)

    toys.run(toys.new_state(), toys.START, checkpoints, plan, step=step, watcher=watcher)
    (note,) = watcher.notes
    assert "step 4 could not be saved (No space left on device)" in note and "goes on" in note
    assert checkpoints.steps() == [8, 9]
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(
        InputError, match="step 9 could not be saved .*earlier checkpoints are inta"
    ):
        toys.run(toys.new_state(), toys.START, Checkpoints(tmp_path / "other"), plan)
    assert list((tmp_path / "other").iterdir()) == []


def test_a_validation_that_was_stopped_is_made_when_the_run_goes_on(tmp_path):
    checkpoints, watched, before, after = Checkpoints(tmp_path), *(toys.Watcher() for _ in "abc")
    whole(toys.plan(steps=12), watcher=watched)
    measured = lambda params: {"loss": abs(3.0 - float(params["slope"]))}

    def stopped(params):
        if len(before.validations) == 1:
            raise Interrupted
        return measured(params)

    *_, reason, _ = toys.run(
        toys.new_state(),
        toys.START,
        checkpoints,
        toys.plan(steps=12),
        watcher=before,
        validate=stopped,
    )
    found = checkpoints.restore(toys.new_state(), pytest.fail)
    assert reason == INTERRUPTED and found is not None
    progress = Progress(**found[1])
    assert (progress.step, progress.validated_step) == (10, 5)
    toys.run(found[0], progress, checkpoints, toys.plan(steps=12), watcher=after)
    assert before.validations + after.validations == watched.validations
    found = checkpoints.restore(toys.new_state(), pytest.fail)
    assert found is not None and found[1]["validated_step"] == 12


def test_validating_and_saving_do_not_touch_training(tmp_path):
    often, _, _, kept = toys.run(
        toys.new_state(),
        toys.START,
        Checkpoints(tmp_path),
        toys.plan(steps=13, validate_every=1, save_every=1),
    )
    never, *_ = whole(toys.plan(steps=13, validate_every=99, save_every=99))
    assert len(kept) > 1
    for one, other in zip(toys.leaves(often), toys.leaves(never), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("metric", ("loss", "exact_match"))
@pytest.mark.parametrize("value", (float("nan"), float("inf"), -float("inf")))
def test_what_is_not_finite_is_never_the_best_in_either_direction(metric, value):
    plan = toys.plan(metric=metric)
    for before in (Progress(step=5), Progress(step=5, best=0.5, best_step=3)):
        progress, is_best = plan.judged(before, value)
        assert not is_best and progress.best == before.best and progress.stalled == 1


@pytest.mark.parametrize("place", ("step", "validate", "save", "batches"))
@pytest.mark.parametrize("number", (signal.SIGTERM, signal.SIGINT))
def test_wherever_a_signal_comes_the_run_is_saved_and_goes_on_exactly(
    tmp_path, monkeypatch, place, number
):
    watched, before, after = (toys.Watcher() for _ in "abc")
    expected, *_ = whole(toys.plan(steps=13), watcher=watched)
    checkpoints, calls = Checkpoints(tmp_path), []

    def struck(function, at):
        def call(*arguments, **more):
            calls.append(place)
            if len(calls) == at:
                signal.raise_signal(number) if place != "batches" else os.kill(os.getpid(), number)
            return function(*arguments, **more)

        return call

    measured = lambda params: {"loss": abs(3.0 - float(params["slope"]))}
    with monkeypatch.context() as patch, Interrupts() as interrupts, interrupts.polled():
        if place == "save":
            patch.setattr(checkpoints, "save", struck(checkpoints.save, 1))
        if place == "batches":
            patch.setattr(toys, "make_batch", struck(toys.make_batch, 7))
        *_, reason, _ = toys.run(
            toys.new_state(),
            toys.START,
            checkpoints,
            toys.plan(steps=13),
            watcher=before,
            step=struck(toys.step_fn(), 7) if place == "step" else None,
            validate=struck(measured, 1) if place == "validate" else measured,
            interrupted=lambda: interrupts.requested,
        )
    found = checkpoints.restore(toys.new_state(), pytest.fail)
    assert reason == INTERRUPTED and found is not None and 5 <= int(found[0].step) <= 7
    state, *_ = toys.run(
        found[0], Progress(**found[1]), checkpoints, toys.plan(steps=13), watcher=after
    )
    for one, other in zip(toys.leaves(state), toys.leaves(expected), strict=True):
        np.testing.assert_array_equal(one, other)
    assert before.validations + after.validations == watched.validations

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from train import toys

from seqjax.train.average import moving_average
from seqjax.train.norms import module_names, module_norms
from seqjax.train.progress import ROW_EVERY, Progress, counted, history_row
from seqjax.train.step import StepMetrics, evaluated_params, init_state, train_step
from seqjax.types import Batch, Mean, Padded

pytestmark = pytest.mark.standard_promotion


def test_a_step_moves_towards_the_target_and_counts():
    state, metrics = toys.step_fn()(toys.new_state(), toys.make_batch(0), toys.KEY)
    assert 0 < float(state.params["slope"]) <= 0.11
    assert (int(state.step), int(state.skipped), float(state.memory)) == (1, 0, 1.0)
    assert float(metrics.loss.weight) == 12
    np.testing.assert_allclose(metrics.learning_rate, 0.1)


def test_padding_rows_and_columns_change_nothing():
    batch = toys.make_batch(0, lengths=[3, 2, 0, 1])
    padded = jax.tree.map(lambda leaf: leaf, batch)
    grow = lambda part: Padded(
        np.pad(part.values, ((0, 2), (0, 3)), constant_values=9.0), np.pad(part.lengths, (0, 2))
    )
    padded = Batch(grow(batch.inputs), grow(batch.targets))
    one, _ = toys.step_fn()(toys.new_state(), batch, toys.KEY)
    other, _ = toys.step_fn()(toys.new_state(), padded, toys.KEY)
    for a, b in zip(toys.leaves(one), toys.leaves(other), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)


def test_a_batch_of_nothing_leaves_the_weights_where_they_are():
    batch = toys.make_batch(0, lengths=[0, 0, 0, 0])
    state, metrics = toys.step_fn()(toys.new_state(), batch, toys.KEY)
    assert float(state.params["slope"]) == 0 and float(metrics.loss.value()) == 0


@pytest.mark.parametrize(
    ("x", "y"), ((np.nan, 0), (3e38, 1e10), (0, 1e25)), ids=("both", "gradient", "loss")
)
def test_a_step_that_is_not_finite_changes_nothing_and_is_counted(x, y):
    bad = toys.make_batch(0)
    bad.inputs.values[0, 0], bad.targets.values[0, 0] = x, y
    before, _ = toys.step_fn()(toys.new_state(), toys.make_batch(1), toys.KEY)
    before = before._replace(params={"slope": jnp.float32(0.0)})
    after, metrics = toys.step_fn()(before, bad, toys.KEY)
    assert (int(after.skipped), int(metrics.skipped_in_a_row)) == (1, 1)
    for name in ("params", "average", "optimizer_state", "memory"):
        for a, b in zip(
            toys.leaves(getattr(before, name)), toys.leaves(getattr(after, name)), strict=True
        ):
            np.testing.assert_array_equal(a, b)
    again, metrics = toys.step_fn()(after, toys.make_batch(2), toys.KEY)
    assert (int(again.skipped), int(metrics.skipped_in_a_row)) == (1, 0)
    np.testing.assert_allclose(metrics.learning_rate, toys.SCHEDULE(1), rtol=1e-6)


def test_the_average_lags_behind_the_weights_and_is_what_is_evaluated():
    state = toys.new_state()
    for seed in range(20):
        state, _ = toys.step_fn()(state, toys.make_batch(seed), toys.KEY)
    assert 0 < float(state.average["slope"]) < float(state.params["slope"])
    assert evaluated_params(state) is state.average
    plain = toys.new_state(averaged=False)
    assert evaluated_params(plain) is plain.params


def test_the_average_warms_up_by_updates_and_not_by_what_was_skipped():
    bad = toys.make_batch(0)
    bad.inputs.values[0, 0] = np.nan
    state = toys.new_state()
    for _ in range(4):
        state, _ = toys.step_fn()(state, bad, toys.KEY)
    state, _ = toys.step_fn()(state, toys.make_batch(1), toys.KEY)
    # The first average is (1 + 0) / (10 + 0) old and the rest new.
    np.testing.assert_allclose(state.average["slope"], 0.9 * state.params["slope"], rtol=1e-6)


def test_what_was_skipped_is_no_loss_and_was_not_clipped():
    bad = StepMetrics(Mean(np.nan, 5.0), {}, np.float32(np.inf), np.float32(0.1), np.int32(1), ())
    progress = counted(Progress(step=18), bad, clip_norm=1.0, batches_per_epoch=100)
    row = history_row(progress, bad)
    assert math.isnan(row["loss"]) and row["tokens"] == 0.0 and row["clipped"] == 0.0
    good = bad._replace(loss=Mean(6.0, 3.0), gradient_norm=2.0, skipped_in_a_row=0)
    row = history_row(counted(progress, good, clip_norm=1.0, batches_per_epoch=100), good)
    assert (row["loss"], row["tokens"], row["clipped"]) == (2.0, 3.0, 1 / ROW_EVERY)


def test_randomness_is_a_function_of_key_and_step():
    run = lambda key: toys.step_fn()(toys.new_state(), toys.make_batch(0), key)[1].loss.total
    assert run(jax.random.key(1)) == run(jax.random.key(1)) != run(jax.random.key(2))
    assert jnp.isfinite(run(jax.random.key(1)))
    totals = [
        float(toys.step_fn()(state, toys.make_batch(0), toys.KEY)[1].loss.total)
        for state in (toys.new_state()._replace(step=jnp.int32(step)) for step in range(3))
    ]
    assert len(set(totals)) == 3  # the same weights and batch: the noise alone differs


def test_the_rate_is_a_factor_on_the_learning_rate_and_compiles_nothing_anew():
    """Of AdamW, whose decay shrinks with its learning rate and whose state does not know it."""
    rates = (1.0, 0.25, 0.25, 0.5)

    def run(factor_of_step, rate_of_step):
        schedule = lambda step: 0.1 * factor_of_step(step) / (1.0 + step)
        optimizer = optax.adamw(schedule, weight_decay=0.1)
        traces = []

        def loss_fn(*arguments):
            traces.append(arguments)
            return toys.loss_fn(*arguments)

        compiled = jax.jit(
            functools.partial(train_step, loss_fn=loss_fn, optimizer=optimizer, schedule=schedule)
        )
        state = init_state({"slope": jnp.float32(0.5)}, optimizer, memory=jnp.float32(0.0))
        learning_rates = []
        for number, rate in enumerate(rate_of_step):
            state = state._replace(rate=jnp.array(rate, jnp.float32))
            state, metrics = compiled(state, toys.make_batch(number), toys.KEY)
            learning_rates.append(metrics.learning_rate)
        assert len(traces) == 1
        return state, learning_rates

    by_hand, expected = run(lambda step: jnp.array(rates)[step], (1.0,) * 4)
    by_rate, found = run(lambda step: 1.0, rates)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    np.testing.assert_allclose(found, [0.1 * r / (1 + n) for n, r in enumerate(rates)], rtol=1e-6)
    for one, other in zip(
        toys.leaves(by_hand.optimizer_state), toys.leaves(by_rate.optimizer_state), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=1e-5)
    np.testing.assert_allclose(by_rate.params["slope"], by_hand.params["slope"], rtol=1e-6)


def test_norms_of_modules_are_told_where_they_are_due_and_change_nothing():
    """By hand: the slope is a module of its own, and adam's update is the difference it makes."""
    told = functools.partial(
        train_step,
        loss_fn=toys.loss_fn,
        optimizer=toys.OPTIMIZER,
        schedule=toys.SCHEDULE,
        average_fn=moving_average(0.5),
        norms_every=2,
    )
    told = jax.jit(told)
    state = plain = toys.new_state()
    for number in range(4):
        before = state.params["slope"]
        state, metrics = told(state, toys.make_batch(number), toys.KEY)
        plain, silent = toys.step_fn()(plain, toys.make_batch(number), toys.KEY)
        moved = abs(state.params["slope"] - before)
        wanted = [metrics.gradient_norm, moved, abs(before)] if number % 2 else [0.0, 0.0, 0.0]
        np.testing.assert_allclose(metrics.module_norms, [wanted], rtol=1e-5)
        assert silent.module_norms == ()
        for a, b in zip(toys.leaves(state), toys.leaves(plain), strict=True):
            np.testing.assert_array_equal(a, b)
    bad = toys.make_batch(0)
    bad.inputs.values[0, 0] = np.nan
    state = state._replace(step=state.step + 1)
    np.testing.assert_array_equal(told(state, bad, toys.KEY)[1].module_norms, [[0.0, 0.0, 0.0]])


def test_modules_are_the_first_two_names_of_a_path():
    tree = {"a": {"x": {"k": jnp.array([3.0]), "b": jnp.array([4.0])}}, "c": jnp.array([2.0])}
    assert module_names(tree) == ["a/x", "c"]
    norms = module_norms(tree, jax.tree.map(jnp.zeros_like, tree), tree)
    np.testing.assert_allclose(norms, [[5.0, 0.0, 5.0], [2.0, 0.0, 2.0]])

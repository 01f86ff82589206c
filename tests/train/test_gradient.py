"""A batch in parts is the batch as a whole."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from train import toys

from seqjax.build.training import build_training
from seqjax.config import Config, DataConfig, ModelConfig, OptimizerConfig
from seqjax.tasks.choose import build_task
from seqjax.tasks.task import sizes_of
from seqjax.train.gradient import batch_gradient
from seqjax.types import Mean

pytestmark = pytest.mark.standard_promotion

TASKS = {
    "text-to-text": Config(
        steps=9,
        data=DataConfig(embedded="copy", examples=60, max_length=6, batch_size=12, buckets=1),
        model=ModelConfig(embedding_size=6, hidden_size=8, dropout=0.0),
    ),
    "language-model": Config(
        task="language-model",
        steps=9,
        data=DataConfig(embedded="docs", examples=60, batch_size=12, window=7),
        model=ModelConfig(embedding_size=6, hidden_size=8, dropout=0.0),
    ),
}


@functools.cache
def learner_of(task):
    config = TASKS[task]
    data = build_task(config).data()
    learner = build_task(config).learner(sizes_of(data.vocabularies))
    batches = [batch for _, batch in zip(range(3), data.feed.batches(0, 0), strict=False)]
    return learner, jax.jit(learner.init)(data.example, toys.KEY), batches


def trained(task, config):
    """The state after three batches, and what was said of each."""
    learner, params, batches = learner_of(task)
    training = build_training(config, learner, 9, 9)
    state, step_fn, said = training.init_fn(params), jax.jit(training.step_fn), []
    for batch in batches:
        state, metrics = step_fn(state, batch, toys.KEY)
        said.append(metrics)
    return state, said


@pytest.mark.parametrize("task", TASKS)
def test_a_batch_in_parts_is_the_batch_as_a_whole(task):
    """Also the norm, which is clipped, and the memory of a language model, row by row."""
    config = OptimizerConfig(name="sgd", learning_rate=0.5, clip_norm=0.1, warmup_steps=0)
    whole, said = trained(task, config)
    parts, said_in_parts = trained(task, dataclasses.replace(config, accumulate=3))
    for one, other in zip(said, said_in_parts, strict=True):
        assert one.gradient_norm > 0.1 and one.loss.weight == other.loss.weight
    for one, other in zip(
        toys.leaves((parts, said_in_parts)), toys.leaves((whole, said)), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-6)


def test_parts_of_unequal_weight_count_by_their_tokens():
    batch = toys.make_batch(0, rows=6, lengths=[3, 0, 1, 2, 3, 0])
    quiet = lambda params, memory, batch, key, step: toys.loss_fn(
        params, memory, batch, toys.KEY, step
    )
    params, memory = {"slope": jnp.float32(0.5)}, jnp.arange(6.0)
    take = jax.jit(batch_gradient, static_argnums=(0, 6))
    found = [take(quiet, params, memory, batch, toys.KEY, 0, parts) for parts in (1, 2, 3, 6)]
    for other in found[1:]:
        for one, leaf in zip(toys.leaves(found[0]), toys.leaves(other), strict=True):
            np.testing.assert_allclose(leaf, one, rtol=1e-6)


def test_every_part_draws_for_itself_and_the_same_again():
    def loss_fn(params, memory, batch, key, step):
        drawn = jax.random.uniform(key)
        loss = toys.Mean(params["slope"] * drawn, jnp.float32(1.0))
        return loss, ({"drawn": toys.Mean(drawn**2, jnp.float32(1.0))}, memory)

    params, batch = {"slope": jnp.float32(1.0)}, toys.make_batch(0)
    take = lambda key, parts: batch_gradient(loss_fn, params, (), batch, key, 0, parts)
    two, again = take(toys.KEY, 2), take(toys.KEY, 2)
    mean, square = two.loss.value(), two.means["drawn"].value()
    assert square - mean**2 > 1e-4  # two draws that differ
    assert mean == again.loss.value() != take(jax.random.key(1), 2).loss.value()


def test_rows_that_do_not_divide_are_refused():
    with pytest.raises(ValueError, match="rows of a batch must be divisible by 3 parts, got 4"):
        batch_gradient(toys.loss_fn, {}, (), toys.make_batch(0), toys.KEY, 0, 3)
    with pytest.raises(ValueError, match=r"accumulate must be a divisor of data.batch_size \(12\)"):
        optimizer = OptimizerConfig(accumulate=5)
        dataclasses.replace(TASKS["text-to-text"], optimizer=optimizer)


def test_noise_on_weights_moves_the_gradient_and_is_not_kept():
    """The loss is a square, so that the gradient says at which weights it was taken."""
    settings = {"name": "sgd", "learning_rate": 1e-6, "warmup_steps": 0, "clip_norm": 0.0}
    config = OptimizerConfig(schedule="constant", weight_noise=0.5, **settings)
    learner, params, batches = learner_of("text-to-text")

    def loss_fn(params, memory, batch, key, step, *, train, given=()):
        total = sum(jnp.sum(leaf**2) / 2 for leaf in jax.tree.leaves(params))
        return toys.Mean(total, jnp.float32(1.0)), ({}, memory)

    def begun(config):
        training = build_training(config, learner._replace(loss_fn=loss_fn), 9, 9)
        state, step_fn = training.init_fn(params), jax.jit(training.step_fn)
        return lambda key: step_fn(state, batches[0], key)

    after = begun(config)
    state, metrics = after(toys.KEY)
    size = sum(leaf.size for leaf in jax.tree.leaves(params))
    expected = np.sqrt(0.5**2 * size + float(optax.tree.norm(params)) ** 2)
    np.testing.assert_allclose(metrics.gradient_norm, expected, rtol=0.03)
    np.testing.assert_allclose(toys.leaves(state.params)[0], toys.leaves(params)[0], atol=1e-4)
    assert after(toys.KEY)[1].gradient_norm == metrics.gradient_norm
    assert after(jax.random.key(7))[1].gradient_norm != metrics.gradient_norm
    frozen = dataclasses.replace(config, freeze=("encoder", "decoder"))
    assert begun(frozen)(toys.KEY)[1].gradient_norm == 0


def test_what_nothing_is_weighed_by_moves_nothing_in_parts_either():
    def loss_fn(params, memory, batch, key, step):
        return Mean(3.0 * params["slope"].sum(), jnp.zeros(())), ({}, memory)

    batch = toys.make_batch(0)
    for parts in (1, 2):
        found = batch_gradient(loss_fn, {"slope": jnp.ones(3)}, (), batch, toys.KEY, 0, parts)
        np.testing.assert_array_equal(found.gradients["slope"], jnp.zeros(3))

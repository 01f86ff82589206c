"""The linear chain against all sequences of tags."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from oracles.paths import every_tagging, tag_expectations

from seqjax import lattice
from seqjax.losses import crf_loss, cross_entropy
from seqjax.types import Padded, Transitions, sum_means

TAGS, TIME = 3, 4
LENGTHS = (4, 3, 2, 1, 0)


def random_transitions(rng, forbidden=()):
    start, end, between = (
        rng.normal(size=shape).astype(np.float32) for shape in ((TAGS,), (TAGS,), (TAGS, TAGS))
    )
    for pair in forbidden:
        between[pair] = -np.inf
    return Transitions(start, end, between)


def batch_of(seed=0, forbidden=(), fill=0.0, extra=0):
    rng = np.random.default_rng(seed)
    emissions = np.full((len(LENGTHS), TIME + extra, TAGS), fill, np.float32)
    values = np.full((len(LENGTHS), TIME + extra), int(np.nan_to_num(fill)), np.int32)
    drawn = 2 * rng.normal(size=(len(LENGTHS), TIME, TAGS))
    tags = rng.integers(0, TAGS, size=(len(LENGTHS), TIME))
    for row, length in enumerate(LENGTHS):
        emissions[row, :length] = drawn[row, :length]
        values[row, :length] = tags[row, :length]
    transitions = jax.tree.map(jnp.asarray, random_transitions(rng, forbidden))
    targets = Padded(jnp.asarray(values), jnp.asarray(LENGTHS))
    return jnp.asarray(emissions), targets, transitions


def taggings_of(batch, row):
    emissions, _, transitions = jax.tree.map(np.float64, batch)
    return every_tagging(emissions[row, : LENGTHS[row]], *transitions)


@jax.jit
def partition_and_gradient(emissions, lengths, transitions):
    def total(emissions, transitions):
        totals = lattice.log_partition(emissions, lengths, transitions)
        weights = 1.0 + jnp.arange(totals.shape[0], dtype=jnp.float32)
        return jnp.sum(weights * totals), totals

    gradient, totals = jax.grad(total, argnums=(0, 1), has_aux=True)(emissions, transitions)
    return totals, gradient


@jax.jit
def loss_and_gradient(emissions, targets, transitions):
    value = lambda emissions, transitions: crf_loss(emissions, targets, transitions).total
    slopes = jax.grad(value, argnums=(0, 1))(emissions, transitions)
    return crf_loss(emissions, targets, transitions), slopes


marginals_of = jax.jit(lattice.tag_marginals)
pairs_of = jax.jit(lattice.expected_transitions)


@pytest.mark.parametrize("forbidden", ((), ((0, 2), (1, 2), (2, 2))))
def test_partition_and_expectations_are_those_of_all_sequences(forbidden):
    batch = batch_of(forbidden=forbidden)
    emissions, targets, transitions = batch
    totals, gradient = partition_and_gradient(emissions, targets.lengths, transitions)
    marginals = marginals_of(emissions, targets.lengths, transitions)
    pairs = pairs_of(emissions, targets.lengths, transitions)
    slopes = Transitions(np.zeros(TAGS), np.zeros(TAGS), np.zeros((TAGS, TAGS)))
    for row, length in enumerate(LENGTHS):
        total, tags, counts = tag_expectations(taggings_of(batch, row), length, TAGS)
        np.testing.assert_allclose(totals[row], total, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(marginals[row, :length], tags, atol=1e-6)
        np.testing.assert_array_equal(marginals[row, length:], 0)
        np.testing.assert_allclose(pairs[row], counts, atol=1e-5)
        np.testing.assert_allclose(gradient[0][row], (1 + row) * marginals[row], atol=1e-5)
        if length:
            slopes.start[:] += (1 + row) * tags[0]
            slopes.end[:] += (1 + row) * tags[-1]
            slopes.between[:] += (1 + row) * counts
    for got, wanted in zip(gradient[1], slopes, strict=True):
        np.testing.assert_allclose(got, wanted, atol=1e-5)


def test_the_loss_is_the_negative_log_likelihood_per_tag_and_expected_less_counted():
    batch = batch_of(seed=1)
    emissions, targets, transitions = batch
    loss, slopes = loss_and_gradient(emissions, targets, transitions)
    wanted, emitted = 0.0, np.zeros(emissions.shape)
    moved = Transitions(np.zeros(TAGS), np.zeros(TAGS), np.zeros((TAGS, TAGS)))
    for row, length in enumerate(LENGTHS):
        taggings = taggings_of(batch, row)
        total, tags, counts = tag_expectations(taggings, length, TAGS)
        gold = tuple(np.asarray(targets.values[row, :length]).tolist())
        wanted += total - taggings[gold]
        if not length:
            continue
        emitted[row, :length] = tags
        emitted[row, np.arange(length), gold] -= 1
        moved.start[:] += tags[0]
        moved.start[gold[0]] -= 1
        moved.end[:] += tags[-1]
        moved.end[gold[-1]] -= 1
        moved.between[:] += counts
        np.subtract.at(moved.between, (gold[:-1], gold[1:]), 1)
    np.testing.assert_allclose(loss, (wanted, sum(LENGTHS)), rtol=1e-5)
    np.testing.assert_allclose(slopes[0], emitted, atol=1e-5)
    for got, expected in zip(slopes[1], moved, strict=True):
        np.testing.assert_allclose(got, expected, atol=1e-5)


def test_what_is_added_to_all_emissions_changes_no_probability():
    emissions, targets, transitions = batch_of(seed=2)
    loss, slopes = loss_and_gradient(emissions, targets, transitions)
    shifted = emissions + jnp.arange(TIME, dtype=jnp.float32)[None, :, None] + 5.0
    other, other_slopes = loss_and_gradient(shifted, targets, transitions)
    np.testing.assert_allclose(other, loss, rtol=1e-5)
    jax.tree.map(functools.partial(np.testing.assert_allclose, atol=1e-5), other_slopes, slopes)


def test_nothing_at_padding_is_read():
    loss, slopes = loss_and_gradient(*batch_of(seed=3))
    more, more_slopes = loss_and_gradient(*batch_of(seed=3, fill=np.nan, extra=2))
    np.testing.assert_allclose(more, loss, rtol=1e-6)
    np.testing.assert_allclose(more_slopes[0][:, :TIME], slopes[0], atol=1e-6)
    np.testing.assert_array_equal(more_slopes[0][:, TIME:], 0)
    jax.tree.map(
        functools.partial(np.testing.assert_allclose, atol=1e-6), more_slopes[1], slopes[1]
    )


def test_parts_add_up_and_without_transitions_it_is_the_cross_entropy():
    emissions, targets, transitions = batch_of(seed=4)
    zero = jax.tree.map(jnp.zeros_like, transitions)
    loss, _ = loss_and_gradient(emissions, targets, zero)
    np.testing.assert_allclose(loss, cross_entropy(emissions, targets), rtol=1e-5)
    ones = [jax.tree.map(lambda leaf, row=row: leaf[row : row + 1], targets) for row in range(5)]
    parts = [
        loss_and_gradient(emissions[row : row + 1], one, transitions)[0]
        for row, one in enumerate(ones)
    ]
    whole, _ = loss_and_gradient(emissions, targets, transitions)
    np.testing.assert_allclose(sum_means(parts), whole, rtol=1e-5)


def test_where_everything_is_forbidden_gradients_are_zero():
    emissions, targets, transitions = batch_of(seed=5)
    nothing = transitions._replace(start=jnp.full(TAGS, -jnp.inf))
    totals, gradient = partition_and_gradient(emissions, targets.lengths, nothing)
    np.testing.assert_array_equal(totals, [-np.inf] * 4 + [0])
    for leaf in jax.tree.leaves(gradient):
        np.testing.assert_array_equal(leaf, 0)


def test_two_thousand_steps_cost_few_digits():
    rng = np.random.default_rng(6)
    emissions = 3 * rng.normal(size=(1, 2000, TAGS)).astype(np.float32)
    start, end, between = transitions = random_transitions(rng)
    before, after = np.empty((2, 2000, TAGS))
    before[0], after[-1] = start + emissions[0, 0], end
    add = np.logaddexp.reduce
    for step in range(1, 2000):
        before[step] = add(before[step - 1][:, None] + between, axis=0) + emissions[0, step]
    for step in reversed(range(1999)):
        after[step] = add(between + emissions[0, step + 1] + after[step + 1], axis=1)
    total = add(before[-1] + end)
    transitions = jax.tree.map(jnp.asarray, transitions)
    totals, gradient = partition_and_gradient(
        jnp.asarray(emissions), jnp.array([2000]), transitions
    )
    np.testing.assert_allclose(totals[0], total, rtol=1e-6)
    np.testing.assert_allclose(gradient[0][0], np.exp(before + after - total), atol=2e-5)


@pytest.mark.slow
def test_of_no_steps_there_is_the_empty_sequence():
    _, _, transitions = batch_of()
    totals, gradient = partition_and_gradient(
        jnp.zeros((2, 0, TAGS)), jnp.zeros(2, jnp.int32), transitions
    )
    np.testing.assert_array_equal(totals, 0)
    np.testing.assert_array_equal(gradient[1].between, 0)


def test_forbidding_takes_scores_away_and_leaves_the_others():
    _, _, transitions = batch_of()
    allowed = jax.tree.map(lambda leaf: np.asarray(leaf) > 0, transitions)
    for got, score, may in zip(
        lattice.forbid(transitions, allowed), transitions, allowed, strict=True
    ):
        np.testing.assert_array_equal(got, np.where(may, score, -np.inf))


def test_right_tags_that_are_forbidden_cost_infinitely_much_even_if_all_are():
    none = Transitions(jnp.full(2, -jnp.inf), jnp.zeros(2), jnp.zeros((2, 2)))
    tags = Padded(jnp.array([[0, 1, 0]]), jnp.array([3]))
    assert crf_loss(jnp.zeros((1, 3, 2)), tags, none).value() == jnp.inf


def test_emissions_in_half_precision_are_added_up_in_single():
    tags = Padded(jnp.zeros((1, 1_001), jnp.int32), jnp.array([1_001]))
    emissions = jnp.zeros((1, 1_001, 3), jnp.bfloat16)
    loss_fn = lambda emissions: crf_loss(emissions, tags, lattice.no_transitions(3)).total
    np.testing.assert_allclose(loss_fn(emissions), 1_001 * np.log(3), rtol=1e-5)
    assert jax.grad(loss_fn)(emissions).dtype == jnp.bfloat16

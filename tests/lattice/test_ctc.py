"""CTC against all paths, optax, PyTorch where installed, and Graves's recursion in float64."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from lattice.cases import CASES, COUNT, TIME, VOCAB, batch_of, fits
from oracles.paths import every_labelling, label_posteriors, log_softmax, long_posteriors

from seqjax import lattice
from seqjax.types import Padded


@functools.partial(jax.jit, static_argnames="blank_id")
def values_and_gradient(logits, lengths, labels, *, blank_id=0):
    """Log-probabilities of rows, and the gradient of their sum with a weight for each."""
    weights = 1.0 + jnp.arange(logits.shape[0], dtype=jnp.float32)

    def total(logits):
        log_probs = lattice.label_log_probs(logits, lengths, labels, blank_id=blank_id)
        return jnp.sum(weights * log_probs), log_probs

    (_, log_probs), gradient = jax.value_and_grad(total, has_aux=True)(logits)
    return log_probs, gradient.astype(jnp.float32) / weights[:, None, None]


@pytest.mark.parametrize("blank", (0, pytest.param(VOCAB - 1, marks=pytest.mark.slow)))
def test_the_probability_of_labels_is_that_of_all_their_paths(blank):
    logits, lengths, labels = batch_of(CASES, blank=blank)
    log_probs, gradient = values_and_gradient(logits, lengths, labels, blank_id=blank)
    for row, (length, said) in enumerate(CASES):
        ids = tuple(np.asarray(labels.values[row, : len(said)]).tolist())
        each = log_softmax(logits[row, :length])
        total = every_labelling(each, blank)
        assert (ids in total) == fits(length, said)
        np.testing.assert_allclose(log_probs[row], total.get(ids, -np.inf), rtol=1e-5, atol=1e-6)
        if ids in total:
            slope = label_posteriors(each, ids, blank) - np.exp(each)
            np.testing.assert_allclose(gradient[row, :length], slope, atol=2e-6)
        else:
            np.testing.assert_array_equal(gradient[row], 0)
        np.testing.assert_array_equal(gradient[row, length:], 0)


@pytest.mark.slow
def test_posteriors_are_shares_of_the_paths_that_say_the_labels():
    logits, lengths, labels = batch_of(CASES)
    posteriors_of = jax.jit(lattice.label_posteriors, static_argnames="blank_id")
    found = posteriors_of(logits, lengths, labels, blank_id=0)
    for row, (length, said) in enumerate(CASES):
        wanted = np.zeros((TIME, VOCAB))
        if fits(length, said):
            wanted[:length] = label_posteriors(log_softmax(logits[row, :length]), said, 0)
        np.testing.assert_allclose(found[row], wanted, atol=2e-6)


def test_the_gradient_is_finite_differences():
    logits, lengths, labels = batch_of(CASES, seed=1)
    _, gradient = values_and_gradient(logits, lengths, labels)
    rng = np.random.default_rng(2)
    for row, (length, said) in enumerate(CASES):
        if not fits(length, said):
            continue
        ways = rng.normal(size=(length, VOCAB))
        there, here = (
            every_labelling(log_softmax(np.float64(logits[row, :length]) + sign * ways), 0)[said]
            for sign in (1e-5, -1e-5)
        )
        np.testing.assert_allclose(
            np.sum(gradient[row, :length] * ways), (there - here) / 2e-5, atol=1e-5
        )


@pytest.mark.standard_promotion
def test_values_and_gradients_are_those_of_optax():
    rng, blank = np.random.default_rng(3), 2
    lengths, counts = np.array([30, 30, 17, 9]), np.array([12, 1, 8, 0])
    logits = jnp.asarray(3 * rng.normal(size=(4, 30, 6)).astype(np.float32))
    ids = rng.integers(0, 5, size=(4, 12))
    labels = Padded(jnp.asarray(ids + (ids >= blank)), jnp.asarray(counts))
    paddings = [
        (np.arange(size)[None] >= each[:, None]).astype(np.float32)
        for size, each in ((30, lengths), (12, counts))
    ]

    def theirs(logits):
        costs = optax.ctc_loss(logits, paddings[0], labels.values, paddings[1], blank_id=blank)
        return jnp.sum((1.0 + jnp.arange(4)) * costs), costs

    (_, costs), slope = jax.jit(jax.value_and_grad(theirs, has_aux=True))(logits)
    log_probs, gradient = values_and_gradient(logits, jnp.asarray(lengths), labels, blank_id=blank)
    np.testing.assert_allclose(log_probs, -costs, rtol=1e-5)
    slope /= 1.0 + np.arange(4)[:, None, None]
    np.testing.assert_allclose(gradient, -slope, atol=2e-5)


def test_values_and_gradients_are_those_of_pytorch():
    torch = pytest.importorskip("torch")
    logits, lengths, labels = batch_of([case for case in CASES if fits(*case) and case[0]])
    theirs = torch.tensor(np.asarray(logits), requires_grad=True)
    costs = torch.nn.functional.ctc_loss(
        theirs.log_softmax(-1).swapaxes(0, 1),
        torch.tensor(np.asarray(labels.values)),
        torch.tensor(np.asarray(lengths)),
        torch.tensor(np.asarray(labels.lengths)),
        reduction="none",
    )
    costs.sum().backward()
    log_probs, gradient = values_and_gradient(logits, lengths, labels)
    np.testing.assert_allclose(log_probs, -costs.detach().numpy(), rtol=1e-5)
    np.testing.assert_allclose(gradient, -theirs.grad.numpy(), atol=1e-5)


@pytest.mark.parametrize(("blank_score", "count"), ((0.0, 150), (9.0, 20)))
def test_two_thousand_frames_cost_few_digits(blank_score, count):
    """Random frames, and those of a model that has learnt little but the blank."""
    rng = np.random.default_rng(4)
    logits = 2 * rng.normal(size=(1, 2000, 20)).astype(np.float32)
    logits[..., 0] += blank_score
    said = rng.integers(1, 20, size=count)
    each = log_softmax(logits[0])
    total, posteriors = long_posteriors(each, said, 0)
    labels = Padded(jnp.asarray(np.pad(said, (0, 300 - count)))[None], jnp.array([count]))
    log_probs, gradient = values_and_gradient(jnp.asarray(logits), jnp.array([2000]), labels)
    np.testing.assert_allclose(log_probs[0], total, rtol=1e-6)
    np.testing.assert_allclose(gradient[0], posteriors - np.exp(each), atol=1e-5)


def test_padding_of_frames_and_of_labels_changes_nothing():
    base = values_and_gradient(*batch_of(CASES))
    more = values_and_gradient(*batch_of(CASES, extra_time=3, extra_count=2, fill=np.nan))
    np.testing.assert_allclose(more[0], base[0], rtol=1e-6)
    np.testing.assert_allclose(more[1][:, :TIME], base[1], atol=1e-6)
    np.testing.assert_array_equal(more[1][:, TIME:], 0)
    logits, lengths, labels = batch_of(CASES)
    there = np.arange(COUNT)[None] < np.asarray(labels.lengths)[:, None]
    for other in (-1, VOCAB + 7):
        spoilt = labels._replace(values=jnp.where(there, labels.values, other))
        for got, wanted in zip(values_and_gradient(logits, lengths, spoilt), base, strict=True):
            np.testing.assert_array_equal(got, wanted)


def test_a_forbidden_label_is_impossible_and_a_nan_is_not_hidden():
    logits, lengths, labels = batch_of(CASES)
    forbidden = logits.at[0, :, 2].set(-jnp.inf).at[1, 0, 0].set(-jnp.inf)
    log_probs, gradient = values_and_gradient(forbidden, lengths, labels)
    assert log_probs[0] == -np.inf
    assert log_probs[1] > -np.inf
    assert np.isfinite(gradient).all()
    np.testing.assert_array_equal(gradient[0], 0)
    assert np.isnan(values_and_gradient(logits.at[1, 2, 1].set(jnp.nan), lengths, labels)[0][1])


@pytest.mark.slow
def test_half_precision_is_added_up_in_single_precision():
    logits, lengths, labels = batch_of(CASES)
    half = logits.astype(jnp.bfloat16)
    log_probs, gradient = values_and_gradient(half, lengths, labels)
    wanted, slope = values_and_gradient(half.astype(jnp.float32), lengths, labels)
    np.testing.assert_array_equal(log_probs, wanted)
    np.testing.assert_allclose(gradient, slope, atol=0.01)


@pytest.mark.slow
def test_of_no_frames_there_is_nothing():
    none = Padded(jnp.zeros((2, 0), jnp.int32), jnp.zeros(2, jnp.int32))
    log_probs, _ = values_and_gradient(jnp.zeros((2, 0, VOCAB)), jnp.zeros(2, jnp.int32), none)
    np.testing.assert_array_equal(log_probs, 0)

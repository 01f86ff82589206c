"""Several models as one, against sums by hand."""

import jax.numpy as jnp
import numpy as np
import pytest
from decode.chains import BOS, SYMBOLS, VOCAB, answers, found_by, start, step_fn_of, tables_of
from oracles import search as oracle

from seqjax import decode

CHAINS = [oracle.Chain(seed, VOCAB) for seed in range(6)]
TABLES = [tables_of(CHAINS[:3]), tables_of(CHAINS[3:])]
WAY = decode.Beam(3, n_best=3)


def log_softmax(table):
    return table - np.log(np.exp(table).sum(-1, keepdims=True))


def found_with(step_fn, state):
    return decode.search(step_fn, state, WAY, symbols=SYMBOLS, max_length=4)


def assert_same(found, expected):
    for row in range(3):
        one, other = answers(found, row), answers(expected, row)
        assert [a[0] for a in one] == [a[0] for a in other]
        np.testing.assert_allclose([a[1] for a in one], [a[1] for a in other], atol=1e-5)


@pytest.mark.parametrize("mean", ("log_probs", "probs"))
def test_an_ensemble_is_the_mean_by_hand(mean):
    one, two = (log_softmax(np.float64(table)) for table in TABLES)
    by_hand = {
        "log_probs": 0.75 * one + 0.25 * two,
        "probs": np.log(0.75 * np.exp(one) + 0.25 * np.exp(two)),
    }[mean]
    both = decode.ensemble([step_fn_of(table) for table in TABLES], [3.0, 1.0], mean=mean)
    found = found_with(both, (start(3), start(3)))
    assert_same(found, found_by(WAY, jnp.asarray(by_hand, jnp.float32), max_length=4))


@pytest.mark.parametrize("mean", ("log_probs", "probs"))
def test_copies_of_one_model_are_that_model(mean):
    expected = found_by(WAY, TABLES[0], max_length=4)
    for count in (1, 3):
        many = decode.ensemble([step_fn_of(TABLES[0])] * count, mean=mean)
        assert_same(found_with(many, (start(3),) * count), expected)


def test_a_weight_of_nothing_leaves_a_model_out_even_where_it_forbids():
    forbidding = step_fn_of(jnp.full_like(TABLES[1], -jnp.inf))
    for mean in ("log_probs", "probs"):
        both = decode.ensemble([step_fn_of(TABLES[0]), forbidding], [1.0, 0.0], mean=mean)
        found = found_with(both, (start(3), start(3)))
        assert_same(found, found_by(WAY, TABLES[0], max_length=4))


def test_a_language_model_is_added_by_hand():
    """Its ids are the model's in another order."""
    ids = np.array([2, 0, 3, 1])
    language = log_softmax(np.float64(TABLES[1]))
    mine = language[:, ids][:, :, ids][:, :, :, ids]
    by_hand = log_softmax(np.float64(TABLES[0])) + 0.4 * mine
    fused = decode.fuse(
        step_fn_of(TABLES[0]), step_fn_of(TABLES[1]), 0.4, jnp.asarray(ids, jnp.int32)
    )
    begun = jnp.full((3,), int(ids[BOS]), jnp.int32)
    found = found_with(fused, (start(3), begun))
    assert_same(found, found_by(WAY, jnp.asarray(by_hand, jnp.float32), max_length=4))


@pytest.mark.parametrize("weights", ([1.0], [1.0, -1.0], [0.0, 0.0]))
def test_weights_that_cannot_be_are_refused(weights):
    with pytest.raises(ValueError, match="weights must be"):
        decode.ensemble([step_fn_of(table) for table in TABLES], weights)


def test_who_has_no_weight_forbids_nothing():
    said = jnp.log(jnp.array([[0.5, 0.3, 0.2]]))
    model = lambda tokens, state: (said, state)
    other = lambda tokens, state: (jnp.array([[0.0, -jnp.inf, 0.0]]), state)
    both = decode.fuse(model, other, 0.0, jnp.arange(3))
    nothing = jnp.zeros((1, 1))
    found, _ = both(jnp.array([0]), (nothing, nothing))
    np.testing.assert_allclose(found, said, atol=1e-6)

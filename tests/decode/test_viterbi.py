"""Best sequences of tags against all sequences of tags."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from decode.chains import answers
from oracles.paths import every_tagging, tag_expectations

from seqjax import decode
from seqjax.data.tagging import allowed_transitions
from seqjax.lattice import forbid
from seqjax.types import Transitions

TAGS, TIME, PAD = 3, 4, 7
LENGTHS = (4, 3, 2, 1, 0)
found_by = jax.jit(decode.viterbi, static_argnames=("pad_id", "n_best"))
likeliest_of = jax.jit(decode.likeliest_tags, static_argnames="pad_id")


def batch_of(seed, fill=0.0):
    rng = np.random.default_rng(seed)
    emissions = rng.normal(size=(len(LENGTHS), TIME, TAGS)).astype(np.float32)
    for row, length in enumerate(LENGTHS):
        emissions[row, length:] = fill
    shapes = ((TAGS,), (TAGS,), (TAGS, TAGS))
    transitions = Transitions(*(rng.normal(size=shape).astype(np.float32) for shape in shapes))
    return jnp.asarray(emissions), jnp.array(LENGTHS), jax.tree.map(jnp.asarray, transitions)


def ranked(batch, row):
    """Returns all sequences that are possible as `(tags, score)`, best first."""
    emissions, _, transitions = jax.tree.map(np.float64, batch)
    taggings = every_tagging(emissions[row, : LENGTHS[row]], *transitions)
    return sorted(
        ((tags, value) for tags, value in taggings.items() if value > -np.inf),
        key=lambda item: -item[1],
    )


@pytest.mark.parametrize("n_best", (1, 5, TAGS**TIME))
def test_the_n_best_are_those_of_all_sequences(n_best):
    for seed in range(4):
        batch = batch_of(seed)
        found = found_by(*batch, pad_id=PAD, n_best=n_best)
        assert found.tokens.shape == (len(LENGTHS), n_best, TIME)
        for row, length in enumerate(LENGTHS):
            wanted = ranked(batch, row)
            total = np.logaddexp.reduce([value for _, value in wanted])
            got = answers(found, row)
            assert len(got) == min(n_best, len(wanted))
            for (tags, log_prob, score, finished), (best, value) in zip(got, wanted, strict=False):
                assert tags == best and finished
                np.testing.assert_allclose(score, value, rtol=1e-5, atol=1e-6)
                np.testing.assert_allclose(log_prob, value - total, rtol=1e-5, atol=1e-5)
            np.testing.assert_array_equal(found.tokens[row, :, length:], PAD)


def test_all_sequences_together_have_probability_one():
    found = found_by(*batch_of(9), pad_id=PAD, n_best=TAGS**TIME)
    np.testing.assert_allclose(np.sum(np.exp(found.log_probs), axis=1), 1.0, rtol=1e-5)


def test_no_answer_breaks_the_rules_and_the_best_that_keeps_them_is_found():
    names = ["O", "I-x", "B-x"]
    allowed = allowed_transitions(names, "bio")
    for seed in range(4):
        emissions, lengths, transitions = batch_of(seed)
        rules = forbid(transitions, allowed)
        batch = emissions + jnp.array([0.0, 2.0, 0.0])[None, None], lengths, rules
        found = found_by(*batch, pad_id=PAD, n_best=5)
        for row in range(len(LENGTHS)):
            wanted = ranked(batch, row)[:5]
            got = answers(found, row)
            assert [tags for tags, *_ in got] == [tags for tags, _ in wanted]
            for tags, *_ in got:
                said = [names[tag] for tag in tags]
                pairs = zip(["O", *said], said, strict=False)
                assert not any(two == "I-x" and one == "O" for one, two in pairs)


def test_where_everything_is_forbidden_there_is_no_answer():
    emissions, lengths, transitions = batch_of(0)
    nothing = transitions._replace(end=jnp.full(TAGS, -jnp.inf))
    found = found_by(emissions, lengths, nothing, pad_id=PAD, n_best=5)
    assert [len(answers(found, row)) for row in range(5)] == [0, 0, 0, 0, 1]
    np.testing.assert_array_equal(found.tokens, PAD)


def test_padding_changes_nothing_and_nan_is_forbidden():
    batch, spoilt = batch_of(1), batch_of(1, fill=np.nan)
    for got, wanted in zip(
        found_by(*spoilt, pad_id=PAD, n_best=5), found_by(*batch, pad_id=PAD, n_best=5), strict=True
    ):
        np.testing.assert_array_equal(got, wanted)
    emissions, lengths, transitions = batch
    found = found_by(emissions.at[0, 1, 2].set(jnp.nan), lengths, transitions, pad_id=PAD, n_best=5)
    assert all(tags[1] != 2 for tags, *_ in answers(found, 0))
    assert len(answers(found, 0)) == 5


def test_the_likeliest_tags_are_those_of_the_expectation():
    for seed in range(4):
        batch = batch_of(seed)
        tags, probs = likeliest_of(*batch, pad_id=PAD)
        for row, length in enumerate(LENGTHS):
            marginals = tag_expectations(dict(ranked(batch, row)), length, TAGS)[1]
            np.testing.assert_array_equal(tags[row, :length], np.argmax(marginals, axis=1))
            np.testing.assert_allclose(probs[row, :length], marginals.max(axis=1), rtol=1e-5)
            np.testing.assert_array_equal(tags[row, length:], PAD)
            np.testing.assert_array_equal(probs[row, length:], 0)


def test_equal_scores_give_the_lowest_ids():
    zero = Transitions(jnp.zeros(TAGS), jnp.zeros(TAGS), jnp.zeros((TAGS, TAGS)))
    found = found_by(jnp.zeros((5, TIME, TAGS)), jnp.array(LENGTHS), zero, pad_id=PAD, n_best=1)
    np.testing.assert_array_equal(found.tokens[0, 0], 0)


@pytest.mark.slow
def test_of_no_steps_there_is_the_empty_sequence_and_of_no_answers_nothing():
    _, lengths, transitions = batch_of(0)
    found = found_by(jnp.zeros((5, 0, TAGS)), lengths * 0, transitions, pad_id=PAD, n_best=2)
    assert answers(found, 0) == [((), 0.0, 0.0, True)]
    with pytest.raises(ValueError, match="n_best must be"):
        found_by(*batch_of(0), pad_id=PAD, n_best=0)

"""What answers are ranked by, against the formulas of the toolkits, by name."""

import jax.numpy as jnp
import numpy as np
import pytest

from seqjax import decode

LENGTHS = np.arange(1.0, 9.0)
FORMULAS = {
    # With n tokens, EOS counted; alpha = 0.7.
    "fairseq, transformers, AllenNLP, Nematus": (decode.average(0.7), lambda n: n**0.7),
    "T5X, Joey NMT (GNMT)": (decode.gnmt(0.7), lambda n: ((5 + n) / 6) ** 0.7),
    "Sockeye": (decode.sockeye(0.7, beta=2.0), lambda n: ((2 + n) / (2 + 1)) ** 0.7),
    "Sockeye, default": (decode.sockeye(0.7), lambda n: n**0.7),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_length_penalties_are_the_formulas_of_the_toolkits(name):
    ours, theirs = FORMULAS[name]
    np.testing.assert_allclose(ours(LENGTHS), theirs(LENGTHS), rtol=1e-6)
    np.testing.assert_allclose(decode.average(0.0)(LENGTHS), 1.0)


def test_opennmt_counts_one_token_more():
    """Its penalty at the step that says EOS, of n tokens, is that of n + 1."""
    opennmt = lambda steps: (
        ((5 + steps + 1) / 6) ** 0.9
    )  # onmt: ((5 + cur_len) / 6), cur_len = n + 1
    np.testing.assert_allclose(decode.gnmt(0.9)(LENGTHS + 1), opennmt(LENGTHS))


def test_marian_takes_a_word_penalty_before_it_divides():
    log_probs, lengths = jnp.array([[-4.0, -6.0]]), jnp.array([[2, 5]])
    score_fn = decode.length_normalised(decode.average(0.6), word_reward=-0.3)
    marian = (np.array([-4.0, -6.0]) - 0.3 * np.array([2, 5])) / np.array([2.0, 5.0]) ** 0.6
    np.testing.assert_allclose(score_fn(log_probs, lengths)[0], marian, rtol=1e-6)


def test_sockeye_takes_a_brevity_penalty_off():
    """Weight 3.5: an answer of 1 for 7 expected loses 21, one of 2 for 2 nothing."""
    score_fn = decode.brevity(
        decode.length_normalised(decode.average(0.0)), 3.5, jnp.array([7.0, 2.0])
    )
    found = score_fn(jnp.zeros((2, 1)), jnp.array([[1], [2]]))
    np.testing.assert_allclose(found, [[-21.0], [0.0]])
    with pytest.raises(ValueError, match="weight must be at least 0, got -1"):
        decode.brevity(score_fn, -1.0, jnp.ones((2,)))


def test_coverage_is_that_of_gnmt_and_of_opennmt_and_padding_has_no_part():
    coverage = jnp.array([[[1.0, 0.5, 2.0, 0.0]]])
    mask = jnp.array([[True, True, True, False]])
    np.testing.assert_allclose(
        decode.coverage_penalty(coverage, mask, 0.2), [[0.2 * np.log(0.5)]], rtol=1e-6
    )
    # OpenNMT-py: beta * (sum_j max(coverage_j, 1) - source length), subtracted.
    summary = 0.2 * ((1.0 + 1.0 + 2.0) - 3)
    np.testing.assert_allclose(
        decode.coverage_summary(coverage, mask, 0.2), [[-summary]], rtol=1e-6
    )
    never = decode.coverage_penalty(jnp.zeros((1, 1, 4)), mask, 0.2)
    assert bool(jnp.all(jnp.isfinite(never)))

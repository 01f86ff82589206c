"""The best sequences of independent steps against Viterbi without transitions."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seqjax import decode
from seqjax.lattice import no_transitions

TAGS, TIME, PAD = 3, 4, 7
LENGTHS = (4, 3, 2, 1, 0)


@pytest.mark.parametrize("n_best", (1, 2, 5, 100))
def test_the_n_best_are_those_of_viterbi(n_best):
    logits = jax.random.normal(jax.random.key(n_best), (len(LENGTHS), TIME, TAGS))
    logits = logits.at[0, 1, 2].set(-jnp.inf)
    lengths = jnp.array(LENGTHS)
    found = decode.stepwise(logits, lengths, pad_id=PAD, n_best=n_best)
    wanted = decode.viterbi(logits, lengths, no_transitions(TAGS), pad_id=PAD, n_best=n_best)
    np.testing.assert_array_equal(found.tokens, wanted.tokens)
    np.testing.assert_array_equal(found.lengths, wanted.lengths)
    np.testing.assert_array_equal(found.finished, wanted.finished)
    np.testing.assert_allclose(found.log_probs, wanted.log_probs, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(found.scores, found.log_probs)


def test_what_stands_at_padding_changes_nothing():
    logits = jax.random.normal(jax.random.key(0), (len(LENGTHS), TIME, TAGS))
    late = jnp.arange(TIME)[None, :, None] >= jnp.array(LENGTHS)[:, None, None]
    lengths = jnp.array(LENGTHS)
    found = decode.stepwise(logits, lengths, pad_id=PAD, n_best=3)
    other = decode.stepwise(jnp.where(late, jnp.nan, logits), lengths, pad_id=PAD, n_best=3)
    jax.tree.map(np.testing.assert_array_equal, found, other)


def test_there_is_one_sequence_at_least():
    with pytest.raises(ValueError, match="n_best must be at least 1, got 0"):
        decode.stepwise(jnp.zeros((1, 1, 2)), jnp.ones(1, int), pad_id=0, n_best=0)

import jax
import jax.numpy as jnp
import numpy as np

from seqjax.losses import repeats_ngram, repetition_unlikelihood, unlikelihood
from seqjax.types import Padded, sum_means

LENGTHS = np.array([6, 3, 0])


def make():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(3, 6, 4)).astype(np.float32)
    return logits, rng.integers(0, 4, size=(3, 6)).astype(np.int32)


def by_hand(logits, tokens):
    total = 0.0
    for row, length in enumerate(LENGTHS):
        for time in range(length):
            probs = np.exp(logits[row, time]) / np.exp(logits[row, time]).sum()
            for candidate in set(tokens[row, :time]) - {tokens[row, time]}:
                total -= np.log(1 - probs[candidate])
    return total


def loss_of(logits, tokens):
    return repetition_unlikelihood(
        jnp.asarray(logits), Padded(jnp.asarray(tokens), jnp.asarray(LENGTHS))
    )


def test_it_is_the_sum_over_distinct_earlier_tokens():
    logits, tokens = make()
    assert len(set(tokens[0])) < 6  # some come twice
    np.testing.assert_allclose(loss_of(logits, tokens), (by_hand(logits, tokens), 9), rtol=1e-5)


def test_padding_has_no_part_in_value_or_gradient():
    logits, tokens = make()
    mask = np.arange(6)[None] < LENGTHS[:, None]
    spoilt = np.where(mask[..., None], logits, np.nan), np.where(mask, tokens, 99)
    total = lambda logits, tokens: loss_of(logits, tokens).total
    np.testing.assert_array_equal(total(*spoilt), total(logits, tokens))
    np.testing.assert_array_equal(
        jax.grad(total)(jnp.asarray(spoilt[0]), spoilt[1]),
        jax.grad(total)(jnp.asarray(logits), tokens),
    )


def test_parts_add_up():
    logits, tokens = make()
    parts = [
        repetition_unlikelihood(
            jnp.asarray(logits[row : row + 1]),
            Padded(jnp.asarray(tokens[row : row + 1]), jnp.asarray(LENGTHS[row : row + 1])),
        )
        for row in range(3)
    ]
    np.testing.assert_allclose(sum_means(parts).value(), loss_of(logits, tokens).value(), rtol=1e-6)


def test_it_is_finite_where_a_model_is_sure_of_what_it_should_not_say():
    logits = jnp.zeros((1, 1, 3)).at[0, 0, 1].set(200.0)
    cost = lambda z: jnp.sum(unlikelihood(z, jnp.ones((1, 1, 1), int), jnp.ones((1, 1, 1), bool)))
    np.testing.assert_allclose(cost(logits), -np.log(1e-6), rtol=1e-3)
    assert np.isfinite(jax.grad(cost)(logits)).all()


def test_tokens_of_repeated_ngrams_are_those_of_the_loop():
    tokens = np.random.default_rng(1).integers(0, 3, size=(20, 9)).astype(np.int32)
    lengths = np.random.default_rng(2).integers(0, 10, size=20)
    for size in (1, 2, 3, 4, 10):
        wanted = np.zeros(tokens.shape, bool)
        for row, length in enumerate(lengths):
            seen = set()
            for start in range(length - size + 1):
                ngram = tuple(tokens[row, start : start + size])
                wanted[row, start : start + size] |= ngram in seen
                seen.add(ngram)
        got = repeats_ngram(jnp.asarray(tokens), jnp.asarray(lengths), size)
        np.testing.assert_array_equal(got, wanted)

"""Logits processors against loops."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from oracles import search as oracle

from seqjax import decode

VOCAB, ROOM, ROWS = 6, 7, 40
CASES = {
    "repetition": (
        decode.repetition_penalty(1.3, exempt=(2,)),
        functools.partial(oracle.repetition_penalty, penalty=1.3, exempt=(2,)),
    ),
    "encouragement": (
        decode.repetition_penalty(0.5),
        functools.partial(oracle.repetition_penalty, penalty=0.5),
    ),
    **{
        f"{size}-grams": (
            decode.no_repeat_ngram(size, exempt=(2,)),
            functools.partial(oracle.no_repeat_ngram, size=size, exempt=(2,)),
        )
        for size in (1, 2, 3)
    },
    "min_length": (
        decode.min_length(3, eos_id=1),
        functools.partial(oracle.min_length, minimum=3, eos=1),
    ),
    "top_p": (decode.top_p(0.79), lambda logits, tokens: oracle.top_p(logits, 0.79)),
}


def draw(seed):
    """Logits with ties and forbidden tokens; histories with garbage beyond their length."""
    rng = np.random.default_rng(seed)
    logits = np.round(rng.normal(size=(ROWS, VOCAB)) * 2, 1).astype(np.float32)
    logits[:, 0][rng.random(ROWS) < 0.2] = -np.inf
    history = rng.integers(0, 3, size=(ROWS, ROOM)).astype(np.int32)
    return jnp.asarray(logits), jnp.asarray(history)


@pytest.mark.parametrize("name", CASES)
def test_processors_are_their_loops(name):
    ours, theirs = CASES[name]
    jitted = jax.jit(ours)
    for length in range(ROOM):
        logits, history = draw(length)
        found = jitted(logits, history, jnp.int32(length))
        for row in range(ROWS):
            tokens = tuple(np.asarray(history[row, :length]).tolist())
            expected = theirs(np.float64(logits[row]), tokens)
            np.testing.assert_allclose(found[row], expected, rtol=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_what_stands_beyond_the_length_is_never_seen(name):
    process = CASES[name][0]
    logits, history = draw(0)
    spoilt = history.at[:, 3:].set(5)
    length = jnp.int32(3)
    np.testing.assert_array_equal(process(logits, spoilt, length), process(logits, history, length))


@pytest.mark.parametrize(
    "neutral",
    (
        decode.chain(),
        decode.repetition_penalty(1.0),
        decode.min_length(0, eos_id=1),
        decode.forbid(()),
        decode.temperature(1.0),
        decode.top_k(VOCAB),
        decode.top_p(1.0),
        decode.no_repeat_ngram(ROOM + 1),
    ),
)
def test_neutral_settings_change_no_bit(neutral):
    logits, history = draw(1)
    np.testing.assert_array_equal(neutral(logits, history, jnp.int32(5)), logits)


def test_chain_applies_from_left_to_right():
    logits, history = draw(2)
    first, second = decode.temperature(2.0), decode.top_p(0.5)
    length = jnp.int32(4)
    both = decode.chain(first, second)(logits, history, length)
    np.testing.assert_array_equal(both, second(first(logits, history, length), history, length))
    turned = decode.chain(second, first)(logits, history, length)
    assert bool(jnp.any(both != turned))


def test_a_negative_logit_of_a_seen_token_falls():
    logits = jnp.array([[-1.0, 1.0, 0.0, -jnp.inf]])
    history = jnp.array([[0, 1, 2, 3, 0]])
    penalised = decode.repetition_penalty(2.0)(logits, history, jnp.int32(5))
    np.testing.assert_array_equal(penalised, [[-2.0, 0.5, 0.0, -np.inf]])


def test_the_last_tokens_decide_what_would_repeat():
    """1 2 5 7 8 5 1 2 forbids 5 and nothing else under n = 3, whatever fills the buffer."""
    history = jnp.array([[1, 2, 5, 7, 8, 5, 1, 2, 0, 0, 0]])
    out = decode.no_repeat_ngram(3)(jnp.zeros((1, 9)), history, jnp.int32(8))
    assert np.flatnonzero(np.isneginf(out[0])).tolist() == [5]


def test_filters_keep_the_likeliest_token_at_least():
    logits, history = draw(3)
    for narrow in (decode.top_p(1e-9), decode.top_k(1)):
        kept = narrow(logits, history, jnp.int32(0)) > -jnp.inf
        best = jnp.argmax(logits, axis=1)[:, None]
        assert bool(jnp.all(jnp.take_along_axis(kept, best, axis=1)))


def test_top_k_keeps_k_and_ties():
    logits = jnp.array([[3.0, 1.0, 2.0, 2.0, 0.0]])
    kept = decode.top_k(2)(logits, jnp.zeros((1, 1), jnp.int32), jnp.int32(0)) > -jnp.inf
    assert kept.tolist() == [[True, False, True, True, False]]


@pytest.mark.parametrize(
    "make",
    (
        lambda: decode.repetition_penalty(0.0),
        lambda: decode.no_repeat_ngram(0),
        lambda: decode.temperature(0.0),
        lambda: decode.top_k(0),
        lambda: decode.top_p(0.0),
        lambda: decode.min_length(-1, eos_id=0),
    ),
)
def test_impossible_settings_are_refused(make):
    with pytest.raises(ValueError, match="must be .*, got"):
        make()

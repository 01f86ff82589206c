"""Logits processors against loops."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from oracles import processors as oracle

from seqjax import decode

VOCAB, ROOM, BATCH, BEAM = 6, 7, 20, 2
ROWS = BATCH * BEAM
GENERATOR = np.random.default_rng(11)
SOURCE = GENERATOR.integers(0, VOCAB, (BATCH, 5))
SOURCE_LENGTHS = GENERATOR.integers(0, 6, BATCH)
PREFIXES = GENERATOR.integers(0, VOCAB, (BATCH, 3))
PREFIX_LENGTHS = GENERATOR.integers(0, 4, BATCH)
LIMITS = GENERATOR.integers(1, ROOM + 1, BATCH)
BIASES = {(2,): 1.5, (0, 1): -2.0, (1, 2, 0): -np.inf, (1, 0): 0.25}
PHRASES = ((4,), (0, 1), (1, 2, 0))
SOURCED = tuple(jnp.asarray(part, jnp.int32) for part in (SOURCE, SOURCE_LENGTHS))
PREFIXED = tuple(jnp.asarray(part, jnp.int32) for part in (PREFIXES, PREFIX_LENGTHS))
DECAY = {"start": 2, "factor": 1.3}


def same(name, *arguments, **settings):
    """Ours and the loop of the same name and settings."""
    ours = getattr(decode, name)(*arguments, **settings)
    loop = getattr(oracle, name)
    return ours, lambda logits, tokens, row: loop(logits, tokens, *arguments, **settings)


def of_source(name, value, **settings):
    ours = getattr(decode, name)(value, *SOURCED, **settings)
    loop = getattr(oracle, name)

    def sourced(logits, tokens, row):
        source = tuple(SOURCE[row // BEAM, : SOURCE_LENGTHS[row // BEAM]].tolist())
        return loop(logits, tokens, value, source, **settings)

    return ours, sourced


def loop(name, **settings):
    function = functools.partial(getattr(oracle, name), **settings)
    return lambda logits, tokens, row: function(logits, tokens)


CASES = {
    **{
        f"repetition {meaning}": same("repetition_penalty", 1.3, meaning=meaning, exempt=(2,))
        for meaning in ("logits", "log_probs", "normalized")
    },
    "encouragement": same("repetition_penalty", 0.5),
    "repetition in a window": same("repetition_penalty", 1.3, window=2),
    "encoder repetition": of_source("encoder_repetition_penalty", 1.4, exempt=(3,)),
    "encoder discouragement": of_source("encoder_repetition_penalty", 0.7, meaning="log_probs"),
    "presence": same("presence_penalty", 0.7, exempt=(1,)),
    "frequency": same("frequency_penalty", 0.7, exempt=(1,)),
    "frequency in a window": same("frequency_penalty", -0.3, window=3),
    **{f"{size}-grams": same("no_repeat_ngram", size, exempt=(2,)) for size in (1, 2, 3)},
    "2-grams in a window": same("no_repeat_ngram", 2, window=4),
    "1-grams in a window": same("no_repeat_ngram", 1, window=2),
    **{
        f"encoder {size}-grams": of_source("encoder_no_repeat_ngram", size, exempt=(0,))
        for size in (1, 2, 3)
    },
    "min_length": (decode.min_length(3, eos_id=1), loop("min_length", minimum=3, eos=1)),
    "decay": (decode.decay_length(**DECAY, eos_id=1), loop("decay_length", **DECAY, eos=1)),
    "first": (decode.force_first(3), loop("force_first", token=3)),
    "last": (
        decode.force_last(3, limits=jnp.asarray(LIMITS)),
        lambda logits, tokens, row: oracle.force_last(logits, tokens, 3, LIMITS[row // BEAM]),
    ),
    "prefix": (
        decode.force_prefix(*PREFIXED),
        lambda logits, tokens, row: oracle.force_prefix(
            logits, tokens, PREFIXES[row // BEAM, : PREFIX_LENGTHS[row // BEAM]]
        ),
    ),
    "bias": same("sequence_bias", BIASES),
    "phrases": same("forbid_phrases", PHRASES),
    "at start": same("forbid_at_start", (0, 3)),
    "top_k": same("top_k", 3),
    "top_p": same("top_p", 0.79),
    "min_p": same("min_p", 0.23),
    "typical": same("typical_p", 0.61),
    "epsilon": same("epsilon_cutoff", 0.13),
    "eta": same("eta_cutoff", 0.31),
}


def draw(seed):
    """Logits with ties and forbidden tokens; histories with garbage beyond their lengths."""
    rng = np.random.default_rng(seed)
    logits = np.round(rng.normal(size=(ROWS, VOCAB)) * 2, 1).astype(np.float32)
    logits[:, 0][rng.random(ROWS) < 0.2] = -np.inf
    history = rng.integers(0, 3, size=(ROWS, ROOM)).astype(np.int32)
    lengths = rng.integers(0, ROOM, ROWS).astype(np.int32)
    return jnp.asarray(logits), jnp.asarray(history), jnp.asarray(lengths)


@pytest.mark.parametrize("name", CASES)
def test_processors_are_their_loops(name):
    ours, theirs = CASES[name]
    jitted = jax.jit(ours)
    for seed in range(4):
        logits, history, lengths = draw(seed)
        found = jitted(logits, history, lengths)
        for row in range(ROWS):
            tokens = tuple(np.asarray(history[row, : lengths[row]]).tolist())
            expected = theirs(np.float64(logits[row]), tokens, row)
            np.testing.assert_allclose(found[row], expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_what_stands_beyond_the_length_is_never_seen(name):
    process = jax.jit(CASES[name][0])
    logits, history, lengths = draw(0)
    beyond = jnp.arange(ROOM)[None] >= lengths[:, None]
    spoilt = jnp.where(beyond, 5, history)
    np.testing.assert_array_equal(
        process(logits, spoilt, lengths), process(logits, history, lengths)
    )


@pytest.mark.parametrize("name", CASES)
def test_rows_know_nothing_of_each_other_and_nothing_is_changed_in_place(name):
    process = jax.jit(CASES[name][0])
    logits, history, lengths = draw(3)
    before = np.array(logits)
    whole = process(logits, history, lengths)
    np.testing.assert_array_equal(logits, before)
    # Other rows of the batch: all but those of one sentence are another draw.
    others = draw(4)
    mine = slice(6, 8)
    mixed = [other.at[mine].set(own[mine]) for other, own in zip(others, draw(3), strict=True)]
    np.testing.assert_array_equal(process(*mixed)[mine], whole[mine])


@pytest.mark.parametrize(
    "neutral",
    (
        decode.chain(),
        *(
            decode.repetition_penalty(1.0, meaning=meaning)
            for meaning in ("logits", "log_probs", "normalized")
        ),
        decode.encoder_repetition_penalty(1.0, *SOURCED),
        decode.presence_penalty(0.0),
        decode.frequency_penalty(0.0),
        decode.min_length(0, eos_id=1),
        decode.decay_length(0, 1.0, eos_id=1),
        decode.force_prefix(jnp.zeros((BATCH, 2), jnp.int32), jnp.zeros((BATCH,), jnp.int32)),
        decode.forbid(()),
        decode.forbid_phrases(()),
        decode.sequence_bias({}),
        decode.temperature(1.0),
        decode.top_k(VOCAB),
        decode.top_p(1.0),
        decode.min_p(0.0),
        decode.typical_p(1.0),
        decode.epsilon_cutoff(0.0),
        decode.eta_cutoff(0.0),
        decode.no_repeat_ngram(ROOM + 1),
        decode.encoder_no_repeat_ngram(ROOM + 1, *SOURCED),
        decode.allow(lambda history, lengths: jnp.ones((ROWS, VOCAB), bool)),
    ),
)
def test_neutral_settings_change_no_bit(neutral):
    logits, history, lengths = draw(1)
    np.testing.assert_array_equal(neutral(logits, history, lengths), logits)


def test_an_end_that_is_more_than_overdue_is_said_and_not_forbidden():
    process = decode.decay_length(10, 2.0, eos_id=0)
    history, lengths = jnp.zeros((3, 400), jnp.int32), jnp.array([100, 139, 400])
    for logit in (-3.0, 0.0, 1e9):
        ends = process(jnp.tile(jnp.array([logit, 1.0]), (3, 1)), history, lengths)[:, 0]
        assert np.all(np.isfinite(ends)) and np.all(ends >= logit)
    forbidden = process(jnp.full((3, 2), -jnp.inf), history, lengths)
    np.testing.assert_array_equal(forbidden, -jnp.inf)


def test_an_infinite_logit_is_none_and_does_not_push_out_the_others():
    logits = jnp.array([[jnp.inf, 1.0, 0.0]])
    for process in (decode.top_k(1), decode.min_p(0.9), decode.top_p(0.5), decode.eta_cutoff(0.6)):
        kept = process(logits, jnp.zeros((1, 1), jnp.int32), jnp.array([0]))
        assert kept[0, 1:].tolist() == [1.0, -jnp.inf]


def test_chain_applies_from_left_to_right():
    logits, history, lengths = draw(2)
    first, second = decode.temperature(2.0), decode.top_p(0.5)
    both = decode.chain(first, second)(logits, history, lengths)
    np.testing.assert_array_equal(both, second(first(logits, history, lengths), history, lengths))
    turned = decode.chain(second, first)(logits, history, lengths)
    assert bool(jnp.any(both != turned))


@pytest.mark.parametrize("meaning", ("log_probs", "normalized"))
def test_a_constant_added_to_all_logits_matters_to_raw_ones_only(meaning):
    logits, history, lengths = draw(5)
    shifted = logits + 3.0
    steady = decode.repetition_penalty(1.5, meaning=meaning)
    np.testing.assert_allclose(
        steady(shifted, history, lengths), steady(logits, history, lengths), atol=1e-5
    )
    raw = decode.repetition_penalty(1.5)
    moved = raw(shifted, history, lengths) - raw(logits, history, lengths)
    assert bool(jnp.any(jnp.abs(jnp.where(jnp.isnan(moved), 3.0, moved) - 3.0) > 0.1))


def test_what_is_normalized_adds_up_to_one_and_the_other_does_not():
    logits, history, lengths = draw(6)
    total = lambda meaning: jnp.sum(
        jnp.exp(decode.repetition_penalty(1.5, meaning=meaning)(logits, history, lengths)), axis=1
    )
    np.testing.assert_allclose(total("normalized"), 1.0, atol=1e-5)
    assert bool(jnp.any(total("log_probs") < 0.95))


def test_a_negative_logit_of_a_seen_token_falls():
    logits = jnp.array([[-1.0, 1.0, 0.0, -jnp.inf, jnp.nan]])
    history = jnp.array([[0, 1, 2, 3, 4, 0]])
    penalised = decode.repetition_penalty(2.0)(logits, history, jnp.array([6]))
    np.testing.assert_array_equal(penalised, [[-2.0, 0.5, 0.0, -np.inf, np.nan]])


def test_the_last_tokens_decide_what_would_repeat():
    """1 2 5 7 8 5 1 2 forbids 5 and nothing else under n = 3, whatever fills the buffer."""
    history = jnp.array([[1, 2, 5, 7, 8, 5, 1, 2, 0, 0, 0]])
    out = decode.no_repeat_ngram(3)(jnp.zeros((1, 9)), history, jnp.array([8]))
    assert np.flatnonzero(np.isneginf(out[0])).tolist() == [5]


def test_filters_keep_the_likeliest_token_at_least():
    logits, history, _ = draw(3)
    nothing = jnp.zeros((ROWS,), jnp.int32)
    for narrow in (
        decode.top_p(1e-9),
        decode.top_k(1),
        decode.min_p(1.0),
        decode.epsilon_cutoff(0.999),
        decode.eta_cutoff(0.999),
    ):
        kept = narrow(logits, history, nothing) > -jnp.inf
        best = jnp.argmax(logits, axis=1)[:, None]
        assert bool(jnp.all(jnp.take_along_axis(kept, best, axis=1)))
    assert bool(jnp.all(jnp.any(decode.typical_p(1e-9)(logits, history, nothing) > -jnp.inf, 1)))


@pytest.mark.parametrize(
    "narrow",
    (
        decode.top_k(2),
        decode.top_p(0.6),
        decode.min_p(0.3),
        decode.typical_p(0.6),
        decode.epsilon_cutoff(0.2),
        decode.eta_cutoff(0.2),
    ),
)
def test_a_logit_that_is_none_costs_no_other_token_its_place(narrow):
    """NaN stays what it is, and the others are narrowed as if it were forbidden."""
    logits, history, lengths = draw(7)
    with_none, without = (logits.at[:, 3].set(value) for value in (jnp.nan, -jnp.inf))
    found, expected = (narrow(one, history, lengths) for one in (with_none, without))
    assert bool(jnp.all(jnp.isnan(found[:, 3])))
    np.testing.assert_array_equal(np.delete(found, 3, 1), np.delete(expected, 3, 1))
    assert bool(jnp.all(jnp.any(expected > -jnp.inf, axis=1)))


def test_top_k_keeps_k_and_ties():
    logits = jnp.array([[3.0, 1.0, 2.0, 2.0, 0.0]])
    kept = decode.top_k(2)(logits, jnp.zeros((1, 1), jnp.int32), jnp.array([0])) > -jnp.inf
    assert kept.tolist() == [[True, False, True, True, False]]


def test_a_group_keeps_out_of_the_way_of_those_before_it():
    """Two sentences of two rows; token 1 was chosen twice for the first, 0 once for the other."""
    counts = jnp.array([[0, 2, 0], [1, 0, 0]])
    found = decode.hamming_diversity(jnp.ones((4, 3)), counts, 0.5)
    expected = [[1.0, 0.0, 1.0]] * 2 + [[0.5, 1.0, 1.0]] * 2
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    "make",
    (
        lambda: decode.repetition_penalty(0.0),
        lambda: decode.repetition_penalty(float("nan")),
        lambda: decode.repetition_penalty(1.1, window=0),
        lambda: decode.encoder_repetition_penalty(-1.0, *SOURCED),
        lambda: decode.no_repeat_ngram(0),
        lambda: decode.encoder_no_repeat_ngram(0, *SOURCED),
        lambda: decode.temperature(0.0),
        lambda: decode.top_k(0),
        lambda: decode.top_p(0.0),
        lambda: decode.min_p(1.5),
        lambda: decode.typical_p(0.0),
        lambda: decode.epsilon_cutoff(1.0),
        lambda: decode.eta_cutoff(-0.1),
        lambda: decode.min_length(-1, eos_id=0),
        lambda: decode.decay_length(-1, 1.1, eos_id=0),
        lambda: decode.decay_length(1, 0.0, eos_id=0),
        lambda: decode.forbid_phrases([()]),
    ),
)
def test_impossible_settings_are_refused(make):
    with pytest.raises(ValueError, match="must .*, got"):
        make()


@pytest.mark.parametrize(
    "process",
    (
        decode.forbid([VOCAB]),
        decode.forbid([-1]),
        decode.force_first(VOCAB),
        decode.sequence_bias({(0, VOCAB): 1.0}),
        decode.repetition_penalty(1.2, exempt=(VOCAB,)),
    ),
)
def test_ids_outside_the_vocabulary_are_refused(process):
    with pytest.raises(ValueError, match=r"ids must be in \[0, 6\), the vocabulary, got (6|-1)"):
        process(*draw(0))

"""Value for value what Hugging Face transformers answers: as stored, and live where it is."""

import functools
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from decode.chains import step_fn_of
from decode.peers import (
    BEAM,
    CASES,
    CHAINS,
    EOS,
    LENGTH,
    ROOM,
    SEARCHES,
    START,
    histories,
    ours,
    tables,
    theirs,
)

from seqjax import decode

STORED = np.load(Path(__file__).parent / "fixtures" / "transformers.npz")
SYMBOLS = decode.Symbols(START, EOS, EOS)


def assert_equal_but_for_the_start(found, expected):
    found, expected = np.delete(found, START, 1), np.delete(expected, START, 1)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_processors_answer_as_theirs_did(name):
    for length in range(ROOM):
        found = ours(CASES[name], *histories(length))
        assert_equal_but_for_the_start(found, STORED[f"processor {name}"][length])


@pytest.mark.parametrize("name", CASES)
def test_processors_answer_as_theirs_do(name):
    pytest.importorskip("transformers")
    for length in range(ROOM):
        logits, history = histories(length)
        found = ours(CASES[name], logits, history)
        assert_equal_but_for_the_start(found, theirs(CASES[name], logits, history))


def search_as(stop, alpha, settings):
    """Our way and its processor for the settings of theirs."""
    processors = []
    if "repetition_penalty" in settings:
        processors.append(decode.repetition_penalty(settings["repetition_penalty"]))
    if "no_repeat_ngram_size" in settings:
        processors.append(decode.no_repeat_ngram(settings["no_repeat_ngram_size"]))
    # Theirs act on log-probabilities; renormalised or not, so do these.
    way = decode.Beam(
        BEAM,
        n_best=BEAM,
        score_fn=decode.length_normalised(decode.average(alpha)),
        stop=stop,
        cut="ranked",
    )
    return way, decode.chain(*processors), settings


def found_by_us(step_fn, state, search, length=LENGTH):
    way, processor, settings = search_as(*search)
    if settings.get("renormalize_logits"):
        inner = processor
        processor = lambda logits, history, lengths: inner(
            jax.nn.log_softmax(logits), history, lengths
        )
    return decode.search(
        step_fn,
        state,
        way,
        symbols=SYMBOLS,
        max_length=length,
        processor=processor,
        renormalise=settings.get("renormalize_logits", not settings),
    )


def assert_found(hypotheses, row, sequences, scores):
    lengths = np.asarray(hypotheses.lengths[row])
    kept = np.arange(sequences.shape[-1])[None] < lengths[:, None]
    tokens = np.where(kept, np.asarray(hypotheses.tokens[row]), -1)
    np.testing.assert_array_equal(tokens, sequences)
    np.testing.assert_allclose(np.asarray(hypotheses.scores[row]), scores, atol=1e-4)


FEW = ("exact 2.0", "current_length 1.0", "current_length -0.7", "first_full 1.0")
FEW += ("penalised", "renormalised")
"""Those of the searches that are looked at by default."""


@pytest.mark.parametrize(
    "name",
    [name if name in FEW else pytest.param(name, marks=pytest.mark.slow) for name in SEARCHES],
)
def test_beam_searches_find_what_theirs_found(name):
    found = jax.jit(
        lambda tables: found_by_us(step_fn_of(tables), jnp.full((CHAINS,), START), SEARCHES[name])
    )(jnp.asarray(tables()))
    for row in range(CHAINS):
        expected = STORED[f"tokens {name}"][row], STORED[f"scores {name}"][row]
        assert_found(found, row, *expected)


@pytest.mark.parametrize("name", SEARCHES)
def test_beam_searches_over_a_model_of_theirs_find_what_generate_finds(name):
    """A small GPT-2 with random weights; our step function asks it for every history anew."""
    pytest.importorskip("transformers")
    import torch
    from decode.generated import generate, small_gpt2

    model = small_gpt2()
    with torch.no_grad():
        expected = generate(model, *SEARCHES[name])

    def asked(tokens, said, count):
        said, count = np.array(said), np.array(count)
        said[np.arange(len(said)), count] = tokens
        with torch.no_grad():
            logits = model(torch.tensor(said)).logits.numpy()
        return logits[np.arange(len(said)), count]

    def step_fn(tokens, state):
        said, count = state
        shape = jax.ShapeDtypeStruct((tokens.shape[0], 9), jnp.float32)
        logits = jax.pure_callback(asked, shape, tokens, said, count)
        rows = jnp.arange(tokens.shape[0])
        return logits, (said.at[rows, count].set(tokens), count + 1)

    nothing = jnp.zeros((1, LENGTH + 1), jnp.int32), jnp.zeros((1,), jnp.int32)
    search = jax.jit(functools.partial(found_by_us, step_fn, search=SEARCHES[name]))
    assert_found(search(nothing), 0, *expected)

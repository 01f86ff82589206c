"""Words that are dropped as a whole, and what a model lets be seen of itself."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seqjax.build.model import build_language_model, build_seq2seq
from seqjax.config import ModelConfig
from seqjax.masking import length_mask
from seqjax.models import decoder, encoder
from seqjax.models.layers import embed, keep_words
from seqjax.types import Padded

VOCAB = 7
CONFIG = ModelConfig(
    embedding_size=4, hidden_size=4, direction="forward", dropout=0.0, unroll="scan"
)
SOURCE = Padded(jnp.array([[2, 3, 2, 4], [4, 2, 5, 5]]), jnp.array([4, 3]))
TARGET = Padded(jnp.array([[3, 3, 6], [6, 3, 2]]), jnp.array([3, 2]))


def seq2seq(**settings) -> Any:
    config = dataclasses.replace(CONFIG, **settings)
    model = build_seq2seq(config, source_vocab_size=VOCAB, target_vocab_size=VOCAB, bos_id=1)
    return model, model.init(jax.random.key(0), SOURCE, TARGET)


def language(**settings) -> Any:
    model = build_language_model(dataclasses.replace(CONFIG, **settings), vocab_size=VOCAB)
    return model, model.init(jax.random.key(0), TARGET, model.initial_carry(2))


def at_valid(values):
    return values[length_mask(TARGET.lengths, 3)]


@pytest.mark.parametrize("own_words", (False, True))
def test_a_word_is_dropped_wherever_it_stands(own_words, monkeypatch):
    """A noisy model says what a plain one says whose tables lack the words that were drawn."""
    settings = {"tied_embeddings": False, "embedding_dropout": 0.5, "attention": "none"}
    model, params = seq2seq(**settings)
    plain, _ = seq2seq(**settings | {"embedding_dropout": 0.0})
    drawn = {}
    for room in (encoder, decoder):

        def recorded(module, rate, embedding, room=room.__name__.split(".")[-1]):
            drawn[room] = keep_words(module, rate, embedding)
            return drawn[room]

        monkeypatch.setattr(room, "keep_words", recorded)
    own = jnp.zeros(()) if own_words else None
    said, _ = model.apply(params, SOURCE, TARGET, own, rngs={"dropout": jax.random.key(3)})
    weights = jax.tree.map(jnp.asarray, params)
    for room, words in drawn.items():
        assert 0 < jnp.sum(words == 0) < VOCAB
        weights["params"][room]["embedding"]["embedding"] *= words
    wanted, _ = plain.apply(weights, SOURCE, TARGET)
    np.testing.assert_allclose(at_valid(said), at_valid(wanted), atol=1e-6)


def test_words_are_dropped_as_often_as_told_and_never_without_a_key():
    model, params = language(embedding_dropout=0.25)

    def kept(bound, _):
        return keep_words(bound, 0.25, bound.embedding)

    draw = lambda key: model.apply(params, None, method=kept, rngs={"dropout": key})
    masks = jax.vmap(draw)(jax.random.split(jax.random.key(0), 200))
    assert set(np.unique(np.asarray(masks))) == {np.float32(0), np.float32(1 / 0.75)}
    np.testing.assert_allclose(np.mean(np.asarray(masks) == 0), 0.25, atol=0.03)
    assert model.apply(params, None, method=kept) == ()


def test_all_of_a_word_is_dropped_and_nothing_of_the_others():
    model, params = language()
    words = jnp.array([0, 0, 2, 0, 1, 1, 1.0])[:, None]
    read = lambda bound, tokens: embed(bound.embedding, words, tokens)
    table = params["params"]["embedding"]["embedding"]
    found = model.apply(params, jnp.array([[2, 3], [2, 4]]), method=read)
    np.testing.assert_array_equal(
        found, jnp.stack([table[2] * 2, table[3] * 0, table[2] * 2, table[4]]).reshape(2, 2, 4)
    )


def test_an_output_layer_keeps_words_that_are_not_read():
    model, params = language(embedding_dropout=0.5)
    carry = model.initial_carry(2)
    key = {"dropout": jax.random.key(0)}
    (_, logits), shown = model.apply(params, TARGET, carry, rngs=key, mutable="intermediates")
    again = model.apply(params, shown["intermediates"]["dropped"], method=model._logits)
    np.testing.assert_allclose(logits, again, atol=1e-6)


@pytest.mark.parametrize("settings", ({}, {"input_feeding": True}))
def test_what_is_shown_is_what_the_output_layer_reads(settings):
    model, params = seq2seq(tied_embeddings=False, dropout=0.5, **settings)
    run = lambda own: model.apply(
        params, SOURCE, TARGET, own, rngs={"dropout": jax.random.key(0)}, mutable="intermediates"
    )
    head = params["params"]["decoder"]["output_map"]
    for own in (None, jnp.zeros(())):
        (logits, _), shown = run(own)
        inside = shown["intermediates"]["decoder"]
        said = inside["dropped"] @ head["kernel"] + head["bias"][None, None]
        np.testing.assert_allclose(at_valid(logits), at_valid(said), atol=1e-5)
        assert 0.2 < np.mean(np.asarray(inside["dropped"][0]) == 0) < 0.8
        assert inside["outputs"].shape == (2, 3, 4) and np.all(inside["outputs"][0])


def test_a_language_model_shows_its_outputs_before_and_after_dropout():
    model, params = language(dropout=0.5, tied_embeddings=False)
    carry = model.initial_carry(2)
    key = {"dropout": jax.random.key(0)}
    (_, logits), shown = model.apply(params, TARGET, carry, rngs=key, mutable="intermediates")
    outputs, dropped = (shown["intermediates"][name] for name in ("outputs", "dropped"))
    np.testing.assert_array_equal(dropped, jnp.where(dropped == 0, 0, 2 * outputs))
    head = params["params"]["output_map"]
    np.testing.assert_allclose(
        logits, dropped @ head["kernel"] + head["bias"][None, None], atol=1e-6
    )


def test_nothing_is_shown_unless_it_is_asked_for():
    model, params = seq2seq()
    assert "intermediates" not in params
    assert len(model.apply(params, SOURCE, TARGET)) == 2

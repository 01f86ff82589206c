"""Laws of the models: padding and batch mates change nothing; one step is teacher forcing."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seqjax.build.model import build_language_model, build_seq2seq
from seqjax.config import ModelConfig
from seqjax.types import Padded

SMALL = ModelConfig(
    embedding_size=6, hidden_size=8, encoder_layers=2, decoder_layers=2, dropout=0.0
)
VARIANTS = {
    "default": SMALL,
    "feeding": dataclasses.replace(SMALL, input_feeding=True, attention="additive"),
    "bottleneck": dataclasses.replace(SMALL, attention="none", bidirectional=False, bridge="copy"),
    "untied": dataclasses.replace(
        SMALL, tied_embeddings=False, input_feeding=True, attention="dot", bridge="zeros"
    ),
}
VOCAB, BOS = 11, 1


def make(variant):
    model = build_seq2seq(
        VARIANTS[variant], source_vocab_size=VOCAB, target_vocab_size=VOCAB, bos_id=BOS
    )
    rng = np.random.default_rng(0)
    draw = lambda time: jnp.asarray(rng.integers(4, VOCAB, size=(3, time)), jnp.int32)
    source = Padded(draw(6), jnp.array([6, 3, 0]))
    target = Padded(draw(5), jnp.array([4, 5, 2]))
    params = model.init(jax.random.key(0), source, target)["params"]
    noise = jax.tree.map(
        lambda leaf: leaf + 0.3 * jnp.sin(jnp.arange(leaf.size)).reshape(leaf.shape), params
    )
    return model, noise, source, target


@pytest.mark.parametrize("variant", VARIANTS)
def test_teacher_forced_logits_are_the_step_by_step_logits(variant):
    model, params, source, target = make(variant)
    variables = {"params": params}
    logits, _ = model.apply(variables, source, target)
    state, memory = model.apply(variables, source, method="encode")
    tokens = jnp.full((3,), BOS)
    for time in range(target.values.shape[1]):
        state, step_logits = model.apply(variables, state, memory, tokens, method="step")
        valid = time < target.lengths
        np.testing.assert_allclose(
            jnp.where(valid[:, None], step_logits, 0),
            jnp.where(valid[:, None], logits[:, time], 0),
            atol=1e-5,
        )
        tokens = target.values[:, time]


@pytest.mark.parametrize("variant", VARIANTS)
def test_padding_and_batch_mates_change_no_logit(variant):
    model, params, source, target = make(variant)
    logits, _ = model.apply({"params": params}, source, target)
    for row in range(3):
        source_length, target_length = int(source.lengths[row]), int(target.lengths[row])
        wide = lambda p, extra, row=row: Padded(
            jnp.pad(
                p.values[row : row + 1, : int(p.lengths[row])],
                ((0, 0), (0, extra)),
                constant_values=7,
            ),
            p.lengths[row : row + 1],
        )
        alone, _ = model.apply({"params": params}, wide(source, 9), wide(target, 3))
        np.testing.assert_allclose(alone[0, :target_length], logits[row, :target_length], atol=1e-5)
        assert source_length == int(wide(source, 9).lengths[0])


def test_rows_of_a_sentence_share_its_memory():
    model, params, source, target = make("feeding")
    variables = {"params": params}
    state, memory = model.apply(variables, source, method="encode")
    twice = jax.tree.map(lambda leaf: jnp.repeat(leaf, 2, axis=0), state)
    tokens = jnp.array([4, 5, 6, 7, 8, 9])
    _, both = model.apply(variables, twice, memory, tokens, method="step")
    _, even = model.apply(variables, state, memory, tokens[::2], method="step")
    _, odd = model.apply(variables, state, memory, tokens[1::2], method="step")
    np.testing.assert_allclose(both, jnp.stack([even, odd], axis=1).reshape(6, -1), atol=1e-5)


def test_attention_weights_stand_on_the_source_alone():
    model, params, source, target = make("default")
    _, weights = model.apply({"params": params}, source, target)
    np.testing.assert_allclose(weights[:2].sum(-1), 1, atol=1e-6)
    np.testing.assert_array_equal(weights[2], 0)
    np.testing.assert_array_equal(weights[1, :, 3:], 0)


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_weight_gets_a_gradient(variant):
    model, params, source, target = make(variant)
    gradient = jax.grad(lambda p: jnp.sum(model.apply({"params": p}, source, target)[0] ** 2))(
        params
    )
    silent = {
        jax.tree_util.keystr(path)
        for path, leaf in jax.tree_util.tree_leaves_with_path(gradient)
        if not bool(jnp.any(leaf != 0))
    }
    # With `copy` a deep decoder starts from every encoder layer; only `none` leaves keys unused.
    assert silent == set()


def test_dropout_is_off_unless_training_and_follows_its_key():
    config = dataclasses.replace(SMALL, dropout=0.5, input_feeding=True)
    model = build_seq2seq(config, source_vocab_size=VOCAB, target_vocab_size=VOCAB, bos_id=BOS)
    _, _, source, target = make("default")
    params = model.init(jax.random.key(0), source, target)["params"]

    def logits(train, seed):
        rngs = {"dropout": jax.random.key(seed)}
        return model.apply({"params": params}, source, target, train=train, rngs=rngs)[0]

    np.testing.assert_array_equal(logits(False, 0), logits(False, 1))
    np.testing.assert_array_equal(logits(True, 0), logits(True, 0))
    assert bool(jnp.any(logits(True, 0) != logits(True, 1)))


def test_a_language_model_cut_into_windows_says_what_it_says_of_the_whole():
    model = build_language_model(SMALL, vocab_size=VOCAB)
    tokens = jnp.asarray(np.random.default_rng(0).integers(0, VOCAB, size=(2, 8)), jnp.int32)
    carry = model.initial_carry(2)
    whole = Padded(tokens, jnp.array([8, 5]))
    variables = model.init(jax.random.key(0), whole, carry)
    _, logits = model.apply(variables, whole, carry)
    carry, first = model.apply(variables, Padded(tokens[:, :4], jnp.array([4, 4])), carry)
    _, second = model.apply(variables, Padded(tokens[:, 4:], jnp.array([4, 1])), carry)
    both = jnp.concatenate([first, second], axis=1)
    np.testing.assert_allclose(both[0], logits[0], atol=1e-5)
    np.testing.assert_allclose(both[1, :5], logits[1, :5], atol=1e-5)


def test_a_language_models_step_is_its_teacher_forcing():
    model = build_language_model(
        dataclasses.replace(SMALL, tied_embeddings=False), vocab_size=VOCAB
    )
    tokens = Padded(jnp.array([[3, 4, 5, 6]]), jnp.array([4]))
    carry = model.initial_carry(1)
    variables = model.init(jax.random.key(0), tokens, carry)
    _, logits = model.apply(variables, tokens, carry)
    for time in range(4):
        carry, step = model.apply(variables, carry, tokens.values[:, time], method="step")
        np.testing.assert_allclose(step, logits[:, time], atol=1e-5)

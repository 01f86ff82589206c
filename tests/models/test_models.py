"""Laws of the models: padding and batch mates change nothing; one step is teacher forcing."""

import dataclasses
import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seqjax.build.model import build_language_model, build_seq2seq
from seqjax.cells.gru import GRUCell
from seqjax.cells.lstm import LSTMCell
from seqjax.cells.minimal import MinLSTMCell
from seqjax.config import Config, DataConfig, ModelConfig
from seqjax.models.bridge import Bridge
from seqjax.models.decoder import Decoder
from seqjax.models.encoder import Encoded, Encoder
from seqjax.models.layers import BidirectionalLayer, Layer, join_neighbours
from seqjax.models.reader import Reader
from seqjax.types import Padded

SMALL = ModelConfig(
    embedding_size=6, hidden_size=8, encoder_layers=2, decoder_layers=2, dropout=0.0
)
VARIANTS = {
    "default": SMALL,
    "bottleneck": dataclasses.replace(SMALL, attention="none", direction="forward", bridge="copy"),
    "untied": dataclasses.replace(
        SMALL, tied_embeddings=False, input_feeding=True, attention="dot", bridge="zeros"
    ),
    "gru": dataclasses.replace(
        SMALL, cell="gru", residual=True, bridge="mean", direction="backward"
    ),
    "pyramid": dataclasses.replace(
        SMALL, cell="slstm", upper_cell="min_lstm", pyramid=True, attention="scaled_dot"
    ),
    "projected": dataclasses.replace(
        SMALL,
        lstm_variant="gate_recurrence",
        upper_cell="min_gru",
        projection_size=3,
        keep_every=2,
        context_gate="target",
    ),
    "copying": dataclasses.replace(SMALL, copying=True, coverage=True, context_gate="both"),
    "pointer-generator": dataclasses.replace(
        SMALL,
        copying=True,
        coverage=True,
        attention="additive",
        input_feeding=True,
        context_gate="source",
    ),
}
"""All that can be set, much of it together."""
ONE_BY_ONE = {
    "feeding": dataclasses.replace(SMALL, input_feeding=True, attention="additive"),
    "minimal": dataclasses.replace(SMALL, cell="min_lstm", pyramid=True),
    "slstm": dataclasses.replace(SMALL, cell="slstm", input_feeding=True),
    "projected alone": dataclasses.replace(
        SMALL, projection_size=3, lstm_variant="gate_recurrence"
    ),
    "mixed": dataclasses.replace(SMALL, upper_cell="min_gru", projection_size=3, keep_every=2),
    "mixed below": dataclasses.replace(
        SMALL, cell="gru", upper_cell="lstm", encoder_layers=1, direction="forward"
    ),
    "gate": dataclasses.replace(SMALL, context_gate="both"),
    "coverage": dataclasses.replace(SMALL, coverage=True, attention="additive"),
    "copying alone": dataclasses.replace(SMALL, copying=True),
}
"""The same in models of their own, which say more exactly what does not hold: `slow`."""
VOCAB, BOS, UNK = 11, 1, 3


class Distance(nn.Module):
    """A user's own scorer: the nearer a key is to the query, the higher its score."""

    size: int

    def setup(self):
        self.key_map = nn.Dense(self.size)

    def prepare(self, memory):
        return self.key_map(memory)

    def __call__(self, queries, keys):
        return -jnp.sum((queries[:, :, None] - keys[:, None]) ** 2, axis=-1)


class Largest(nn.Module):
    """A user's own bridge: every layer starts from the largest of what the encoder said."""

    @nn.compact
    def __call__(self, encoded, cells):
        features = jnp.max(encoded.outputs, axis=1, initial=0.0)
        return tuple(cell.start(nn.Dense(cell.start_size)(features)) for cell in cells)


PARTS = {"own parts": {"scorer": Distance(8), "bridge": Largest()}}
"""What a variant gets from outside."""
VARIANTS |= dict.fromkeys(PARTS, SMALL)
ALL = VARIANTS | ONE_BY_ONE
every_variant = pytest.mark.parametrize(
    "variant", [*VARIANTS, *(pytest.param(name, marks=pytest.mark.slow) for name in ONE_BY_ONE)]
)


@functools.cache
def make(variant):
    """A model, random weights, and what it reads and says."""
    model = build_seq2seq(
        ALL[variant],
        source_vocab_size=VOCAB,
        target_vocab_size=VOCAB,
        bos_id=BOS,
        unk_id=UNK,
        **PARTS.get(variant, {}),
    )
    rng = np.random.default_rng(0)
    draw = lambda time: jnp.asarray(rng.integers(4, VOCAB, size=(3, time)), jnp.int32)
    source = Padded(draw(6), jnp.array([6, 3, 0]))
    target = Padded(draw(5), jnp.array([4, 5, 2]))
    if ALL[variant].copying:  # the second position is copied, and the fourth again
        ids = source.values.at[:, 1].set(VOCAB + 1).at[:, 3].set(VOCAB + 1)
        source = source._replace(values=jnp.stack([source.values, ids], axis=-1))
        target = target._replace(values=target.values.at[:, 1].set(VOCAB + 1))
    shapes = jax.eval_shape(model.init, jax.random.key(0), source, target)["params"]
    weights = lambda leaf: jnp.asarray(0.4 * rng.normal(size=leaf.shape), leaf.dtype)
    return model, jax.tree.map(weights, shapes), source, target


@functools.cache
def applied(variant):
    """The model as a compiled function of `(variables, *arguments, method=...)`."""
    return jax.jit(make(variant)[0].apply, static_argnames="method")


@functools.cache
def taught(variant):
    """Logits and attention weights of the batch, and gradients of a loss: compiled once for all."""
    model, params, source, target = make(variant)

    def loss(params):
        logits, weights = model.apply({"params": params}, source, target)
        return jnp.sum(logits**2), (logits, weights)

    (_, found), gradient = jax.jit(jax.value_and_grad(loss, has_aux=True))(params)
    return found, gradient


@every_variant
def test_teacher_forced_logits_are_the_step_by_step_logits(variant):
    _, params, source, target = make(variant)
    apply, variables = applied(variant), {"params": params}
    logits, weights = taught(variant)[0]
    state, memory = apply(variables, source, method="encode")
    tokens = jnp.full((3,), BOS, jnp.int32)
    for time in range(target.values.shape[1]):
        state, step_logits, _ = apply(variables, state, memory, tokens, method="step")
        valid = time < target.lengths
        np.testing.assert_allclose(
            jnp.where(valid[:, None], step_logits, 0),
            jnp.where(valid[:, None], logits[:, time], 0),
            atol=1e-5,
        )
        tokens = target.values[:, time]
    if ALL[variant].coverage:
        np.testing.assert_allclose(state.coverage[1], weights[1].sum(axis=0), atol=1e-5)


@every_variant
def test_padding_and_batch_mates_change_no_logit(variant):
    _, params, source, target = make(variant)
    apply, variables = applied(variant), {"params": params}
    logits, _ = taught(variant)[0]

    def alone(padded, row, width):
        """One row, cut to its length and padded with what would be seen."""
        length = int(padded.lengths[row])
        values = padded.values[row : row + 1, :length]
        room = ((0, 0), (0, width - length), (0, 0))[: values.ndim]
        values = jnp.pad(values, room, constant_values=7)
        return Padded(values, padded.lengths[row : row + 1])

    for row in range(3):
        length = int(target.lengths[row])
        found, _ = apply(variables, alone(source, row, 15), alone(target, row, 8))
        same = found[0, :length, : logits.shape[-1]]
        np.testing.assert_allclose(same, logits[row, :length], atol=1e-5)


@pytest.mark.parametrize("bridge", ("linear", pytest.param("copy", marks=pytest.mark.slow)))
def test_reading_backward_is_reading_a_reversed_source(bridge):
    _, _, source, target = make("default")
    backward, forward = (
        build_seq2seq(
            dataclasses.replace(SMALL, direction=direction, bridge=bridge, decoder_layers=1),
            source_vocab_size=VOCAB,
            target_vocab_size=VOCAB,
            bos_id=BOS,
        )
        for direction in ("backward", "forward")
    )
    variables = jax.jit(backward.init)(jax.random.key(0), source, target)
    logits, weights = jax.jit(backward.apply)(variables, source, target)
    turned = np.array(source.values)
    for row, length in enumerate(source.lengths.tolist()):
        turned[row, :length] = turned[row, :length][::-1]
    reversed_source = source._replace(values=jnp.asarray(turned))
    expected, expected_weights = jax.jit(forward.apply)(variables, reversed_source, target)
    np.testing.assert_allclose(logits, expected, atol=1e-5)
    for row, length in enumerate(source.lengths.tolist()):  # columns stay with their words
        there = np.asarray(expected_weights)[row, :, :length][:, ::-1]
        np.testing.assert_allclose(weights[row, :, :length], there, atol=1e-5)
    assert not np.allclose(logits[0], jax.jit(forward.apply)(variables, source, target)[0][0])


def test_rows_of_a_sentence_share_its_memory():
    _, params, source, _ = make("pointer-generator")
    apply, variables = applied("pointer-generator"), {"params": params}
    state, memory = apply(variables, source, method="encode")
    twice = jax.tree.map(lambda leaf: jnp.repeat(leaf, 2, axis=0), state)
    tokens = jnp.array([4, 5, 6, 7, 8, 9])
    _, both, _ = apply(variables, twice, memory, tokens, method="step")
    _, even, _ = apply(variables, state, memory, tokens[::2], method="step")
    _, odd, _ = apply(variables, state, memory, tokens[1::2], method="step")
    np.testing.assert_allclose(both, jnp.stack([even, odd], axis=1).reshape(6, -1), atol=1e-5)


def test_a_decoder_that_copies_reads_what_it_does_not_know_as_unknown():
    _, params, source, target = make("copying")
    apply = applied("copying")
    logits, _ = apply({"params": params}, source, target)
    unknown = target._replace(values=target.values.at[:, 1].set(UNK))
    same, _ = apply({"params": params}, source, unknown)
    np.testing.assert_array_equal(same, logits)


def test_a_decoder_may_read_its_own_words():
    """One token is as good as certain: on its own, the decoder reads it again and again."""
    model, params, source, target = make("untied")
    bias = jnp.zeros(VOCAB).at[7].set(1e3)
    params = jax.tree.map(lambda leaf: leaf, params)
    params["decoder"]["output_map"]["bias"] = bias
    run = jax.jit(
        lambda share: model.apply(
            {"params": params}, source, target, share, rngs={"dropout": jax.random.key(0)}
        )[0]
    )
    valid = np.arange(5)[None, :, None] < np.asarray(target.lengths)[:, None, None]
    only_valid = lambda logits: np.where(valid, logits, 0)
    apply = applied("untied")
    as_told, _ = apply({"params": params}, source, target)
    own = target._replace(values=jnp.full_like(target.values, 7))
    as_said, _ = apply({"params": params}, source, own)
    np.testing.assert_allclose(run(0.0), only_valid(as_told), rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose(run(1.0), only_valid(as_said), rtol=1e-5, atol=1e-4)
    assert np.abs(only_valid(as_told - as_said)).max() > 0.01


def test_attention_weights_stand_on_the_source_alone():
    _, weights = taught("default")[0]
    np.testing.assert_allclose(weights[:2].sum(-1), 1, atol=1e-6)
    np.testing.assert_array_equal(weights[2], 0)
    np.testing.assert_array_equal(weights[1, :, 3:], 0)


@every_variant
def test_every_weight_gets_a_gradient(variant):
    _, gradient = taught(variant)
    silent = {
        jax.tree_util.keystr(path)
        for path, leaf in jax.tree_util.tree_leaves_with_path(gradient)
        if not bool(jnp.any(leaf != 0))
    }
    # With `copy` a deep decoder starts from every encoder layer; only `none` leaves keys unused.
    assert silent == set()


def test_dropout_is_off_without_a_key_and_follows_it():
    config = dataclasses.replace(ALL["untied"], dropout=0.5)
    model = build_seq2seq(config, source_vocab_size=VOCAB, target_vocab_size=VOCAB, bos_id=BOS)
    _, params, source, target = make("untied")
    apply = jax.jit(model.apply)

    def logits(train, seed):
        rngs = {"dropout": jax.random.key(seed)} if train else {}
        return apply({"params": params}, source, target, rngs=rngs)[0]

    np.testing.assert_array_equal(logits(False, 0), logits(False, 1))
    np.testing.assert_array_equal(logits(True, 0), logits(True, 0))
    assert bool(jnp.any(logits(True, 0) != logits(True, 1)))


def test_a_language_model_cut_into_windows_says_what_it_says_of_the_whole():
    model = build_language_model(SMALL, vocab_size=VOCAB)
    tokens = jnp.asarray(np.random.default_rng(0).integers(0, VOCAB, size=(2, 8)), jnp.int32)
    carry = model.initial_carry(2)
    whole = Padded(tokens, jnp.array([8, 5]))
    variables, apply = jax.jit(model.init)(jax.random.key(0), whole, carry), jax.jit(model.apply)
    _, logits = apply(variables, whole, carry)
    carry, first = apply(variables, Padded(tokens[:, :4], jnp.array([4, 4])), carry)
    _, second = apply(variables, Padded(tokens[:, 4:], jnp.array([4, 1])), carry)
    both = jnp.concatenate([first, second], axis=1)
    np.testing.assert_allclose(both[0], logits[0], atol=1e-5)
    np.testing.assert_allclose(both[1, :5], logits[1, :5], atol=1e-5)


def test_a_language_models_step_is_its_teacher_forcing():
    model = build_language_model(
        dataclasses.replace(SMALL, tied_embeddings=False), vocab_size=VOCAB
    )
    tokens = Padded(jnp.array([[3, 4, 5, 6]]), jnp.array([4]))
    carry = model.initial_carry(1)
    variables = jax.jit(model.init)(jax.random.key(0), tokens, carry)
    apply = jax.jit(model.apply, static_argnames="method")
    _, logits = apply(variables, tokens, carry)
    for time in range(4):
        carry, step = apply(variables, carry, tokens.values[:, time], method="step")
        np.testing.assert_allclose(step, logits[:, time], atol=1e-5)


class Leaky(nn.Module):
    """A user's own cell: a state that leaks, in ten lines."""

    width: int

    def initial_carry(self, rows):
        return jnp.zeros((rows, self.width))

    @nn.compact
    def __call__(self, carry, inputs):
        carry = 0.9 * carry + jnp.tanh(nn.Dense(self.width)(inputs))
        return carry, carry


@pytest.mark.parametrize("feeding", (pytest.param(False, marks=pytest.mark.slow), True))
def test_a_users_own_cell_is_taught_and_decoded_like_any_other(feeding):
    model = build_seq2seq(
        dataclasses.replace(SMALL, input_feeding=feeding),
        source_vocab_size=VOCAB,
        target_vocab_size=VOCAB,
        bos_id=BOS,
        cell_fn=lambda depth, input_size, hidden_size: Leaky(hidden_size),
    )
    _, _, source, target = make("default")
    variables = jax.jit(model.init)(jax.random.key(0), source, target)
    apply = jax.jit(model.apply, static_argnames="method")
    logits, _ = apply(variables, source, target)
    state, memory = apply(variables, source, method="encode")
    _, first, _ = apply(variables, state, memory, jnp.full((3,), BOS), method="step")
    np.testing.assert_allclose(first, logits[:, 0], atol=1e-5)
    loss = lambda v: jnp.sum(model.apply(v, source, target)[0] ** 2)
    gradient = jax.jit(jax.grad(loss))(variables)
    assert all(bool(jnp.any(leaf != 0)) for leaf in jax.tree.leaves(gradient))


def test_layers_of_a_stack_may_be_of_different_kinds():
    config = dataclasses.replace(SMALL, upper_cell="min_lstm", encoder_layers=3)
    sizes = {"source_vocab_size": VOCAB, "target_vocab_size": VOCAB, "bos_id": BOS}
    model = build_seq2seq(config, **sizes)
    kinds = [type(layer.forward_cell) for layer in model.encoder.layers]
    assert kinds == [type(layer.backward_cell) for layer in model.encoder.layers]
    assert kinds == [LSTMCell, MinLSTMCell, MinLSTMCell]
    assert [type(cell) for cell in model.decoder.cells] == [LSTMCell, MinLSTMCell]
    language_model = build_language_model(config, vocab_size=VOCAB)
    assert [type(cell) for cell in language_model.cells] == [LSTMCell, MinLSTMCell]
    asked = []

    def cell_fn(depth, input_size, hidden_size):
        asked.append((depth, input_size, hidden_size))
        return (GRUCell, LSTMCell, GRUCell)[depth](input_size, hidden_size)

    model = build_seq2seq(config, **sizes, cell_fn=cell_fn)
    assert [type(layer.forward_cell) for layer in model.encoder.layers] == [
        *(GRUCell, LSTMCell, GRUCell)
    ]
    assert sorted(set(asked)) == [(0, 6, 4), (0, 6, 8), (1, 8, 4), (1, 8, 8), (2, 8, 4)]


def test_a_state_that_does_not_fit_is_not_copied():
    state = LSTMCell(3, 5).initial_carry(2)
    encoded = Encoded(jnp.zeros((2, 4, 5)), jnp.array([4, 1]), (state,))
    (copied,) = Bridge("copy").apply({}, encoded, [LSTMCell(3, 5)])
    assert copied is state
    with pytest.raises(ValueError, match="bridge 'copy' must find the state of decoder layer 0"):
        Bridge("copy").apply({}, encoded, [LSTMCell(3, 4)])


def test_a_bridge_starts_from_the_top_layer_or_copies_layer_by_layer():
    carries = tuple(GRUCell(3, 3).start(jnp.full((2, 3), value)) for value in (1.0, 2.0))
    encoded = Encoded(jnp.zeros((2, 4, 3)), jnp.array([4, 1]), carries)
    cells = [GRUCell(3, 3)] * 3
    started, variables = Bridge("linear").init_with_output(jax.random.key(0), encoded, cells)
    for depth, carry in enumerate(started):
        weights = jax.tree.map(np.asarray, variables["params"][f"layer_{depth}"])
        expected = np.tanh(carries[1].hidden @ weights["kernel"] + weights["bias"][None])
        np.testing.assert_allclose(carry.hidden, expected, atol=1e-6)
    copied = Bridge("copy").apply({}, encoded, cells)
    assert [carry is carries[0] for carry in copied] == [True, False, False]
    assert [carry is carries[1] for carry in copied] == [False, True, True]


def test_a_mean_bridge_starts_from_the_mean_of_the_valid_outputs():
    lengths = np.array([4, 1, 0])
    outputs = np.random.default_rng(0).normal(size=(3, 4, 2)).astype(np.float32)
    outputs[np.arange(4)[None] >= lengths[:, None]] = 0
    state = GRUCell(3, 5).initial_carry(3)
    encoded = Encoded(jnp.asarray(outputs), jnp.asarray(lengths), (state,))
    cells = [GRUCell(3, 5)]
    (carry,), variables = Bridge("mean").init_with_output(jax.random.key(0), encoded, cells)
    weights = jax.tree.map(np.asarray, variables["params"]["layer_0"])
    means = np.stack([outputs[0].mean(axis=0), outputs[1, 0], np.zeros(2)])
    expected = np.tanh(means @ weights["kernel"] + weights["bias"])
    np.testing.assert_allclose(carry.hidden, expected, atol=1e-6)


def test_a_pyramid_joins_neighbours_and_halves_lengths():
    inputs = jnp.arange(10.0).reshape(1, 5, 2)
    joined, lengths = join_neighbours(inputs, jnp.array([3]))
    assert joined.shape == (1, 3, 4) and int(lengths[0]) == 2
    np.testing.assert_array_equal(joined[0], [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 0, 0]])


def test_a_bidirectional_layer_is_its_two_halves_side_by_side():
    layer = BidirectionalLayer(LSTMCell(3, 4), LSTMCell(3, 4))
    inputs, lengths = jax.random.normal(jax.random.key(0), (2, 5, 3)), jnp.array([5, 2])
    params = jax.jit(layer.init)(jax.random.key(1), inputs, lengths)["params"]
    apply = jax.jit(layer.apply)
    final, outputs = apply({"params": params}, inputs, lengths)
    run = lambda reverse, cell: jax.jit(Layer(LSTMCell(3, 4), reverse).apply)(
        {"params": {"cell": cell}}, inputs, lengths
    )
    halves = [
        run(reverse, params[name])
        for name, reverse in (("forward_cell", False), ("backward_cell", True))
    ]
    joined = jax.tree.map(lambda *both: jnp.concatenate(both, axis=-1), *halves)
    jax.tree.map(np.testing.assert_array_equal, (final, outputs), joined)
    _, other = apply({"params": params}, inputs.at[0, 0].add(1.0), lengths)
    seen = jnp.any(outputs != other, axis=-1, where=jnp.arange(8)[None, None] >= 4)
    assert seen[0].tolist() == [True] + [False] * 4  # what comes before is not read backwards


def test_nothing_is_dropped_above_the_last_layer():
    layers = (Layer(LSTMCell(4, 64)), Layer(LSTMCell(64, 64)))
    encoder = Encoder(nn.Dense(4), layers, dropout_rate=0.5)
    source = Padded(jnp.ones((2, 5, 3)), jnp.array([5, 2]))
    variables, apply = jax.jit(encoder.init)(jax.random.key(1), source), jax.jit(encoder.apply)
    quiet = apply(variables, source).outputs
    noisy = apply(variables, source, rngs={"dropout": jax.random.key(2)}).outputs
    assert bool(jnp.any(noisy != quiet))
    np.testing.assert_array_equal(noisy == 0, quiet == 0)


def test_an_encoder_reads_vectors_as_it_reads_tokens():
    encoder = Encoder(nn.Dense(4), (Layer(GRUCell(4, 6)), Layer(GRUCell(12, 6))), pyramid=True)
    frames = jax.random.normal(jax.random.key(0), (2, 5, 3))
    source = Padded(frames, jnp.array([5, 2]))
    variables, apply = jax.jit(encoder.init)(jax.random.key(1), source), jax.jit(encoder.apply)
    found = apply(variables, source)
    assert found.outputs.shape == (2, 3, 6) and found.lengths.tolist() == [3, 1]
    spoilt = source._replace(values=frames.at[1, 2:].set(9.0))
    jax.tree.map(np.testing.assert_array_equal, apply(variables, spoilt), found)
    np.testing.assert_array_equal(found.outputs[1, 1:], 0)


def test_a_shortcut_depends_on_widths_and_not_on_how_long_a_batch_is():
    layers = (Layer(GRUCell(4, 4)), Layer(GRUCell(8, 4)))
    encoder = Encoder(nn.Dense(4), layers, pyramid=True, residual=True)
    frames = jax.random.normal(jax.random.key(0), (1, 5, 3))
    one = jnp.array([1])
    variables = jax.jit(encoder.init)(jax.random.key(1), Padded(frames, one))
    apply = jax.jit(encoder.apply)
    short = apply(variables, Padded(frames[:, :1], one))
    long = apply(variables, Padded(frames, one))
    np.testing.assert_allclose(short.outputs[:, 0], long.outputs[:, 0], atol=1e-6)


class Echo(nn.Module):
    """Says what it hears; or ones, whatever it hears."""

    width: int
    deaf: bool

    def initial_carry(self, rows):
        return jnp.zeros((rows, 1))

    def __call__(self, carry, inputs):
        return carry, jnp.ones((len(inputs), self.width)) if self.deaf else inputs


@pytest.mark.parametrize("input_feeding", (False, True))
@pytest.mark.parametrize("same", (False, True))
def test_the_same_units_are_dropped_at_all_times_if_that_is_wanted(same, input_feeding):
    """What a deaf layer says is different at two times only if other units of it are dropped."""
    decoder = Decoder(
        nn.Embed(VOCAB, 4),
        (Echo(16, deaf=True), Echo(16, deaf=False)),
        Bridge("zeros"),
        Reader(None, 8),
        tied=False,
        input_feeding=input_feeding,
        dropout_rate=0.5,
        same_dropout=same,
    )
    lengths = jnp.array([3, 3])

    def say(decoder):
        state, memory = decoder.start(Encoded(jnp.ones((2, 3, 4)), lengths, (jnp.ones((2, 1)),)))
        return decoder.unroll(state, memory, jnp.ones((2, 3), jnp.int32), lengths)[0]

    keys = {"params": jax.random.key(0), "dropout": jax.random.key(1)}
    logits = jax.jit(nn.init_with_output(say, decoder))(keys)[0]
    assert bool(jnp.all(logits[:, :1] == logits)) == same
    assert not bool(jnp.all(logits[0] == logits[1]))


def test_a_dropout_that_is_the_same_goes_with_no_words_of_its_own():
    model, params, source, target = make("default")
    model = model.clone(decoder=model.decoder.clone(same_dropout=True))
    with pytest.raises(ValueError, match="same_dropout must be False when own_share is given"):
        model.apply(
            {"params": params}, source, target, jnp.array(0.5), rngs={"dropout": jax.random.key(0)}
        )


def test_embeddings_start_as_far_spread_as_said():
    config = ModelConfig(embedding_size=64, hidden_size=4, embedding_std=0.7)
    model = build_seq2seq(config, source_vocab_size=300, target_vocab_size=300, bos_id=1)
    one = Padded(jnp.zeros((1, 1), jnp.int32), jnp.ones(1, jnp.int32))
    params = model.init(jax.random.key(0), one, one)["params"]
    spread = [
        float(jnp.std(params[side]["embedding"]["embedding"])) for side in ("encoder", "decoder")
    ]
    assert spread == pytest.approx([0.7, 0.7], rel=0.03)
    with pytest.raises(ValueError, match="model.embedding_std must be above 0, got 0"):
        ModelConfig(embedding_std=0.0)


def test_where_nothing_is_embedded_no_embedding_is_set():
    for name, value in (("embedding_std", 1.0), ("embedding_dropout", 0.1)):
        Config(task="transcribe", model=ModelConfig(**{name: value}))
        with pytest.raises(ValueError, match=f"model.{name} must be left at"):
            Config(task="transcribe", model=ModelConfig(**{name: value, "decoder": "ctc"}))
        arrays = DataConfig(source_kind="arrays")
        with pytest.raises(ValueError, match=f"model.{name} must be left at"):
            Config(task="regress", model=ModelConfig(**{name: value}), data=arrays)

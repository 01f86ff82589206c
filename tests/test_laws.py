"""What holds whatever the lengths and the numbers: the laws of padding, batches and time.

Every law is tested twice: on a few shapes, each compiled once, with lengths and numbers drawn
freely; and, `slow`, on shapes that are drawn as well.
"""

import dataclasses
import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import recurrent as oracle
from test_attention import SCORERS, SIZE, init, look
from unroll.cases import CASES
from unroll.test_unroll import Outer

from seqjax.build.model import build_seq2seq
from seqjax.cells.cell import carry_features
from seqjax.cells.slstm import SLSTMCarry
from seqjax.config import ModelConfig
from seqjax.losses import cross_entropy
from seqjax.models.encoder import Encoder
from seqjax.types import Padded, sum_means

GARBAGE = st.sampled_from((np.nan, np.inf, -np.inf, 1e6))
SEEDS = st.integers(0, 2**32 - 1)


def law(few, free, examples=25):
    """Makes two tests of `check(situation, data)`, with situations drawn from `few` or `free`."""

    def tests_of(check):
        @pytest.mark.parametrize(
            ("situations", "count"),
            ((few, examples), pytest.param(free, 4 * examples, marks=pytest.mark.slow)),
            ids=("few shapes", "free shapes"),
        )
        def test(situations, count):
            hold = settings(max_examples=count, deadline=None, derandomize=True, database=None)
            hold(given(situations, st.data())(check))()

        return test

    return tests_of


class Way(NamedTuple):
    """A cell and how it is run."""

    name: str
    method: str
    reverse: bool
    batch: int
    time: int
    features: int
    hidden: int


class Situation(NamedTuple):
    """A way, and what it is run on: lengths, and the seed of all numbers."""

    way: Way
    lengths: tuple[int, ...]
    seed: int


LONG, SHORT, NARROW = (2, 9, 4, 1), (4, 4, 2, 3), (4, 6, 1, 4)
WAYS = (
    Way("lstm", "scan", False, *NARROW),
    Way("lstm", "fused", True, *SHORT),
    Way("lstm peepholes", "fused", False, *SHORT),
    Way("lstm coupled", "scan", True, *SHORT),
    Way("lstm projected", "fused", True, *NARROW),
    Way("gru", "fused", False, *LONG),
    Way("gru reset before", "fused", True, *SHORT),
    Way("mgu", "scan", False, *LONG),
    Way("rnn", "fused", True, *NARROW),
    Way("min lstm", "parallel", True, *SHORT),
    Way("min gru", "parallel", False, *NARROW),
    Way("slstm", "fused", True, *SHORT),
)


@st.composite
def situations(draw, ways):
    way = draw(ways)
    lengths = draw(st.tuples(*[st.integers(0, way.time)] * way.batch))
    return Situation(way, lengths, draw(SEEDS))


@st.composite
def any_way(draw):
    name = draw(st.sampled_from(sorted({way.name for way in WAYS})))
    return Way(
        name,
        draw(st.sampled_from(CASES[name].methods)),
        draw(st.booleans()),
        draw(st.integers(1, 5)),
        draw(st.integers(1, 9)),
        draw(st.integers(1, 4)),
        draw(st.integers(3 if name == "lstm projected" else 1, 5)),
    )


unroll_law = law(situations(st.sampled_from(WAYS)), situations(any_way()), examples=36)


@functools.cache
def compiled(way):
    """Returns the shapes of weights and of a carry, and two compiled functions of what is drawn.

    The first gives the last carry and the outputs, the second gradients that all of these have a
    part in. They are compiled again for every other number of rows or steps.
    """
    cell = CASES[way.name].cell_fn().clone(input_size=way.features, hidden_size=way.hidden)
    layer = Outer(cell, way.method, way.reverse)
    carry = cell.initial_carry(way.batch)
    rows = jnp.zeros((way.batch, way.features))
    weights = jax.eval_shape(cell.init, jax.random.key(0), carry, rows)["params"]
    run = lambda weights, *arguments: layer.apply({"params": {"cell": weights}}, *arguments)

    def loss(*arguments):
        leaves = jax.tree.leaves(run(*arguments))
        waves = [jnp.cos(jnp.arange(leaf.size, dtype=leaf.dtype)) for leaf in leaves]
        parts = zip(leaves, waves, strict=True)
        return sum(jnp.sum(jnp.sin(leaf) * wave.reshape(leaf.shape)) for leaf, wave in parts)

    return (weights, carry), jax.jit(run), jax.jit(jax.grad(loss, argnums=(0, 1, 2)))


def make(situation):
    """Returns weights, and a carry, inputs and lengths, whose leaves all lead with the batch."""
    way, rng = situation.way, np.random.default_rng(situation.seed)
    draw = lambda leaf: np.float32(0.7 * rng.normal(size=leaf.shape))
    weights, carry = jax.tree.map(draw, compiled(way)[0])
    if isinstance(carry, SLSTMCarry):
        carry = carry._replace(normaliser=1 + np.abs(carry.normaliser))
    inputs = draw(np.zeros((way.batch, way.time, way.features)))
    return on_device((weights, (carry, inputs, np.array(situation.lengths, np.int32))))


def on_device(tree):
    return jax.tree.map(jnp.asarray, tree)


def run(situation, weights, rows):
    return compiled(situation.way)[1](weights, *on_device(rows))


def gradients(situation, weights, rows):
    return compiled(situation.way)[2](weights, *on_device(rows))


def picked(tree, index):
    return jax.tree.map(lambda leaf: leaf[index], tree)


def assert_close(found, expected, tolerance=2e-6):
    assert_leaf = functools.partial(np.testing.assert_allclose, rtol=tolerance, atol=tolerance)
    jax.tree.map(assert_leaf, found, expected)


def assert_equal(found, expected):
    jax.tree.map(np.testing.assert_array_equal, found, expected)


@unroll_law
def test_unroll_is_the_equations(situation, data):
    weights, (carry, inputs, lengths) = make(situation)
    final, outputs = run(situation, weights, (carry, inputs, lengths))
    double = functools.partial(jax.tree.map, np.float64)
    expected, expected_final = oracle.run(
        CASES[situation.way.name].step,
        double(weights),
        double(tuple(leaf for leaf in carry if not isinstance(leaf, tuple))),
        np.float64(inputs),
        lengths,
        reverse=situation.way.reverse,
    )
    assert_close(outputs, expected, 2e-5)
    if isinstance(final, SLSTMCarry):  # on whatever scale it is kept
        expected_final = expected_final[0], expected_final[1] / expected_final[2]
    assert_close(carry_features(final), np.concatenate(expected_final, axis=-1), 2e-5)


@unroll_law
def test_nothing_at_padding_is_read(situation, data):
    weights, (carry, inputs, lengths) = make(situation)
    padding = np.arange(situation.way.time) >= np.array(lengths)[:, None]
    spoilt = np.where(padding[..., None], np.float32(data.draw(GARBAGE)), inputs)
    for found_fn in (run, gradients):
        expected = found_fn(situation, weights, (carry, inputs, lengths))
        assert_equal(found_fn(situation, weights, (carry, spoilt, lengths)), expected)
    np.testing.assert_array_equal(expected[2][padding], 0)


@unroll_law
def test_an_empty_row_keeps_its_carry_and_padding_is_zero(situation, data):
    weights, (carry, inputs, lengths) = make(situation)
    empty = data.draw(st.integers(0, situation.way.batch - 1))
    lengths = lengths.at[empty].set(0)
    final, outputs = run(situation, weights, (carry, inputs, lengths))
    assert_equal(picked(final, empty), picked(carry, empty))
    padding = np.arange(situation.way.time) >= np.array(lengths)[:, None]
    np.testing.assert_array_equal(outputs[padding], 0)


@unroll_law
def test_permuting_the_batch_permutes_what_comes_out(situation, data):
    weights, rows = make(situation)
    order = np.array(data.draw(st.permutations(range(situation.way.batch))))
    expected = picked(run(situation, weights, rows), order)
    assert_close(run(situation, weights, picked(rows, order)), expected)


@unroll_law
def test_the_parts_of_a_batch_together_are_the_whole(situation, data):
    weights, rows = make(situation)
    middle = situation.way.batch // 2
    parts = [run(situation, weights, picked(rows, half)) for half in np.s_[:middle, middle:]]
    whole = jax.tree.map(lambda *leaves: jnp.concatenate(leaves), *parts)
    assert_close(whole, run(situation, weights, rows))


@unroll_law
def test_a_sequence_cut_in_two_is_the_sequence(situation, data):
    """Read backwards, its second part comes first."""
    weights, (carry, inputs, lengths) = make(situation)
    cut = data.draw(st.integers(0, situation.way.time))
    before = inputs, jnp.minimum(lengths, cut)
    after = jnp.roll(inputs, -cut, axis=1), jnp.maximum(lengths - cut, 0)
    outputs = {}
    middle = carry
    for part in ("after", "before") if situation.way.reverse else ("before", "after"):
        rows = (middle, *(before if part == "before" else after))
        middle, outputs[part] = run(situation, weights, rows)
    joined = jnp.concatenate(
        [outputs["before"][:, :cut], outputs["after"][:, : situation.way.time - cut]], axis=1
    )
    assert_close((middle, joined), run(situation, weights, (carry, inputs, lengths)), 1e-5)


@unroll_law
def test_more_padding_changes_nothing(situation, data):
    weights, (carry, inputs, lengths) = make(situation)
    wider = np.pad(inputs, ((0, 0), (0, 3), (0, 0)), constant_values=np.float32(data.draw(GARBAGE)))
    final, outputs = run(situation, weights, (carry, wider, lengths))
    expected = run(situation, weights, (carry, inputs, lengths))
    assert_close((final, outputs[:, : situation.way.time]), expected)
    np.testing.assert_array_equal(outputs[:, situation.way.time :], 0)


class Sentences(NamedTuple):
    """A model by name, and what it reads and learns: lengths of both sides, seed of all numbers."""

    name: str
    time: int
    sources: tuple[int, ...]
    targets: tuple[int, ...]
    seed: int


BOTH = ModelConfig(
    embedding_size=3,
    hidden_size=4,
    encoder_layers=2,
    decoder_layers=1,
    dropout=0.0,
    direction="both",
)
MODELS = {
    "lstm": dataclasses.replace(BOTH, attention="additive", input_feeding=True),
    "gru": dataclasses.replace(BOTH, cell="gru", residual=True, attention="general"),
    "min lstm": dataclasses.replace(BOTH, cell="min_lstm", pyramid=True),
    "bottleneck": dataclasses.replace(BOTH, lstm_variant="peepholes", attention="none"),
}
VOCAB = 7


@st.composite
def sentences(draw, names, times):
    time = draw(st.sampled_from(times))
    lengths = st.tuples(*[st.integers(0, time)] * 3)
    return Sentences(draw(st.sampled_from(names)), time, draw(lengths), draw(lengths), draw(SEEDS))


model_law = law(sentences(("lstm",), (4,)), sentences(tuple(MODELS), range(1, 7)), examples=6)


@functools.cache
def taught(name):
    """Returns the shapes of weights, and a compiled `(weights, rows) -> (loss, states), gradients`.

    The loss is the sum over all tokens, to which the parts of a batch add up.
    """
    model = build_seq2seq(MODELS[name], source_vocab_size=VOCAB, target_vocab_size=VOCAB, bos_id=1)
    tokens = Padded(jnp.zeros((1, 2), jnp.int32), jnp.ones((1,), jnp.int32))
    weights = jax.eval_shape(model.init, jax.random.key(0), tokens, tokens)["params"]

    def loss(weights, rows):
        source, target = rows
        keep = lambda module, method: isinstance(module, Encoder)
        (logits, _), kept = model.apply(
            {"params": weights}, source, target, capture_intermediates=keep
        )
        (encoded,) = kept["intermediates"]["encoder"]["__call__"]
        mean = cross_entropy(logits, target, label_smoothing=0.1)
        return mean.total, (mean, encoded)

    return weights, jax.jit(jax.value_and_grad(loss, has_aux=True))


def make_sentences(given):
    rng = np.random.default_rng(given.seed)
    draw = lambda leaf: np.float32(0.7 * rng.normal(size=leaf.shape))
    weights = jax.tree.map(draw, taught(given.name)[0])
    rows = tuple(
        Padded(rng.integers(0, VOCAB, (3, given.time), np.int32), np.array(lengths, np.int32))
        for lengths in (given.sources, given.targets)
    )
    return on_device((weights, rows))


def teach(given, weights, rows):
    return taught(given.name)[1](weights, on_device(rows))


@model_law
def test_no_loss_and_no_gradient_of_a_model_reads_padding(given, data):
    weights, rows = make_sentences(given)

    def spoil(padded):
        padding = np.arange(given.time) >= np.array(padded.lengths)[:, None]
        other = data.draw(st.integers(0, VOCAB - 1))
        return padded._replace(values=np.where(padding, np.int32(other), padded.values))

    spoilt = tuple(spoil(padded) for padded in rows)
    assert_equal(teach(given, weights, spoilt), teach(given, weights, rows))


@model_law
def test_more_padding_changes_no_loss_and_no_gradient_of_a_model(given, data):
    weights, rows = make_sentences(given)
    other = data.draw(st.integers(0, VOCAB - 1))
    wider = tuple(
        padded._replace(
            values=np.pad(padded.values, ((0, 0), (0, width)), constant_values=np.int32(other))
        )
        for padded, width in zip(rows, (4, 2), strict=True)
    )
    (_, (mean, found)), gradient = teach(given, weights, wider)
    (_, (expected_mean, expected)), expected_gradient = teach(given, weights, rows)
    time = expected.outputs.shape[1]
    np.testing.assert_array_equal(found.outputs[:, time:], 0)
    found = found._replace(outputs=found.outputs[:, :time])
    assert_close((mean, found, gradient), (expected_mean, expected, expected_gradient), 2e-5)


@model_law
def test_a_model_takes_the_rows_of_a_batch_in_any_order(given, data):
    weights, rows = make_sentences(given)
    order = np.array(data.draw(st.permutations(range(3))))
    (_, (mean, found)), gradient = teach(given, weights, picked(rows, order))
    (_, (expected_mean, expected)), expected_gradient = teach(given, weights, rows)
    assert_close(found, picked(expected, order))
    assert_close((mean, gradient), (expected_mean, expected_gradient), 2e-5)


@model_law
def test_losses_and_gradients_of_a_model_add_up_over_the_parts_of_a_batch(given, data):
    weights, rows = make_sentences(given)
    chosen = np.array(data.draw(st.tuples(*[st.booleans()] * 3)))
    parts = [
        tuple(padded._replace(lengths=jnp.where(part, padded.lengths, 0)) for padded in rows)
        for part in (chosen, ~chosen)
    ]
    found = [teach(given, weights, part) for part in parts]
    (_, (mean, _)), gradient = teach(given, weights, rows)
    assert_close(sum_means([part[0][1][0] for part in found]), mean, 2e-5)
    assert_close(jax.tree.map(jnp.add, *[part[1] for part in found]), gradient, 2e-5)


class Looks(NamedTuple):
    """A scorer, and what is looked at: positions, lengths and the seed of all numbers."""

    scorer: int
    source: int
    lengths: tuple[int, ...]
    seed: int


@st.composite
def looks(draw, sources):
    source = draw(st.sampled_from(sources))
    lengths = draw(st.tuples(*[st.integers(0, source)] * 3))
    return Looks(draw(st.integers(0, len(SCORERS) - 1)), source, lengths, draw(SEEDS))


look_law = law(looks((5,)), looks(range(1, 9)), examples=20)


@functools.cache
def seen(number):
    """Returns the shapes of a scorer's weights, and two compiled functions of what it looks at.

    The first gives contexts and weights, the second gradients that both have a part in.
    """
    scorer = SCORERS[number]
    query, memory = jnp.zeros((1, 2, SIZE)), jnp.zeros((1, 3, SIZE))
    weights = jax.eval_shape(lambda: init(scorer, query, memory))
    look_fn = functools.partial(look, scorer)
    loss = lambda *arguments: sum(jnp.sum(jnp.sin(leaf)) for leaf in look_fn(*arguments))
    return weights, jax.jit(look_fn), jax.jit(jax.grad(loss, argnums=(0, 1, 2)))


def make_look(given):
    rng = np.random.default_rng(given.seed)
    draw = lambda leaf: np.float32(rng.normal(size=leaf.shape))
    weights = jax.tree.map(draw, seen(given.scorer)[0])
    query, memory = draw(np.zeros((3, 2, SIZE))), draw(np.zeros((3, given.source, SIZE)))
    mask = np.arange(given.source) < np.array(given.lengths)[:, None]
    return on_device((weights, query, memory, mask))


@look_law
def test_more_padding_changes_no_look(given, data):
    weights, query, memory, mask = make_look(given)
    other = np.float32(data.draw(st.sampled_from((1e6, -3.0))))
    wider = jnp.pad(memory, ((0, 0), (0, 100), (0, 0)), constant_values=other)
    wider_mask = jnp.pad(mask, ((0, 0), (0, 100)))
    _, look_fn, gradient_fn = seen(given.scorer)
    context, found = look_fn(weights, query, wider, wider_mask)
    assert_close((context, found[..., : given.source]), look_fn(weights, query, memory, mask))
    np.testing.assert_array_equal(found[..., given.source :], 0)
    *gradient, at_memory = gradient_fn(weights, query, wider, wider_mask)
    *expected, at_expected = gradient_fn(weights, query, memory, mask)
    assert_close((*gradient, at_memory[:, : given.source]), (*expected, at_expected), 1e-5)
    np.testing.assert_array_equal(at_memory[:, given.source :], 0)


@look_law
def test_permuting_positions_permutes_weights_and_keeps_the_context(given, data):
    weights, query, memory, mask = make_look(given)
    order = np.array(data.draw(st.permutations(range(given.source))))
    context, found = seen(given.scorer)[1](weights, query, memory, mask)
    moved_context, moved = seen(given.scorer)[1](weights, query, memory[:, order], mask[:, order])
    assert_close((moved_context, moved), (context, found[..., order]))


@look_law
def test_weights_of_a_look_add_up_to_one_or_there_is_nothing_to_see(given, data):
    weights, query, memory, _ = make_look(given)
    holes = st.lists(st.booleans(), min_size=given.source, max_size=given.source)
    mask = jnp.asarray([data.draw(holes), data.draw(holes), [False] * given.source])
    _, look_fn, gradient_fn = seen(given.scorer)
    context, found = look_fn(weights, query, memory, mask)
    some = jnp.any(mask, axis=1)
    assert_close(jnp.sum(found, axis=-1), np.where(some[:, None], 1.0, 0.0) * np.ones((3, 2)))
    np.testing.assert_array_equal(jnp.where(mask[:, None], 0, found), 0)
    np.testing.assert_array_equal(context[~some], 0)
    _, at_query, at_memory = gradient = gradient_fn(weights, query, memory, mask)
    assert all(bool(jnp.all(jnp.isfinite(leaf))) for leaf in jax.tree.leaves(gradient))
    np.testing.assert_array_equal(at_query[~some], 0)
    np.testing.assert_array_equal(at_memory[~mask], 0)

"""What answers cost: held against all answers that there are, and against loops."""

import dataclasses
import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from seqjax.build.learner import build_language_learner, build_seq2seq_learner
from seqjax.build.model import build_language_model, build_seq2seq
from seqjax.build.own_answers import Answers, build_own_answers, repetition_of, risk_of
from seqjax.config import ModelConfig, ObjectiveConfig
from seqjax.decode.protocol import Symbols
from seqjax.metrics.edit import edit_distance
from seqjax.train.step import init_state, train_step
from seqjax.types import Batch, Padded, sum_means

SYMBOLS = Symbols(bos_id=1, eos_id=2, pad_id=0)
SMALL = ModelConfig(
    embedding_size=4, hidden_size=4, direction="forward", dropout=0.0, unroll="scan"
)
SOURCE = Padded(jnp.array([[3, 4, 3], [4, 3, 0], [0, 0, 0]]), jnp.array([3, 2, 0]))
TARGET = Padded(jnp.array([[4, 2], [2, 0], [0, 0]]), jnp.array([2, 1, 0]))
LENGTHS, TEXTS = (2, 1), ([4], [])
WORDS = (3, 4)
EXACT = ObjectiveConfig(risk_weight=1.0, risk_search="beam", risk_candidates=32, risk_alpha=1.0)


@functools.cache
def small():
    model = build_seq2seq(SMALL, source_vocab_size=5, target_vocab_size=5, bos_id=1, unk_id=3)
    params = jax.jit(model.init)(jax.random.key(0), SOURCE, TARGET)["params"]
    return model, jax.tree.map(lambda leaf: 3 * leaf, params)


def learner_of(config, model=None):
    own_answers = build_own_answers(config, SYMBOLS, ends=True)
    return build_seq2seq_learner(model or small()[0], config, own_answers)


@functools.cache
def compiled(config):
    def loss_fn(params, batch, key):
        return learner.loss_fn(params, (), batch, key, jnp.asarray(0), train=True)[0]

    learner = learner_of(config)
    return jax.jit(loss_fn)


def loss_of(config, params, batch, seed=0):
    return compiled(config)(params, batch, jax.random.key(seed))


def all_answers(limit):
    """Those that end within the limit, and those that are cut there."""
    for length in range(limit):
        yield from ([*words, 2] for words in itertools.product(WORDS, repeat=length))
    yield from (list(words) for words in itertools.product(WORDS, repeat=limit))


def expected_by_enumeration(params, row):
    """Sum of P(y) times edits(y) over the reference's tokens; y of all answers there are."""
    model, _ = small()
    length = LENGTHS[row]
    answers = list(all_answers(length + length // 2 + 1))
    tokens = np.zeros((len(answers), max(map(len, answers))), np.int32)
    for number, one in enumerate(answers):
        tokens[number, : len(one)] = one
    said = Padded(jnp.asarray(tokens), jnp.array([len(one) for one in answers]))
    source = jax.tree.map(lambda leaf: jnp.repeat(leaf[row : row + 1], len(answers), 0), SOURCE)
    logits, _ = model.apply({"params": params}, source, said)
    log_probs = jax.nn.log_softmax(logits[:, :, 2:])  # BOS and padding are never said
    of_tokens = jnp.take_along_axis(log_probs, tokens[:, :, None] - 2, axis=2)[:, :, 0]
    probs = jnp.exp(jnp.sum(of_tokens, axis=1, where=tokens > 0))
    reference = TEXTS[row]
    texts = [[token for token in one if token != 2] for one in answers]
    edits = [edit_distance(text, reference) / max(len(reference), 1) for text in texts]
    return jnp.sum(probs * jnp.array(edits, jnp.float32)), jnp.sum(probs)


def test_with_all_answers_risk_and_its_gradient_are_those_of_the_expectation():
    _, params = small()

    def by_hand(params):
        found = [expected_by_enumeration(params, row) for row in range(2)]
        return 2.0 * found[0][0] + found[1][0], [mass for _, mass in found]

    ours = lambda params: loss_of(EXACT, params, Batch(SOURCE, TARGET)).total
    (wanted, masses), slope = jax.jit(jax.value_and_grad(by_hand, has_aux=True))(params)
    np.testing.assert_allclose(masses, 1, rtol=1e-5)  # there are no other answers
    got, own_slope = jax.jit(jax.value_and_grad(ours))(params)
    np.testing.assert_allclose(got, wanted, rtol=1e-5)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), own_slope, slope)
    assert optax.tree.norm(slope) > 0.01


@pytest.mark.slow
def test_risk_is_mixed_with_the_loss_of_tokens_and_adds_up():
    _, params = small()
    batch = Batch(SOURCE, TARGET)
    tokens, risk = (loss_of(one, params, batch) for one in (ObjectiveConfig(), EXACT))
    mixed = dataclasses.replace(EXACT, risk_weight=0.3)
    np.testing.assert_allclose(
        loss_of(mixed, params, batch), (0.7 * tokens.total + 0.3 * risk.total, 3), rtol=1e-5
    )
    cut = lambda row: jax.tree.map(lambda leaf: leaf[row : row + 1], batch)
    parts = [loss_of(mixed, params, cut(row)) for row in range(3)]
    np.testing.assert_allclose(sum_means(parts), loss_of(mixed, params, batch), rtol=1e-5)


@pytest.mark.slow
def test_more_padding_changes_no_risk():
    _, params = small()
    widen = lambda side, more: Padded(
        jnp.pad(side.values, ((0, 0), (0, more)), constant_values=3), side.lengths
    )
    config = dataclasses.replace(EXACT, risk_candidates=5, sequence_unlikelihood=1.0)
    loss = loss_of(config, params, Batch(SOURCE, TARGET))
    more = loss_of(config, params, Batch(widen(SOURCE, 2), widen(TARGET, 3)))
    np.testing.assert_allclose(more, loss, rtol=1e-5)


ANSWERS = Answers(
    tokens=jnp.array(
        [[[4, 2, 0], [4, 4, 2], [4, 2, 0], [4, 0, 0]], [[2, 0, 0], [3, 2, 0], [0] * 3, [2, 0, 0]]]
    ),
    lengths=jnp.array([[2, 3, 2, 1], [1, 2, 0, 1]]),
    log_probs=-jnp.arange(24, dtype=jnp.float32).reshape(2, 4, 3) / 10,
)


@pytest.mark.parametrize("alpha", (0.005, 1.0))
def test_answers_that_are_the_same_count_once_and_a_cut_one_is_another(alpha):
    config = ObjectiveConfig(risk_weight=1.0, risk_alpha=alpha)
    targets = Padded(jnp.array([[4, 4, 4, 2], [4, 2, 0, 0]]), jnp.array([4, 2]))
    weigh = lambda row, place: np.exp(alpha * float(ANSWERS.log_probs[row, place].sum()))
    rows = [[(0, 2 / 3), (1, 1 / 3), (3, 2 / 3)], [(0, 1.0), (1, 1.0)]]
    wanted = [
        sum(weigh(row, place) * cost for place, cost in kept)
        / sum(weigh(row, place) for place, _ in kept)
        for row, kept in enumerate(rows)
    ]
    np.testing.assert_allclose(risk_of(config, ANSWERS, targets, SYMBOLS), wanted, rtol=1e-5)


@pytest.mark.slow
def test_the_reference_can_be_one_of_the_answers():
    """Of two answers, the reference and the one that is likeliest, only the latter costs."""
    _, params = small()
    config = dataclasses.replace(EXACT, risk_candidates=1, risk_reference=True)
    batch = jax.tree.map(lambda leaf: leaf[:1], Batch(SOURCE, TARGET))
    loss = loss_of(config, params, batch)
    assert 0 < loss.value() < 1
    more_of_it = jax.jit(jax.grad(lambda params: loss_of(config, params, batch).total))(params)
    stepped = jax.tree.map(lambda leaf, slope: leaf - 0.1 * slope, params, more_of_it)
    plain = lambda params: float(loss_of(ObjectiveConfig(), params, batch).total)
    assert plain(stepped) < plain(params)  # towards the reference


@pytest.mark.slow
def test_draws_are_other_ones_at_every_step_and_the_same_again():
    _, params = small()
    config = ObjectiveConfig(risk_weight=1.0, risk_candidates=3)
    batch = Batch(SOURCE, TARGET)
    losses = [float(loss_of(config, params, batch, seed).total) for seed in (0, 0, 1, 2, 3)]
    assert losses[0] == losses[1] and len(set(losses)) > 2


def test_repetition_costs_what_it_says_per_token_of_the_answer():
    config = ObjectiveConfig(sequence_unlikelihood=1.0, sequence_unlikelihood_ngram=2)
    tokens = jnp.array([[[5, 6, 5, 6, 0]], [[5, 6, 5, 7, 2]], [[0] * 5]])
    log_probs = -jnp.linspace(0.1, 2.0, 15).reshape(3, 1, 5)
    got = repetition_of(config, Answers(tokens, jnp.array([[4], [5], [0]]), log_probs))
    said = np.asarray(log_probs)[0, 0, 2:4]
    np.testing.assert_allclose(got, [-np.log(1 - np.exp(said)).sum() / 4, 0, 0], rtol=1e-5)


def test_a_language_model_goes_on_after_what_it_has_read():
    """Its greedy continuation by hand, and the unlikelihood of what that repeats."""
    model = build_language_model(SMALL, vocab_size=5)
    config = ObjectiveConfig(
        sequence_unlikelihood=0.5, sequence_unlikelihood_ngram=1, sequence_unlikelihood_length=6
    )
    own_answers = build_own_answers(config, SYMBOLS, ends=False)
    learner, plain = (
        build_language_learner(model, one, 2, *more)
        for one, more in ((config, (own_answers,)), (ObjectiveConfig(), ()))
    )
    inputs = Padded(jnp.array([[1, 3, 4], [4, 3, 0]]), jnp.array([3, 2]))
    targets = Padded(jnp.array([[3, 4, 4], [3, 3, 0]]), jnp.array([3, 2]))
    batch, key, step = Batch(inputs, targets), jax.random.key(0), jnp.asarray(0)
    params = jax.tree.map(lambda leaf: 3 * leaf, learner.init(batch, key))
    loss, loss_alone = (
        jax.jit(functools.partial(one.loss_fn, train=True))(params, one.memory, batch, key, step)[0]
        for one in (learner, plain)
    )
    step_fn = jax.jit(functools.partial(model.apply, method="step"))
    carry, _ = model.apply({"params": params}, inputs, model.initial_carry(2))
    read, said, costs, lengths, done = jnp.array([4, 3]), [[], []], [0, 0], [0, 0], [False] * 2
    for _ in range(6):
        carry, logits = step_fn({"params": params}, carry, read)
        log_probs = np.asarray(jax.nn.log_softmax(logits[:, 2:]))
        read = jnp.argmax(logits[:, 2:], axis=1) + 2
        for row in range(2):
            token = int(read[row])
            if done[row]:
                continue
            lengths[row] += 1
            if token in said[row]:
                costs[row] -= np.log(1 - np.exp(log_probs[row, token - 2]))
            said[row].append(token)
            done[row] = token == 2
    assert any(costs)
    wanted = 0.5 * sum(n * cost / m for n, cost, m in zip((3, 2), costs, lengths, strict=True))
    np.testing.assert_allclose(loss.total - loss_alone.total, wanted, rtol=1e-4)


@pytest.mark.slow
@pytest.mark.standard_promotion
def test_a_trained_model_learns_to_lower_the_cost_of_its_answers():
    """Reversed strings, half learnt from tokens, then from answers alone: 0.64 becomes 0.51."""
    config = ModelConfig(embedding_size=16, hidden_size=32, dropout=0.0)
    model = build_seq2seq(config, source_vocab_size=12, target_vocab_size=12, bos_id=1)
    rng = np.random.default_rng(0)

    def drawn(rows=32, time=6):
        lengths = rng.integers(3, time + 1, size=rows)
        words = rng.integers(4, 12, size=(rows, time)).astype(np.int32)
        target = np.zeros((rows, time + 1), np.int32)
        for row, length in enumerate(lengths):
            target[row, : length + 1] = [*words[row, :length][::-1], 2]
        lengths = lengths.astype(np.int32)
        return Batch(Padded(words, lengths), Padded(target, lengths + 1))

    held_out = jax.tree.map(jnp.asarray, drawn(64))

    def trained(state, objective, steps, rate):
        optimizer = optax.adam(rate)
        learner = learner_of(objective, model)
        state = init_state(state or learner.init(held_out, jax.random.key(1)), optimizer)
        step = jax.jit(
            functools.partial(
                train_step,
                loss_fn=functools.partial(learner.loss_fn, train=True),
                optimizer=optimizer,
                schedule=lambda _: rate,
            )
        )
        for _ in range(steps):
            state, _ = step(state, jax.tree.map(jnp.asarray, drawn()), jax.random.key(2))
        return state.params

    def cost(params):
        judge = ObjectiveConfig(risk_weight=1.0, risk_candidates=16, risk_alpha=1e-6)
        loss_fn = functools.partial(learner_of(judge, model).loss_fn, train=True)
        run = jax.jit(loss_fn)
        return float(run(params, (), held_out, jax.random.key(3), jnp.asarray(0))[0].value())

    before = trained(None, ObjectiveConfig(), 250, 5e-3)
    objective = ObjectiveConfig(risk_weight=1.0, risk_alpha=1.0)
    after = trained(before, objective, 120, 3e-3)
    assert cost(after) < 0.85 * cost(before)

"""N-gram models, against counts worked by hand and against dictionaries."""

import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from oracles import ngrams as oracle

from seqjax import decode
from seqjax.baselines.counts import count_ngrams, lay_out
from seqjax.baselines.ngram import from_arrays, train_ngram
from seqjax.baselines.ngram_step import initial_state, ngram_step, step_tables
from seqjax.baselines.smoothing import FALLBACK_DISCOUNTS, estimate_discounts
from seqjax.decode.scoring import by_log_prob

# a b a b c, and b b c; d is never seen.
BY_HAND = [np.array([0, 1, 0, 1, 2]), np.array([1, 1, 2])]


@functools.cache
def drawn():
    """Returns sequences in which every order has its own discounts, and others to score."""
    generator = np.random.default_rng(0)
    weights = 1 / np.arange(1, 10)
    draw = lambda: generator.choice(9, size=generator.integers(0, 14), p=weights / weights.sum())
    return [draw() for _ in range(60)], [draw() for _ in range(8)]


@functools.cache
def trained(order):
    return train_ngram(drawn()[0], order=order, vocab_size=10)


def test_counts_are_those_worked_by_hand():
    unigrams, bigrams = count_ngrams(lay_out(BY_HAND, 4), 2, 4)
    # a stands after the boundary and b; b after the boundary, a and b; c after b.
    assert unigrams.counts.tolist() == [2, 3, 1, 0, 0]
    found = {divmod(int(key), 5): int(often) for key, often in zip(*bigrams, strict=True)}
    assert found == {(0, 1): 2, (1, 0): 1, (1, 1): 1, (1, 2): 2, (4, 0): 1, (4, 1): 1}


def test_probabilities_are_those_worked_by_hand():
    # Unigrams: t = 1, 1, 1, 0, so Y = 1/3 and D = 1/3, 1, 3; 13/18 goes to the uniform 1/4.
    unigrams = train_ngram(BY_HAND, order=2, vocab_size=4).next_distribution([3])
    np.testing.assert_allclose(unigrams, np.array([25, 13, 21, 13]) / 72, rtol=1e-12)
    # Bigrams: t_3 = 0, so D = 1/2, 1, 3/2; after b: a once, b once, c twice.
    after_b = train_ngram(BY_HAND, order=2, vocab_size=4).next_distribution([1])
    np.testing.assert_allclose(after_b, np.array([43, 31, 57, 13]) / 144, rtol=1e-12)


def test_discounts_are_estimated_or_else_said():
    counts = np.repeat([0, 1, 2, 3, 4], [7, 10, 4, 2, 1])
    share = 10 / 18
    wanted = (1 - 2 * share * 4 / 10, 2 - 3 * share * 2 / 4, 3 - 4 * share * 1 / 2)
    np.testing.assert_allclose(estimate_discounts(counts), wanted, rtol=1e-12)
    assert estimate_discounts(np.array([1, 1, 2, 5])) == FALLBACK_DISCOUNTS
    # Ten times more of count 3 than of count 2: D_2 would be below 0.
    assert estimate_discounts(np.repeat([1, 2, 3, 4], [10, 1, 10, 1])) == FALLBACK_DISCOUNTS
    # D_2 would be 0, and a context whose followers were all seen twice would forbid all others.
    assert estimate_discounts(np.repeat([1, 2, 3], [4, 4, 8])) == FALLBACK_DISCOUNTS


@pytest.mark.parametrize("order", [1, 2, 4])
def test_every_probability_is_that_of_the_dictionaries(order):
    train, test = drawn()
    counts = oracle.adjusted_counts(train, order)
    if order == 4:  # none of the orders goes by the fallback alone
        assert any(oracle.discounts(counts[length]) != FALLBACK_DISCOUNTS for length in (3, 4))
    wanted = []
    for sequence in test:
        tokens = (oracle.BOUNDARY, *(int(token) for token in sequence))
        for place in range(1, len(tokens)):
            context = tokens[max(0, place - order + 1) : place]
            wanted.append(oracle.probability(tokens[place], context, counts, 10))
    found = trained(order).sequence_log_probs(test)
    np.testing.assert_allclose(np.exp(found), wanted, rtol=1e-10)


@pytest.mark.parametrize("context", [[], [0], [9, 9, 9, 9], [0, 1, 0, 2, 0], [8]])
@pytest.mark.parametrize("order", [1, 3, 5])
def test_the_vocabulary_shares_one_in_every_context(order, context):
    probs = trained(order).next_distribution(context)
    assert probs.shape == (10,) and probs.min() > 0
    np.testing.assert_allclose(probs.sum(), 1, rtol=1e-12)
    one_by_one = [trained(order).log_probs(np.array([token]), context)[0] for token in range(10)]
    np.testing.assert_allclose(np.log(probs), one_by_one, rtol=1e-12)


def test_a_text_costs_the_same_in_parts():
    text = np.concatenate(drawn()[1])
    whole = trained(4).log_probs(text)
    parts = [trained(4).log_probs(text[:11]), trained(4).log_probs(text[11:], text[:11])]
    np.testing.assert_array_equal(whole, np.concatenate(parts))
    # What stands before the last three tokens is not seen.
    np.testing.assert_array_equal(trained(4).log_probs(text[11:], text[8:11]), parts[1])


def test_sequences_know_nothing_of_each_other():
    test = drawn()[1]
    apart = np.concatenate([trained(3).log_probs(sequence) for sequence in test])
    np.testing.assert_array_equal(trained(3).sequence_log_probs(iter(test)), apart)


def test_a_model_comes_back_from_its_arrays():
    model = from_arrays(trained(3).to_arrays())
    test = drawn()[1]
    np.testing.assert_array_equal(
        model.sequence_log_probs(test), trained(3).sequence_log_probs(test)
    )


def test_draws_follow_the_distribution_and_their_seed():
    model = trained(3)
    draws = [int(model.sample(1, seed=seed, context=[0, 1])[0]) for seed in range(4000)]
    often = np.bincount(draws, minlength=10) / 4000
    # Four standard deviations of a share of 4000 draws are at most 0.032.
    np.testing.assert_allclose(often, model.next_distribution([0, 1]), atol=0.032)
    np.testing.assert_array_equal(model.sample(20, seed=3), model.sample(20, seed=3))
    ended = model.sample(200, seed=1, eos_id=0)
    assert ended[-1] == 0 and 0 not in ended[:-1]
    first = model.sample(1, seed=0, temperature=0.0)[0]
    assert first == model.next_distribution().argmax()


@pytest.mark.parametrize("order", [1, 4])
def test_the_compiled_step_is_the_model(order):
    tables, test = step_tables(trained(order)), [s for s in drawn()[1] if len(s) >= 5][:3]
    rows = np.stack([sequence[:5] for sequence in test])
    state = initial_state(tables, len(rows))
    step = jax.jit(lambda tables, tokens, state: ngram_step(tables, 9, tokens, state))
    tokens = np.full(len(rows), 9)  # BOS
    for place in range(5):
        log_probs, state = step(tables, jnp.asarray(tokens, jnp.int32), state)
        for row, said in zip(rows, log_probs, strict=True):
            wanted = trained(order).next_distribution(row[:place])
            np.testing.assert_allclose(said, np.log(wanted), rtol=2e-5)
        tokens = rows[:, place]


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="order must be at least 1"):
        train_ngram(BY_HAND, order=0, vocab_size=4)
    with pytest.raises(ValueError, match=r"tokens must be in \[0, 2\), got 2"):
        train_ngram(BY_HAND, order=2, vocab_size=2)
    with pytest.raises(ValueError, match=r"tokens must be in \[0, 10\), got 10"):
        trained(3).log_probs(np.array([10]))


def test_nothing_to_learn_from_is_uniform():
    model = train_ngram([], order=3, vocab_size=4)
    np.testing.assert_allclose(model.next_distribution([1, 2]), 0.25)
    tables = step_tables(model)
    said, _ = ngram_step(tables, 0, jnp.zeros(2, jnp.int32), initial_state(tables, 2))
    np.testing.assert_allclose(np.exp(said), 0.25, rtol=1e-6)


def test_a_search_finds_what_is_likeliest_of_all():
    # 0 is EOS, 4 is BOS and never occurs.
    train = [np.append(1 + sequence[:4] % 3, 0) for sequence in drawn()[0]]
    model = train_ngram(train, order=3, vocab_size=5)
    endings = [
        np.array([*words, 0])
        for length in range(3)
        for words in itertools.product([1, 2, 3], repeat=length)
    ]
    wanted = sorted(endings, key=lambda ids: -model.log_probs(ids).sum())[:3]
    tables = step_tables(model)
    found = decode.search(
        functools.partial(ngram_step, tables, 4),
        initial_state(tables, 1),
        decode.Beam(width=30, n_best=30, score_fn=by_log_prob),
        symbols=decode.Symbols(bos_id=4, eos_id=0, pad_id=4),
        max_length=3,
    )
    ended = [
        (tokens[:length].tolist(), log_prob)
        for tokens, log_prob, length, finished in zip(
            np.array(found.tokens[0]),
            np.array(found.log_probs[0]),
            np.array(found.lengths[0]),
            np.array(found.finished[0]),
            strict=True,
        )
        if finished
    ]
    assert [tokens for tokens, _ in ended[:3]] == [ids.tolist() for ids in wanted]
    costs = [model.log_probs(ids).sum() for ids in wanted]
    np.testing.assert_allclose([log_prob for _, log_prob in ended[:3]], costs, rtol=1e-5)

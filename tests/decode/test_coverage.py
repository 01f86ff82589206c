"""What the state of a hypothesis adds to its score."""

import jax.numpy as jnp
import numpy as np
from decode.chains import BOS, EOS, SYMBOLS, VOCAB, answers, start, tables_of
from oracles import search as oracle

from seqjax import decode

CHAINS = [oracle.Chain(seed, VOCAB) for seed in range(12)]
TABLES = tables_of(CHAINS)
LENGTH, COST = 4, 0.6


def step_fn(tokens, state):
    """The chain; its state counts, too, how often token 2 has been read."""
    before, count = state
    sentence = jnp.arange(tokens.shape[0]) // (tokens.shape[0] // len(CHAINS))
    return TABLES[sentence, before, tokens], (tokens, count + (tokens == 2).astype(jnp.float32))


def found_with(size, weight, processor=decode.chain(), **settings):
    way = decode.Beam(
        size,
        n_best=2,
        state_score_fn=lambda state: -weight * state[1],
        score_fn=decode.length_normalised(decode.average(1.0)),
        **settings,
    )
    nothing = jnp.zeros((len(CHAINS),))
    return decode.search(
        step_fn,
        (start(len(CHAINS)), nothing),
        way,
        symbols=SYMBOLS,
        max_length=LENGTH,
        processor=processor,
    )


def test_what_a_state_says_counts_at_the_end_or_at_each_step():
    """A beam that holds everything finds the best, of all that was read before the last token."""
    for settings in ({}, {"stepwise": True}):
        found = found_with(VOCAB**LENGTH, COST, **settings)
        for row, chain in enumerate(CHAINS):
            finished, _ = oracle.score_all(chain, LENGTH, bos=BOS, eos=EOS)
            scores = {
                tokens: value / len(tokens) - COST * tokens[:-1].count(2)
                for tokens, value in finished.items()
            }
            expected = sorted(scores, key=lambda tokens: -scores[tokens])[:2]
            got = answers(found, row)
            assert [one[0] for one in got] == expected
            np.testing.assert_allclose(
                [g[2] for g in got], [scores[e] for e in expected], atol=1e-5
            )
            np.testing.assert_allclose(
                [g[1] for g in got], [finished[e] for e in expected], atol=1e-5
            )


def test_only_at_each_step_does_it_decide_what_lives_on():
    """A heavy cost: a beam of 2 that hears of it at each step keeps clear of token 2."""
    said = lambda found: sum(
        answer[0][:-1].count(2) for row in range(len(CHAINS)) for answer in answers(found, row)
    )
    at_the_end, each_step = found_with(2, 20.0), found_with(2, 20.0, stepwise=True)
    assert said(each_step) < said(at_the_end)


def test_what_is_cut_has_what_its_own_state_says():
    """No answer may end: all are cut, and were reordered on the way."""
    found = found_with(3, COST, processor=decode.forbid([EOS]))
    process = lambda logits, tokens: np.where(np.arange(VOCAB) == EOS, -np.inf, logits)
    for row, chain in enumerate(CHAINS):
        _, cut = oracle.score_all(chain, LENGTH, bos=BOS, eos=EOS, process=process)
        for tokens, log_prob, score, finished in answers(found, row):
            np.testing.assert_allclose(log_prob, cut[tokens], atol=1e-5)
            expected = cut[tokens] / LENGTH - COST * tokens[:-1].count(2)
            np.testing.assert_allclose(score, expected, atol=1e-5)
            assert not finished

"""What holds of a search whatever the model: chains drawn number by number, ties and all."""

import functools

import jax.numpy as jnp
import numpy as np
import pytest
from decode.chains import answers, found_by
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from oracles import processors
from oracles import search as oracle

from seqjax import decode

VOCAB, LENGTH, BATCH, BOS, EOS = 3, 3, 3, 1, 0
TABLES = arrays(
    np.float32,
    (BATCH, VOCAB, VOCAB, VOCAB),
    elements=st.sampled_from([-np.inf, -3.0, -1.5, -0.5, 0.0, 0.0, 0.25, 1.0, 2.0, 4.0]),
)
SCORES = {
    "sum": (decode.average(0.0), 0.0, lambda v, n: v),
    "mean": (decode.average(1.0), 0.0, lambda v, n: v / n),
    "inverse": (decode.average(-1.0), 0.0, lambda v, n: v * n),
    "steep": (decode.average(2.0), 0.0, lambda v, n: v / n**2),
    "gnmt and reward": (decode.gnmt(0.7), 0.4, lambda v, n: (v + 0.4 * n) / ((5 + n) / 6) ** 0.7),
}
PROCESSORS = {
    "none": (decode.chain(), lambda logits, tokens: logits),
    "many": (
        decode.chain(
            decode.repetition_penalty(1.4, meaning="log_probs", exempt=(EOS,)),
            decode.frequency_penalty(0.3),
            decode.no_repeat_ngram(2, exempt=(EOS,)),
            decode.min_length(1, eos_id=EOS),
        ),
        lambda logits, tokens: processors.min_length(
            processors.no_repeat_ngram(
                processors.frequency_penalty(
                    processors.repetition_penalty(
                        logits, tokens, 1.4, exempt=(EOS,), meaning="log_probs"
                    ),
                    tokens,
                    0.3,
                ),
                tokens,
                2,
                exempt=(EOS,),
            ),
            tokens,
            1,
            EOS,
        ),
    ),
}


@functools.cache
def way_of(size, score, stop="exact"):
    length_penalty, reward, _ = SCORES[score]
    score_fn = decode.length_normalised(length_penalty, word_reward=reward)
    return decode.Beam(size, n_best=min(size, 4), score_fn=score_fn, stop=stop)


def chain_of(table):
    chain = oracle.Chain(0, VOCAB)
    chain.table = table
    return chain


@pytest.mark.parametrize(
    ("score", "processor"),
    (
        ("sum", "none"),
        ("steep", "none"),
        ("gnmt and reward", "many"),
        *(
            pytest.param(*both, marks=pytest.mark.slow)
            for both in (("mean", "many"), ("inverse", "many"), ("steep", "many"), ("mean", "none"))
        ),
    ),
)
def test_a_full_beam_is_exhaustive_search_for_any_chain(score, processor):
    ours, theirs = PROCESSORS[processor]

    @settings(max_examples=20, deadline=None, derandomize=True, database=None)
    @given(TABLES, st.lists(st.integers(1, LENGTH), min_size=BATCH, max_size=BATCH))
    def check(tables, limits):
        found = found_by(
            way_of(VOCAB**LENGTH, score),
            jnp.asarray(tables),
            jnp.array(limits),
            max_length=LENGTH,
            processor=ours,
        )
        for row in range(BATCH):
            settings_of = {"bos": BOS, "eos": EOS, "process": theirs}
            finished, cut = oracle.score_all(chain_of(tables[row]), limits[row], **settings_of)
            everything = [
                sorted((SCORES[score][2](v, len(t)) for t, v in part.items()), reverse=True)
                for part in (finished, cut)
            ]
            got = answers(found, row)
            # Of equal scores either may come first; every one is what it says it is.
            np.testing.assert_allclose(
                [one[2] for one in got], (everything[0] + everything[1])[:4], atol=1e-4
            )
            assert len({one[0] for one in got}) == len(got)
            for tokens, log_prob, _, ended in got:
                expected = (finished if ended else cut)[tokens]
                np.testing.assert_allclose(log_prob, expected, atol=1e-4)

    check()


@pytest.mark.parametrize("stop", ("exact", "first_full"))
def test_no_answer_of_a_small_beam_is_better_than_it_can_be(stop):
    @settings(max_examples=25, deadline=None, derandomize=True, database=None)
    @given(TABLES)
    def check(tables):
        found = found_by(way_of(2, "mean", stop), jnp.asarray(tables), max_length=LENGTH)
        for row in range(BATCH):
            finished, cut = oracle.score_all(chain_of(tables[row]), LENGTH, bos=BOS, eos=EOS)
            for tokens, log_prob, _, ended in answers(found, row):
                expected = (finished if ended else cut)[tokens]
                np.testing.assert_allclose(log_prob, expected, atol=1e-4)
                assert (tokens[-1] == EOS) == ended and EOS not in tokens[:-1]
            scores = [one[2] for one in answers(found, row) if one[3]]
            assert scores == sorted(scores, reverse=True)

    check()

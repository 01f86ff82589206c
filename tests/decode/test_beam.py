"""Beam search against looking at everything."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from decode.chains import (
    BOS,
    EOS,
    SYMBOLS,
    VOCAB,
    answers,
    found_by,
    start,
    step_fn_of,
    tables_of,
)
from oracles import processors
from oracles import search as oracle

from seqjax import decode

LENGTH = 3
WIDE = VOCAB**LENGTH
SEEDS = range(40)
PENALTIES = {
    "sum": (decode.average(0.0), lambda n: 1.0),
    "mean": (decode.average(1.0), lambda n: n),
    "inverse": (decode.average(-1.0), lambda n: 1 / n),
    "gnmt": (decode.gnmt(0.8), lambda n: ((5 + n) / 6) ** 0.8),
}
PROCESSORS = {
    "none": (decode.chain(), lambda logits, tokens: logits),
    "min_length": (
        decode.min_length(2, eos_id=EOS),
        functools.partial(processors.min_length, minimum=2, eos=EOS),
    ),
    "repetition": (
        decode.repetition_penalty(1.7, exempt=(EOS,)),
        functools.partial(processors.repetition_penalty, penalty=1.7, exempt=(EOS,)),
    ),
    "unigrams": (
        decode.no_repeat_ngram(1, exempt=(EOS,)),
        functools.partial(processors.no_repeat_ngram, size=1, exempt=(EOS,)),
    ),
    "bigrams": (
        decode.no_repeat_ngram(2, exempt=(EOS,)),
        functools.partial(processors.no_repeat_ngram, size=2, exempt=(EOS,)),
    ),
}
CHAINS = [oracle.Chain(seed, VOCAB) for seed in SEEDS]


def assert_same(found, expected):
    assert [tokens for tokens, *_ in found] == [tokens for _, tokens, *_ in expected]
    np.testing.assert_allclose([f[1] for f in found], [e[2] for e in expected], atol=1e-5)
    np.testing.assert_allclose([f[2] for f in found], [e[0] for e in expected], atol=1e-5)
    assert [f[3] for f in found] == [e[3] for e in expected]


@pytest.mark.parametrize(
    ("penalty", "processor"),
    (*((penalty, "none") for penalty in PENALTIES), *(("mean", name) for name in PROCESSORS)),
)
def test_a_full_beam_is_exhaustive_search(penalty, processor):
    ours, theirs = PENALTIES[penalty], PROCESSORS[processor]
    way = decode.Beam(WIDE, n_best=6, score_fn=decode.length_normalised(ours[0]))
    found = found_by(way, tables_of(CHAINS), max_length=LENGTH, processor=theirs[0])
    for row, chain in enumerate(CHAINS):
        expected = oracle.n_best(chain, 6, LENGTH, ours[1], bos=BOS, eos=EOS, process=theirs[1])
        assert_same(answers(found, row), expected)


def test_an_exact_stop_never_loses_what_first_full_may():
    """Stopping early pays off only if nothing better can come; here something better does."""
    chains = [oracle.Chain(seed, VOCAB, eos_bias=1.5) for seed in range(200)]
    score_fn = decode.length_normalised(decode.average(2.0))
    run = lambda stop: found_by(
        decode.Beam(2, score_fn=score_fn, stop=stop), tables_of(chains), max_length=6
    )
    exact, hasty = run("exact").scores[:, 0], run("first_full").scores[:, 0]
    assert bool(jnp.all(exact >= hasty - 1e-6))
    assert bool(jnp.any(exact > hasty + 1e-3))


def test_exact_finds_the_long_answer_of_the_early_stop_trap():
    """Ending at once is good now; alpha = 2 rewards the chain 1 2 2 EOS (best: -.20402)."""
    log = lambda p: np.log(np.maximum(p, 1e-30))
    table = np.full((3, 3, 3), -60.0, np.float32)
    table[:, 1] = log(np.array([0.3, 1e-30, 0.7]))
    table[:, 2] = log(np.array([0.5, 1e-30, 0.5]))
    chain = oracle.Chain(0, 3)
    chain.table = table
    expected = oracle.n_best(chain, 1, 5, lambda n: n**2, bos=1, eos=0)
    way = decode.Beam(3, score_fn=decode.length_normalised(decode.average(2.0)))
    found = found_by(way, jnp.asarray(table[None]), max_length=5)
    assert len(expected[0][1]) > 1
    assert_same(answers(found, 0), expected)


def test_no_beam_is_better_than_exhaustive_search():
    for size in (1, 2, 3):
        found = found_by(decode.Beam(size), tables_of(CHAINS), max_length=LENGTH)
        for row, chain in enumerate(CHAINS):
            best = oracle.n_best(chain, 1, LENGTH, lambda n: 1.0, bos=BOS, eos=EOS)[0]
            got = answers(found, row)[0]
            assert not got[3] or got[2] <= best[0] + 1e-5


@pytest.mark.parametrize("alpha", (0.0, 1.0, -1.0))
def test_beam_one_is_greedy(alpha):
    tables = tables_of(CHAINS)
    score_fn = decode.length_normalised(decode.average(alpha))
    one = found_by(decode.Beam(1, score_fn=score_fn, stop="first_full"), tables, max_length=5)
    greedy = found_by(decode.Greedy(), tables, max_length=5)
    for row in range(len(SEEDS)):
        assert_same_answer(answers(one, row)[0], answers(greedy, row)[0])


def assert_same_answer(one, other):
    assert one[0] == other[0] and one[3] == other[3]
    np.testing.assert_allclose(one[1], other[1], atol=1e-5)


def test_an_answer_depends_neither_on_its_batch_nor_on_their_limits():
    """Some sentences end at once, some never do; each has a limit of its own."""
    chains = [oracle.Chain(seed, VOCAB, eos_bias=[6, 0, -30][seed % 3]) for seed in range(9)]
    limits = jnp.array([2, 6, 4, 5, 1, 6, 3, 6, 2])
    way = decode.Beam(3, n_best=3, score_fn=decode.length_normalised(decode.average(1.0)))
    together = found_by(way, tables_of(chains), limits, max_length=6)
    order = np.random.default_rng(0).permutation(9)
    shuffled = found_by(way, tables_of([chains[i] for i in order]), limits[order], max_length=6)
    for row in range(9):
        alone = found_by(way, tables_of(chains[row : row + 1]), limits[row : row + 1], max_length=6)
        place = int(np.flatnonzero(order == row)[0])
        for other in (answers(alone, 0), answers(shuffled, place)):
            mine = answers(together, row)
            assert [a[0] for a in mine] == [a[0] for a in other]
            np.testing.assert_allclose([a[1] for a in mine], [a[1] for a in other], atol=1e-5)
        assert all(len(answer[0]) <= int(limits[row]) for answer in answers(together, row))


@pytest.mark.parametrize("processor", ("repetition", "bigrams"))
def test_log_probs_are_those_of_forced_scoring(processor):
    process = PROCESSORS[processor][0]
    tables = tables_of(CHAINS)
    found = found_by(decode.Beam(3, n_best=3), tables, max_length=5, processor=process)
    for slot in range(3):
        forced = jax.jit(
            lambda tokens, lengths: decode.force(
                step_fn_of(tables),
                start(len(SEEDS)),
                tokens,
                lengths,
                bos_id=BOS,
                processor=process,
            )
        )(found.tokens[:, slot], found.lengths[:, slot])
        exists = found.log_probs[:, slot] > -jnp.inf
        np.testing.assert_allclose(
            jnp.where(exists, found.log_probs[:, slot], 0),
            jnp.where(exists, forced.log_probs.sum(axis=1), 0),
            atol=1e-5,
        )


@pytest.mark.parametrize("size", (1, 2, 3))
def test_no_answer_repeats_an_ngram(size):
    chains = [oracle.Chain(seed, VOCAB, eos_bias=-3) for seed in SEEDS]
    processor = decode.no_repeat_ngram(size, exempt=(EOS,))
    found = found_by(
        decode.Beam(3, n_best=3), tables_of(chains), max_length=12, processor=processor
    )
    for row in range(len(SEEDS)):
        for tokens, *_ in answers(found, row):
            grams = oracle.ngrams([t for t in tokens if t != EOS], size)
            assert len(grams) == len(set(grams))


def test_a_nan_row_dies_and_disturbs_no_neighbour():
    tables = tables_of(CHAINS[:3])
    way = decode.Beam(2, n_best=2)
    expected = found_by(way, tables, max_length=4)
    found = found_by(way, tables.at[1].set(jnp.nan), max_length=4)
    for row in (0, 2):
        assert answers(found, row) == answers(expected, row)
    assert answers(found, 1) == []
    assert found.lengths[1].tolist() == [0, 0]
    assert not bool(jnp.any(jnp.isnan(found.scores)))


@pytest.mark.parametrize("value", (jnp.nan, jnp.inf))
def test_one_logit_that_is_none_forbids_one_token(value):
    tables = tables_of(CHAINS[:3])
    way = decode.Beam(3, n_best=3)
    with_nan = found_by(way, tables.at[:, :, :, 2].set(value), max_length=4)
    forbidden = found_by(way, tables, max_length=4, processor=decode.forbid([2]))
    for row in range(3):
        assert answers(with_nan, row) == answers(forbidden, row)


def test_an_empty_answer_is_an_answer():
    chain = oracle.Chain(0, VOCAB, eos_bias=50)
    found = found_by(decode.Beam(3), tables_of([chain]), max_length=4)
    assert answers(found, 0)[0][0] == (EOS,)


def test_a_model_that_never_ends_is_cut_and_says_so():
    chain = oracle.Chain(0, VOCAB, eos_bias=-1e9)
    found = found_by(decode.Beam(2, n_best=2), tables_of([chain]), max_length=4)
    assert [(len(a[0]), a[3]) for a in answers(found, 0)] == [(4, False)] * 2


def test_a_beam_wider_than_the_vocabulary_works_and_repeats_no_hypothesis():
    found = found_by(decode.Beam(9, n_best=9), tables_of(CHAINS[:5]), max_length=3)
    for row in range(5):
        tokens = [a[0] for a in answers(found, row)]
        assert len(tokens) == len(set(tokens)) == 9


def test_equal_scores_give_the_lowest_ids():
    tables = jnp.zeros((1, VOCAB, VOCAB, VOCAB)).at[..., EOS].set(-jnp.inf)
    found = found_by(decode.Beam(2, n_best=2), tables, max_length=2)
    assert [a[0] for a in answers(found, 0)] == [(1, 1), (1, 2)]


@pytest.mark.parametrize(
    ("settings", "message"),
    (
        ({"n_best": 0}, r"n_best must be in \[1, width=2\], got 0"),
        ({"n_best": 3}, r"n_best must be in \[1, width=2\], got 3"),
        ({"groups": 3}, "groups must divide width=2, got 3"),
        ({"patience": 0.0}, "patience must be positive, got 0.0"),
        ({"diversity": -1.0}, "diversity must be at least 0, got -1.0"),
    ),
)
def test_sizes_that_do_not_fit_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        decode.Beam(2, **settings)


@pytest.mark.slow
def test_jit_is_eager():
    tables = tables_of(CHAINS[:2])
    way = decode.Beam(2, n_best=2)
    with jax.disable_jit():
        eager = decode.search(step_fn_of(tables), start(2), way, symbols=SYMBOLS, max_length=3)
    jitted = found_by(way, tables, max_length=3)
    for row in range(2):
        assert [a[0] for a in answers(eager, row)] == [a[0] for a in answers(jitted, row)]

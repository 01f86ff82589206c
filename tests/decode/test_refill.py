"""Slots that are refilled find what a search of each sentence finds."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from decode.chains import BOS, SYMBOLS, VOCAB, answers, found_by, step_fn_of, tables_of
from oracles import search as oracle

from seqjax import decode
from seqjax.decode.refill import Work, in_turn, refilled

COUNT, SLOTS = 15, 4
CHAINS = [oracle.Chain(seed, VOCAB, eos_bias=[4, 0, -30, -2][seed % 4]) for seed in range(COUNT)]
TABLES = tables_of(CHAINS)
LIMITS = 1 + np.arange(COUNT) % 7
KEYS = jax.random.split(jax.random.key(3), COUNT)
WAYS = {
    "beam": lambda keys: decode.Beam(3, n_best=2),
    "greedy": lambda keys: decode.Greedy(),
    "sample": lambda keys: decode.Sample(keys, 2),
    "stochastic": lambda keys: decode.StochasticBeam(keys, 2),
}
PROCESSOR = decode.no_repeat_ngram(2, exempt=(0,))


def blocks(way_of, room_of):
    """Blocks of sentences, the last one with rows that are none."""
    for number, first in enumerate(range(0, COUNT, SLOTS)):
        numbers = list(range(first, min(first + SLOTS, COUNT)))
        rows = np.array([*numbers, *[0] * (SLOTS - len(numbers))])
        limits = np.where(np.arange(SLOTS) < len(numbers), LIMITS[rows], 1)
        progress = decode.begin(
            jnp.full((SLOTS,), BOS),
            way_of(KEYS[rows]),
            symbols=SYMBOLS,
            max_length=room_of(number),
            limits=jnp.asarray(limits, jnp.int32),
        )
        yield numbers, Work(progress, (TABLES[rows], KEYS[rows]))


@functools.partial(jax.jit, static_argnames=("name",))
def go_on(name, work, most):
    tables, keys = work.sentences
    progress = decode.go_on(
        step_fn_of(tables),
        work.progress,
        WAYS[name](keys),
        symbols=SYMBOLS,
        processor=PROCESSOR,
        most_done=most,
    )
    return work._replace(progress=progress)


@pytest.mark.parametrize(
    "name",
    (
        "beam",
        "sample",
        pytest.param("greedy", marks=pytest.mark.slow),
        pytest.param("stochastic", marks=pytest.mark.slow),
    ),
)
def test_who_is_done_makes_room_and_nothing_else_changes(name):
    """Buffers grow from block to block, as they do for longer sources."""
    in_order = in_turn(
        blocks(WAYS[name], lambda number: 7 + number // 3),
        go_on_fn=lambda work, most: go_on(name, work, most),
        refill_fn=jax.jit(refilled),
        finish_fn=lambda work: WAYS[name](work.sentences[1]).finish(work.progress, SYMBOLS),
    )
    found = dict(in_order)
    assert sorted(found) == list(range(COUNT))
    if name in ("sample", "stochastic"):
        expected = decode.search(
            step_fn_of(TABLES),
            jnp.full((COUNT,), BOS),
            WAYS[name](KEYS),
            symbols=SYMBOLS,
            max_length=9,
            limits=jnp.asarray(LIMITS),
            processor=PROCESSOR,
        )
    else:
        expected = found_by(
            WAYS[name](None), TABLES, jnp.asarray(LIMITS), max_length=9, processor=PROCESSOR
        )
    for row in range(COUNT):
        mine = answers(jax.tree.map(lambda leaf, row=row: leaf[None], found[row]), 0)
        theirs = answers(expected, row)
        assert [a[0] for a in mine] == [a[0] for a in theirs]
        np.testing.assert_allclose([a[1] for a in mine], [a[1] for a in theirs], atol=1e-5)
        assert [a[3] for a in mine] == [a[3] for a in theirs]


def test_of_no_sentences_there_is_a_clear_error():
    with pytest.raises(ValueError, match="blocks must hold a sentence"):
        list(in_turn([], go_on_fn=go_on, refill_fn=refilled, finish_fn=lambda work: work))

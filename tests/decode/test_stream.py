"""Token by token, what the batch finds."""

import jax
import numpy as np
import pytest
from decode.chains import SYMBOLS, VOCAB, found_by, start, step_fn_of, tables_of
from oracles import search as oracle

from seqjax import decode

CHAINS = [oracle.Chain(seed, VOCAB, eos_bias=[2.0, -30.0][seed % 2]) for seed in range(4)]
TABLES = tables_of(CHAINS)


def test_what_is_streamed_is_what_is_found():
    for way in (decode.Greedy(), decode.Sample(jax.random.split(jax.random.key(0), 4), 1)):
        begun = decode.begin(start(4), way, symbols=SYMBOLS, max_length=6)
        steps = decode.stream(step_fn_of(TABLES), begun, way, symbols=SYMBOLS)
        said = np.stack([tokens[:, 0] for tokens in steps], axis=1)
        found = decode.search(step_fn_of(TABLES), start(4), way, symbols=SYMBOLS, max_length=6)
        np.testing.assert_array_equal(said, found.tokens[:, 0, : said.shape[1]])
        assert said.shape[1] == int(found.lengths.max())
        assert len(set(found.lengths[:, 0].tolist())) > 1


def test_a_search_goes_on_from_where_it_was_left():
    way = decode.Beam(3, n_best=2)
    progress = decode.begin(start(4), way, symbols=SYMBOLS, max_length=6)
    for _ in range(3):
        progress = decode.go_on(step_fn_of(TABLES), progress, way, symbols=SYMBOLS, steps=2)
    found = way.finish(progress, SYMBOLS)
    whole = found_by(way, TABLES, max_length=6)
    np.testing.assert_array_equal(found.tokens, whole.tokens)
    np.testing.assert_allclose(found.log_probs, whole.log_probs, atol=1e-6)


def test_what_may_be_taken_back_is_not_streamed():
    way = decode.Beam(2)
    begun = decode.begin(start(4), way, symbols=SYMBOLS, max_length=6)
    with pytest.raises(ValueError, match="way must be Greedy or Sample to be streamed, got Beam"):
        next(decode.stream(step_fn_of(TABLES), begun, way, symbols=SYMBOLS))

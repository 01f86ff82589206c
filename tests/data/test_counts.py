"""Counts of tokens are those of all of them, however they come."""

import numpy as np
import pytest

from seqjax.data import counts


@pytest.mark.parametrize("at_once", (1, 7, 1_000))
def test_counts_are_those_of_a_loop_in_whatever_parts_they_come(monkeypatch, at_once):
    monkeypatch.setattr(counts, "AT_ONCE", at_once)
    tokens = np.random.default_rng(0).integers(0, 9, 50).astype(np.int32)
    expected = [tokens.tolist().count(number) for number in range(tokens.max() + 1)]
    assert counts.token_counts(tokens).tolist() == expected
    texts = np.split(tokens, [3, 3, 20, 41])  # one of them empty
    assert counts.token_counts(texts).tolist() == expected
    assert counts.token_counts(tokens[:0]).tolist() == counts.token_counts([]).tolist() == []

"""How often runs of tokens occur, as a tree of sorted arrays: what n-gram models are made from."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np


class Stream(NamedTuple):
    """Sequences laid end to end, a boundary before each.

    Attributes:
      tokens: `[time]` ids; `vocab_size` is the boundary.
      places: `[time]` of each token in its sequence; the boundary has place 0.
    """

    tokens: np.ndarray
    places: np.ndarray


class Counted(NamedTuple):
    """The n-grams of one order.

    Attributes:
      keys: `[ngrams]` ascending: `parent * (vocab_size + 1) + last token`, where `parent` is the
        index of all tokens but the last among the n-grams of the order below. Those of order 1 are
        the ids themselves, seen or not, and the boundary.
      counts: `[ngrams]` adjusted: how often it occurs, if it is of the highest order or starts at a
        boundary, else how many different tokens stand before it. 0 for the boundary alone, which
        is never predicted.
    """

    keys: np.ndarray
    counts: np.ndarray


def lay_out(sequences: Iterable[np.ndarray], vocab_size: int) -> Stream:
    """Returns sequences end to end, a boundary before each.

    Args:
      sequences: Ids, none of them BOS; an EOS, if there is one, is a token like others. One running
        text is one sequence.
      vocab_size: Of the ids.

    Raises:
      ValueError: If an id is not in [0, vocab_size).

    >>> stream = lay_out([np.array([0, 1]), np.array([1])], 2)
    >>> stream.tokens.tolist(), stream.places.tolist()
    ([2, 0, 1, 2, 1], [0, 1, 2, 0, 1])
    """
    parts = [np.asarray(sequence, np.int64) for sequence in sequences]
    lengths = np.array([len(part) + 1 for part in parts], np.int64)
    starts = np.cumsum(lengths) - lengths
    tokens = np.full(lengths.sum(), vocab_size, np.int64)
    inside = np.ones(len(tokens), bool)
    inside[starts] = False
    if parts:
        tokens[inside] = np.concatenate(parts)
    check_ids(tokens[inside], vocab_size)
    return Stream(tokens, np.arange(len(tokens)) - np.repeat(starts, lengths))


def check_ids(tokens: np.ndarray, vocab_size: int) -> None:
    """Raises a ValueError if there is an id that is not in [0, vocab_size)."""
    if len(tokens) and not (tokens.min() >= 0 and tokens.max() < vocab_size):
        wrong = tokens[(tokens < 0) | (tokens >= vocab_size)][0]
        raise ValueError(f"tokens must be in [0, {vocab_size}), got {wrong}")


def count_ngrams(stream: Stream, order: int, vocab_size: int) -> list[Counted]:
    """Returns the n-grams of the orders 1 to `order`, with adjusted counts.

    An n-gram is found as the pair of what its prefix has been found as and its last token, so that
    each order is one sort of integers.

    References:
      Heafield et al., "Scalable modified Kneser-Ney language model estimation", 2013, section 3.1
      (adjusted counts; what starts a sentence keeps its own count).
    """
    if order < 1:
        raise ValueError(f"order must be at least 1, got {order}")
    base = vocab_size + 1
    keys, nodes = np.arange(base), stream.tokens
    raw = np.bincount(stream.tokens, minlength=base)
    raw[vocab_size] = 0
    starting = np.zeros(base, bool)
    starting[vocab_size] = True
    counted = []
    for length in range(2, order + 1):
        ends = np.flatnonzero(stream.places >= length - 1)
        pairs = nodes[ends - 1] * base + stream.tokens[ends]
        longer, first, found, often = np.unique(
            pairs, return_index=True, return_inverse=True, return_counts=True
        )
        # Each longer n-gram is another token before what it ends in.
        before = np.bincount(nodes[ends[first]], minlength=len(keys))
        counted.append(Counted(keys, np.where(starting, raw, before)))
        keys, raw, starting = longer, often, stream.places[ends[first]] == length - 1
        nodes = np.full(len(nodes), -1)
        nodes[ends] = found
    return [*counted, Counted(keys, raw)]

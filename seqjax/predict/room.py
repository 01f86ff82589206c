"""How much room inputs are given, so that few shapes are compiled."""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from seqjax.data.batching import pad
from seqjax.types import Key, Padded

LEAST = 16
"""Tokens that the shortest inputs have room for."""


def rounded(length: int) -> int:
    """Returns a power of two, or one and a half, that is not less.

    >>> [rounded(n) for n in (1, 16, 17, 25, 33, 49, 65)]
    [16, 16, 24, 32, 48, 64, 96]
    """
    size = LEAST
    while size < length:
        size = size * 3 // 2 if size & (size - 1) == 0 else size * 4 // 3
    return size


def height(count: int, batch_size: int, width: int) -> int:
    """Returns how many inputs are computed together for `count` of them: one, eight or all.

    One alone, of one hypothesis, has an empty one beside it: products of a single row are left to a
    single thread, and take longer than those of two.

    >>> [height(count, 64, width=5) for count in (1, 2, 8, 9, 500)]
    [1, 8, 8, 64, 64]
    >>> height(1, 64, width=1)
    2
    """
    if count == 1:
        return 2 if width == 1 else 1
    return batch_size if count > 8 else min(batch_size, 8)


def padded(rows: Sequence[Any], count: int, pad_id: int) -> Padded:
    """Returns rows of ids with `rounded` room for the longest, and empty rows up to `count`."""
    return pad(rows, count, rounded(max(map(len, rows))), pad_id)


def row_keys(seed: int, numbers: Sequence[int], count: int) -> Key:
    """Returns a key for each row: of the seed and of the number of what stands in it."""
    of_row = np.zeros(count, np.uint32)
    of_row[: len(numbers)] = numbers
    return jax.vmap(jax.random.fold_in, (None, 0))(jax.random.key(seed), of_row)

"""Stretches of tokens as numbers of 64 bits: equal stretches have equal numbers.

A stretch is the polynomial of its tokens' hashes, modulo 2^64. Any stretch of a text is had from
two sums of the whole, and so is one with a token left out. Different stretches have the same number
with a probability of about 2^-64 for each two of them.
"""

import functools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

BASE = np.uint64(0x9E3779B97F4A7C15)
"""Odd, so that it has an inverse modulo 2^64."""
INVERSE = np.uint64(pow(int(BASE), -1, 1 << 64))


def token_hashes(tokens: Sequence[str]) -> np.ndarray:
    """Returns `[tokens]` numbers that are the same in every process."""
    return np.array([_hash(token) for token in tokens], np.uint64)


class Hashed(NamedTuple):
    """Tokens, ready for the numbers of any of their stretches.

    Attributes:
      sums: `[tokens + 1]` sums of `hashes[i] * BASE^i`.
      inverse: `[tokens + 1]` powers of `INVERSE`, which take out where a stretch stands.
    """

    sums: np.ndarray
    inverse: np.ndarray

    def stretches(self, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
        """Returns the numbers of the stretches from `starts` to before `ends`."""
        return (self.sums[ends] - self.sums[starts]) * self.inverse[starts]

    def without(self, starts: np.ndarray, ends: np.ndarray, left_out: np.ndarray) -> np.ndarray:
        """Returns the numbers of the stretches without the token at `left_out`."""
        before = self.sums[left_out] - self.sums[starts]
        after = self.sums[ends] - self.sums[left_out + 1]
        return (before + after * INVERSE) * self.inverse[starts]


def hashed(hashes: np.ndarray) -> Hashed:
    """Returns tokens, given by their hashes, ready for the numbers of their stretches."""
    powers = _powers(BASE, len(hashes))
    sums = np.concatenate([[np.uint64(0)], np.cumsum(hashes * powers[: len(hashes)])])
    return Hashed(sums, _powers(INVERSE, len(hashes)))


def is_among(numbers: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Returns which numbers are among others; for these, faster than `np.isin`, which hashes."""
    if not len(others):
        return np.zeros(len(numbers), bool)
    others = np.sort(others)
    place = np.minimum(np.searchsorted(others, numbers), len(others) - 1)
    return others[place] == numbers


@functools.cache
def _hash(token: str) -> int:
    value = 0xCBF29CE484222325
    for byte in token.encode("utf-8", "surrogatepass"):
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    value ^= value >> 29
    value = (value * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
    return value ^ (value >> 32)


def _powers(base: np.uint64, count: int) -> np.ndarray:
    powers = np.full(count + 1, base)
    powers[0] = 1
    return np.multiply.accumulate(powers, dtype=np.uint64)

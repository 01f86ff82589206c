"""Sums of two numbers, digit by digit: `12+345` -> `357`."""

import numpy as np

from seqjax.data.readers import Pairs, Splits

LEAST_TRAINED = 10
"""At most one in this many sums that there are is held out for validation, and for test."""


def make_additions(
    examples: int, *, min_length: int, max_length: int, seed: int, held_out: int = 1_000
) -> Splits:
    """Returns sums with their results, a function of the arguments alone.

    Each number has a length of its own, uniform, and then uniform digits; leading zeros are left
    out. No sum is in two splits, also not with its numbers the other way round; in training, one
    may come more than once.

    Args:
      examples: Training pairs.
      min_length, max_length: Of a number.
      seed: Of the draw.
      held_out: Sums of validation and of test; fewer where there are few sums.

    References:
      Zaremba and Sutskever, "Learning to execute", 2014, section 3; the sizes are those of the
      example `addition_rnn` of Keras.
    """
    generator = np.random.default_rng(seed)
    numbers = 10**max_length
    held_out = min(held_out, numbers * (numbers + 1) // 2 // LEAST_TRAINED)
    seen: set[tuple[int, int]] = set()

    def number() -> int:
        length = generator.integers(max(min_length, 1), max_length + 1)
        return int("".join(map(str, generator.integers(0, 10, length))))

    def draw(count: int, distinct: bool) -> Pairs:
        sources, targets = [], []
        while len(sources) < count:
            left, right = number(), number()
            key = (min(left, right), max(left, right))
            if key in seen:
                continue
            if distinct:
                seen.add(key)
            sources.append(f"{left}+{right}")
            targets.append(str(left + right))
        return Pairs(sources, targets)

    valid, test = draw(held_out, True), draw(held_out, True)
    return Splits(draw(examples, False), valid, test)

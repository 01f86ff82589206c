"""Sums of two numbers, digit by digit: `12+345` -> `357`."""

import random

import numpy as np

from seqjax.data.readers import Pairs, Splits
from seqjax.errors import InputError

HELD_SHARE = 0.1
"""Of all sums that there are, held out for validation, and as many for test."""
ATTEMPTS = 30
"""Sums that are drawn for each that is held out, before there are taken to be no more."""


def make_additions(
    examples: int, *, min_length: int, max_length: int, seed: int, held_out: int = 1_000
) -> Splits:
    """Returns sums with their results, a function of the arguments alone.

    Each number has a length of its own, uniform, and then uniform digits; leading zeros are left
    out. A tenth of all sums can only be in validation and a tenth only in test, short ones no more
    often than long ones: were those that are drawn first held out, training would never see `3+4`.
    A sum with its numbers the other way round is the same sum.

    Args:
      examples: Training pairs; a sum may come more than once.
      min_length, max_length: Digits of a number.
      seed: Of the draw, and of which sums are held out.
      held_out: Sums of validation and of test, all distinct; fewer where there are few.

    Raises:
      InputError: If there are too few sums to hold some out.

    References:
      Zaremba and Sutskever, "Learning to execute", 2014, section 3; the sizes are those of the
      example `addition_rnn` of Keras.
    """
    generator = np.random.default_rng(seed)

    def number() -> int:
        length = generator.integers(max(min_length, 1), max_length + 1)
        return int("".join(map(str, generator.integers(0, 10, length))))

    def lot(left: int, right: int) -> float:
        return random.Random(f"{seed} {min(left, right)} {max(left, right)}").random()

    def draw(count: int, low: float, high: float, distinct: bool) -> Pairs:
        sources, targets, seen = [], [], set()
        for _ in range(ATTEMPTS * count):
            left, right = number(), number()
            key = frozenset((left, right))
            if low <= lot(left, right) < high and key not in seen:
                sources.append(f"{left}+{right}")
                targets.append(str(left + right))
                if len(sources) == count:
                    break
                if distinct:
                    seen.add(key)
        if not sources:
            raise InputError(
                f"numbers of {max_length} digits have too few sums to hold some out; "
                "give another data.max_length or seed"
            )
        return Pairs(sources, targets)

    valid = draw(held_out, 0.0, HELD_SHARE, True)
    test = draw(held_out, HELD_SHARE, 2 * HELD_SHARE, True)
    return Splits(draw(examples, 2 * HELD_SHARE, 1.0, False), valid, test)

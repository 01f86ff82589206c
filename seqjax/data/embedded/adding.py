"""The adding problem: two numbers of a long sequence are marked, and their sum is asked for."""

import numpy as np

from seqjax.data.embedded.names import chance
from seqjax.data.readers import Pairs, Splits
from seqjax.errors import InputError

LONGEST = 100_000
"""Steps that a name may ask for."""


def adding(what: str) -> np.ndarray:
    """Returns `[steps, 2]`: numbers uniform in [0, 1), and 1 at two of them, else 0.

    One mark stands in the first half, the other in the second; where is drawn, and so are the
    numbers: a function of all of `what`.

    Args:
      what: Steps, at least 2. Behind a `#`, anything by which one sequence differs from another.

    Raises:
      InputError: If it names no such length.

    References:
      Hochreiter and Schmidhuber, "Long short-term memory", 1997, section 5.4, there with numbers in
      [-1, 1] and marks in the first half; in the form of Le, Jaitly and Hinton, "A simple way to
      initialize recurrent networks of rectified linear units", 2015, section 4.1.

    >>> adding("50#1").shape, float(adding("50#1")[:, 1].sum())
    ((50, 2), 2.0)
    """
    text, generator = chance(what)
    if not (text.isascii() and text.isdigit() and len(text) < 9 and 2 <= int(text) <= LONGEST):
        raise InputError(f"adding:{what}: names no length from 2 to {LONGEST}; write adding:50#1")
    steps = int(text)
    found = np.zeros((steps, 2), np.float32)
    found[:, 0] = generator.random(steps)
    found[generator.integers(steps // 2), 1] = 1.0
    found[generator.integers(steps // 2, steps), 1] = 1.0
    return found


def make_adding(
    examples: int, *, min_length: int, max_length: int, seed: int, held_out: int = 1_000
) -> Splits:
    """Returns names of sequences with their sums, a function of the arguments alone.

    Who always says 1 has a mean squared error of 1/6, the variance of the sum.

    Args:
      examples: Training pairs.
      min_length, max_length: Steps; a length between the two, at least 2, is drawn for each.
      seed: Of the draw.
      held_out: Pairs of validation and of test.
    """
    generator = np.random.default_rng(seed)
    low = max(min_length, 2)
    lengths = generator.integers(low, max(max_length, low) + 1, examples + 2 * held_out)
    names = [f"{length}#{seed}-{number}" for number, length in enumerate(lengths.tolist())]
    sums = [f"{numbers @ marks:.7g}" for numbers, marks in (adding(name).T for name in names)]
    pairs = [(f"adding:{name}", total) for name, total in zip(names, sums, strict=True)]
    cuts = (0, held_out, 2 * held_out, len(pairs))
    valid, test, train = (
        Pairs([name for name, _ in pairs[a:b]], [total for _, total in pairs[a:b]])
        for a, b in zip(cuts, cuts[1:], strict=False)
    )
    return Splits(train, valid, test)

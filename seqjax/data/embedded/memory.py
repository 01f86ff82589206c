"""Copy memory: symbols that are to be said again after a long wait, in the form of tags."""

import numpy as np

from seqjax.data.readers import Pairs, Splits

SYMBOLS, COUNT = "abcdefgh", 10
"""What is to be kept, and how many of them."""
BLANK, GO, NOTHING = ".", ">", "O"
"""A step on which nothing happens, the one that asks, and the tag of a step with nothing to say."""


def make_copy_memory(
    examples: int, *, min_length: int, max_length: int, seed: int, held_out: int = 1_000
) -> Splits:
    """Returns symbols, a wait, and what is to be said at each step, a function of the arguments.

    A source of wait T has 10 symbols of 8 kinds, T - 1 blanks, the step that asks, and 10 blanks.
    Its tags are T + 10 times nothing, then the symbols, `B-` before each so that every one is a
    span of its own: `span_f1` is the share of symbols that are recalled, as long as nothing else is
    said. Who recalls nothing and knows when to speak has 10 ln 8 / (T + 20) nats a step. No
    symbols are in two splits.

    Args:
      examples: Training pairs.
      min_length, max_length: Of T, which is uniform between them.
      seed: Of the draw.
      held_out: Pairs of validation and of test.

    References:
      Hochreiter and Schmidhuber, "Long short-term memory", 1997, section 5; in the form of
      Arjovsky, Shah and Bengio, "Unitary evolution recurrent neural networks", 2016, section 5.1.

    >>> train, *_ = make_copy_memory(1, min_length=2, max_length=2, seed=0, held_out=1)
    >>> train.sources[0][10:], train.targets[0].count("O")
    ('.>..........', 12)
    """
    generator = np.random.default_rng(seed)
    symbols, seen = np.array(list(SYMBOLS)), set()

    def draw(count: int) -> Pairs:
        found: dict[str, int] = {}
        while len(found) < count:
            kept = "".join(generator.choice(symbols, COUNT))
            if kept not in seen:
                found[kept] = int(generator.integers(max(min_length, 1), max_length + 1))
        seen.update(found)
        return Pairs(
            [kept + BLANK * (wait - 1) + GO + BLANK * COUNT for kept, wait in found.items()],
            [
                " ".join([*[NOTHING] * (wait + COUNT), *(f"B-{one}" for one in kept)])
                for kept, wait in found.items()
            ],
        )

    valid, test = draw(held_out), draw(held_out)
    return Splits(draw(examples), valid, test)

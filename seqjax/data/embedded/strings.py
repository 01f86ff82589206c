"""Copying, reversing and sorting random strings: tasks that are hard by their length alone."""

from typing import Literal

import numpy as np

from seqjax.data.readers import Pairs, Splits

ToyKind = Literal["copy", "reverse", "sort"]
ALPHABET = "abcdefghijklmnopqrstuvwxyz"


def make_pairs(
    task: ToyKind,
    *,
    examples: int,
    min_length: int,
    max_length: int,
    seed: int,
    held_out: int = 1_000,
    alphabet: str = ALPHABET,
) -> Splits:
    """Returns random strings with what is made of them, a function of the arguments alone.

    Lengths are uniform. No string longer than three characters is in two splits.

    Args:
      task: What the target is: the source, the source from behind, or its characters in order.
      examples: Training pairs.
      min_length, max_length: Characters of a source.
      seed: Of the draw.
      held_out: Pairs of validation and of test.
      alphabet: Distinct characters.
    """
    generator = np.random.default_rng(seed)
    letters = np.array(list(alphabet))
    seen: set[str] = set()

    def draw(count: int) -> Pairs:
        sources: list[str] = []
        while len(sources) < count:
            length = generator.integers(min_length, max_length + 1)
            text = "".join(generator.choice(letters, size=length))
            if len(text) <= 3 or text not in seen:
                sources.append(text)
        seen.update(sources)
        return Pairs(sources, [_target(task, text) for text in sources])

    valid, test = draw(held_out), draw(held_out)
    return Splits(draw(examples), valid, test)


def _target(task: ToyKind, text: str) -> str:
    match task:
        case "copy":
            return text
        case "reverse":
            return text[::-1]
        case "sort":
            return "".join(sorted(text))

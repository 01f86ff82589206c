"""English that every Python has with it: the language reference behind `help("topics")`."""

import re

import numpy as np

from seqjax.data.readers import Splits

SHARES = (0.85, 0.07, 0.08)
"""Of the characters that go to training, validation and test."""


def english_manual() -> Splits:
    """Returns training, validation and test text, whole topics each.

    The text is that of the running Python's `pydoc_data.topics` and differs between its versions.
    """
    from pydoc_data.topics import topics

    names = np.random.default_rng(0).permutation(sorted(topics)).tolist()
    parts: tuple[list[str], ...] = ([], [], [])
    sizes = [0, 0, 0]
    for name in names:
        text = re.sub(r"\n{3,}", "\n\n", topics[name]).strip() + "\n\n"
        behind = min(range(3), key=lambda number: sizes[number] / SHARES[number])
        parts[behind].append(text)
        sizes[behind] += len(text)
    return Splits(*("".join(part) for part in parts))

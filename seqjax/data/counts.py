"""How often each token occurs, and what a model pays that knows nothing else."""

from collections.abc import Sequence

import numpy as np

AT_ONCE = 2**16
"""Tokens, or texts, that are looked at together: what is on disk is never all in memory."""


def token_counts(tokens: np.ndarray | Sequence[np.ndarray]) -> np.ndarray:
    """Returns `[ids]`, how often each id stands in `tokens`: one long array, or many short ones.

    >>> token_counts([np.array([1, 1]), np.array([3])]).tolist()
    [0, 2, 0, 1]
    """
    counts = np.zeros(0, np.int64)
    for start in range(0, len(tokens), AT_ONCE):
        part = tokens[start : start + AT_ONCE]
        flat = part if isinstance(part, np.ndarray) else np.concatenate(part)
        more = np.bincount(flat, minlength=len(counts))
        more[: len(counts)] += counts
        counts = more
    return counts


def entropy(probs: np.ndarray) -> float:
    """Returns the entropy in nats of a distribution; what is impossible adds nothing.

    >>> entropy(np.array([0.5, 0.5, 0.0]))
    0.6931471805599453
    """
    held = probs[probs > 0]
    return float(-np.sum(held * np.log(held)))

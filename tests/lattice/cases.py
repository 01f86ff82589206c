"""Rows with labels that fit into their frames, and that do not."""

import jax.numpy as jnp
import numpy as np

from seqjax.types import Padded

VOCAB, TIME, COUNT = 4, 5, 3
# Repeated labels that just fit, and that do not; no labels; no frames; neither.
CASES = (
    (5, (1, 2, 3)),
    (5, (2, 2, 2)),
    (4, (2, 2, 2)),
    (4, (3, 3)),
    (3, (1, 2, 1)),
    (2, (1, 2, 1)),
    (3, ()),
    (0, ()),
    (0, (1,)),
    (1, (3,)),
)


def fits(length, labels):
    repeats = sum(one == other for one, other in zip(labels, labels[1:], strict=False))
    return len(labels) + repeats <= length


def batch_of(cases, *, blank=0, extra_time=0, extra_count=0, fill=0, seed=0):
    """Logits, lengths and labels; ids are such that `blank` is the blank."""
    rng = np.random.default_rng(seed)
    logits = np.full((len(cases), TIME + extra_time, VOCAB), float(fill), np.float32)
    logits[:, :TIME] = 2 * rng.normal(size=(len(cases), TIME, VOCAB))
    values = np.full((len(cases), COUNT + extra_count), int(np.nan_to_num(fill)), np.int32)
    for row, (length, labels) in enumerate(cases):
        logits[row, length:] = fill
        values[row, : len(labels)] = [label - (label <= blank) for label in labels]
    lengths = np.array([length for length, _ in cases], np.int32)
    counts = np.array([len(labels) for _, labels in cases], np.int32)
    return (
        jnp.asarray(logits),
        jnp.asarray(lengths),
        Padded(jnp.asarray(values), jnp.asarray(counts)),
    )

"""The loss of CTC and its gradient to the logits, compiled: ours beside optax's.

    seqjax bench ctc [--runs 7] [--json]

Both run in one process, with the same threads and the same allocator, on rows of unequal length.
"""

from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from benchmarks.timing import compiled, interleaved, rows
from seqjax.losses import ctc_loss
from seqjax.train.allocator import keep_freed_memory
from seqjax.types import Padded

SIZES = ((32, 400, 60, 32), (16, 1_000, 200, 32), (32, 200, 40, 1_000), (4, 2_000, 300, 500))
"""Rows, frames, labels and vocabulary: characters, long rows of characters, word pieces, both."""


def batch_of(size: tuple[int, ...]) -> tuple[Any, Any, Padded]:
    """Returns logits, lengths and labels; the shortest row has half of the frames and labels."""
    batch, time, count, vocab = size
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(batch, time, vocab)).astype(np.float32)
    values = rng.integers(1, vocab, size=(batch, count))
    shares = rng.uniform(0.5, 1.0, size=batch)
    lengths, counts = (np.ceil(shares * whole).astype(int) for whole in (time, count))
    labels = Padded(jnp.asarray(values), jnp.asarray(counts))
    return jnp.asarray(logits), jnp.asarray(lengths), labels


def measure(size: tuple[int, ...], runs: int) -> list[dict]:
    """Returns the row of one size."""
    logits, lengths, labels = batch_of(size)

    def padding(lengths, time):
        return (jnp.arange(time)[None] >= lengths[:, None]).astype(jnp.float32)

    def ours(logits, lengths, labels):
        return ctc_loss(logits, lengths, labels, blank_id=0).loss.total

    def theirs(logits, lengths, labels):
        frames = padding(lengths, logits.shape[1])
        places = padding(labels.lengths, labels.values.shape[1])
        return jnp.sum(optax.ctc_loss(logits, frames, labels.values, places))

    ways = {
        "seqjax": compiled(jax.value_and_grad(ours), logits, lengths, labels),
        "optax": compiled(jax.value_and_grad(theirs), logits, lengths, labels),
    }
    return rows("ctc " + " x ".join(map(str, size)), "seqjax", interleaved(ways, runs))


def measurements(*, runs: int) -> Iterator[dict[str, Any]]:
    """Yields the row of every size."""
    keep_freed_memory()
    for size in SIZES:
        yield from measure(size, runs)

"""A whole training step with and without memory that stays with the process.

    seqjax bench allocator [--runs 7] [--json]

The setting is of a process, so each measurement is one of its own; the two kinds take turns. What
counts is the ratio of medians, not the seconds of one machine.
"""

import json
import sys
from collections.abc import Iterator
from typing import Any

from benchmarks.timing import in_turn_processes, median_of_runs, rows, timing

STEPS = 20
"""Updates timed in one process, after three that are not."""


def one_process(kept: bool) -> float:
    """Returns the median seconds of a step of the `sentences` preset on random ids."""
    import jax
    import numpy as np

    from seqjax.build.learner import build_seq2seq_learner
    from seqjax.build.model import build_seq2seq
    from seqjax.build.training import build_training
    from seqjax.presets import PRESETS
    from seqjax.train.allocator import keep_freed_memory
    from seqjax.types import Batch, Padded

    if kept:
        keep_freed_memory()
    config, key = PRESETS["sentences"], jax.random.key(0)
    rows, source, target, vocabulary = config.data.batch_size, 17, 18, 8_000
    model = build_seq2seq(
        config.model, source_vocab_size=vocabulary, target_vocab_size=vocabulary, bos_id=1
    )
    learner = build_seq2seq_learner(model, config.objective)
    draw = np.random.default_rng(0).integers
    batch = Batch(
        *(
            Padded(draw(4, vocabulary, (rows, time)).astype(np.int32), np.full(rows, time))
            for time in (source, target)
        )
    )
    training = build_training(config.optimizer, learner, total_steps=10_000)
    state = jax.jit(training.init_fn, donate_argnums=0)(jax.jit(learner.init)(batch, key))
    step = jax.jit(training.step_fn, donate_argnums=0)

    def update():
        nonlocal state
        state, metrics = step(state, batch, key)
        jax.block_until_ready(metrics)

    return median_of_runs(update, STEPS, warm_up=3)


def measurements(*, runs: int) -> Iterator[dict[str, Any]]:
    """Yields one row."""
    kinds = {kind: [kind] for kind in ("kept", "given back")}
    seconds = in_turn_processes("benchmarks.allocator", kinds, runs)
    timings = {kind: timing(taken) for kind, taken in seconds.items()}
    yield from rows("sentences preset, whole step", "kept", timings)


if __name__ == "__main__":
    print(json.dumps(one_process(sys.argv[1] == "kept")))

"""What the host takes of a training step beside what the device takes.

    seqjax bench host [--runs 7] [--json]

The model of the `sentences` preset, random pairs of the lengths of short translations, batches as
the planner makes them. In turn, over the same batches: `device`, where each batch lies on the
device and each step is waited for, and `training`, where batches are made and placed by
`prefetched` and metrics are fetched while the next step computes, as the loop of a training does
it. `host_share` is what a step of `training` takes above one of `device`, over the latter: what
waiting for data, dispatch and metrics cost that computing does not hide. `wait_ms` and
`dispatch_ms` are how long the loop waited for a batch, and until a step had been handed over. The
goal is 5 %.
"""

import itertools
import statistics
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

PAIRS, VOCABULARY, SHAPES, STEPS = 4_000, 8_000, 3, 24


def measurements(*, runs: int) -> Iterator[dict[str, Any]]:
    """Yields one row."""
    import jax

    from seqjax.build.learner import build_seq2seq_learner
    from seqjax.build.model import build_seq2seq
    from seqjax.build.training import build_training
    from seqjax.presets import PRESETS
    from seqjax.train.allocator import keep_freed_memory
    from seqjax.train.prefetch import prefetched

    keep_freed_memory()
    config, key = PRESETS["sentences"], jax.random.key(0)
    plan = batch_plan(config.data.batch_size)
    model = build_seq2seq(
        config.model, source_vocab_size=VOCABULARY, target_vocab_size=VOCABULARY, bos_id=1
    )
    learner = build_seq2seq_learner(model, config.objective)
    training = build_training(config.optimizer, learner, total_steps=10_000)
    batches = list(itertools.islice(plan.batches(0), STEPS))
    state = jax.jit(training.init_fn, donate_argnums=0)(jax.jit(learner.init)(batches[0], key))
    step = jax.jit(training.step_fn, donate_argnums=0)
    for batch in {one.inputs.values.shape: one for one in plan.batches(0)}.values():
        state, metrics = step(state, jax.device_put(batch), key)
        jax.block_until_ready(metrics)
    device, whole, waits, dispatches = [], [], [], []
    for _ in range(runs):
        placed = [jax.device_put(batch) for batch in batches]
        started = time.perf_counter()
        for batch in placed:
            state, metrics = step(state, batch, key)
            jax.block_until_ready(metrics)
        device.append((time.perf_counter() - started) / STEPS)
        before, started = None, time.perf_counter()
        ahead = prefetched(itertools.islice(plan.batches(0), STEPS))
        asked = time.perf_counter()
        for batch in ahead:
            came = time.perf_counter()
            state, metrics = step(state, batch, key)
            waits.append(came - asked)
            dispatches.append(time.perf_counter() - came)
            if before is not None:
                jax.device_get(before)
            before, asked = metrics, time.perf_counter()
        jax.device_get(before)
        whole.append((time.perf_counter() - started) / STEPS)
    ratios = [one / other - 1 for one, other in zip(whole, device, strict=True)]
    yield {
        "case": "sentences preset, whole step",
        "device_ms": round(1e3 * statistics.median(device), 2),
        "training_ms": round(1e3 * statistics.median(whole), 2),
        "host_share": round(statistics.median(ratios), 4),
        "host_share_range": [round(min(ratios), 4), round(max(ratios), 4)],
        "wait_ms": round(1e3 * statistics.median(waits), 3),
        "dispatch_ms": round(1e3 * statistics.median(dispatches), 3),
    }


def batch_plan(rows: int, pairs: int = PAIRS) -> Any:
    """Returns batches of random pairs, of about 12 words on either side."""
    from seqjax.config import DataConfig
    from seqjax.data.batching import BatchPlan, Examples
    from seqjax.data.plan_report import plan_report
    from seqjax.data.ragged import Ragged

    rng = np.random.default_rng(0)
    sources = np.clip(rng.poisson(12, pairs), 3, 40)
    targets = np.clip(sources + rng.integers(-3, 4, pairs), 3, 40)
    examples = Examples(
        *(Ragged.of(rng.integers(4, VOCABULARY, n) for n in side) for side in (sources, targets))
    )
    report = plan_report(sources, targets, DataConfig(batch_size=rows, buckets=SHAPES))
    return BatchPlan(examples, report.shapes, pad_id=0)


def line_of(row: dict[str, Any]) -> str:
    """Returns the row as it is printed."""
    low, high = row["host_share_range"]
    return (
        f"{row['case']}: device {row['device_ms']} ms, training {row['training_ms']} ms, host "
        f"{100 * row['host_share']:.1f}% ({100 * low:.1f} to {100 * high:.1f}); waits for data "
        f"{row['wait_ms']} ms, dispatch {row['dispatch_ms']} ms"
    )

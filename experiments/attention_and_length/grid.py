"""Does attention remove the bottleneck of the one fixed vector?

A seq2seq without attention must squeeze its whole input into the encoder's last state. If that is
a bottleneck, strings are copied worse the longer they are, and a model that can look back is not
hurt. Reversing is asked as well: there the first symbols to say are the last that were read.

Expected before running: both models near 100 % on short strings; without attention exact match
falls with length and is near 0 at the longest; with attention it stays above 90 % everywhere.
Cost: 12 runs of about a minute each on 2 CPU cores. `--smoke` makes each a few seconds.
"""

import dataclasses

from seqjax.config import (
    Config,
    DataConfig,
    DecodeConfig,
    ModelConfig,
    OptimizerConfig,
    ValidationConfig,
)

QUESTION = "Does attention remove the bottleneck of the one fixed vector?"
LENGTH_GROUPS = ((1, 5), (6, 10), (11, 15), (16, 20))
"""Source lengths that exact match is reported for, ends included."""

BASE = Config(
    steps=1_500,
    data=DataConfig(examples=40_000, min_length=1, max_length=20, batch_size=64, buckets=4),
    model=ModelConfig(embedding_size=32, hidden_size=64, dropout=0.0),
    optimizer=OptimizerConfig(learning_rate=4e-3, schedule="cosine", warmup_steps=100),
    validation=ValidationConfig(every=1_500, examples=100),
    decode=DecodeConfig(method="greedy"),
)


def grid() -> dict[str, Config]:
    """Returns every run by name: task, attention, seed."""
    runs = {}
    for task in ("copy", "reverse"):
        for attention in ("general", "none"):
            for seed in range(3):
                runs[f"{task}-{attention}-{seed}"] = dataclasses.replace(
                    BASE,
                    seed=seed,
                    data=dataclasses.replace(BASE.data, embedded=task),
                    model=dataclasses.replace(BASE.model, attention=attention),
                )
    return runs


def smoke(config: Config) -> Config:
    """Returns the same run in a few seconds: it shows that the road holds, not an answer."""
    return dataclasses.replace(
        config,
        steps=4,
        data=dataclasses.replace(config.data, examples=200, max_length=6, buckets=1),
        model=dataclasses.replace(config.model, embedding_size=8, hidden_size=8),
        validation=dataclasses.replace(config.validation, every=4, examples=8),
    )

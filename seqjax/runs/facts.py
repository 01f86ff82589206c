"""What is known of a run before its first step, that warnings are measured by."""

import math

import numpy as np

from seqjax.config import ObjectiveConfig
from seqjax.data.counts import entropy
from seqjax.tasks.task import Task, TaskData
from seqjax.watch.history import Facts


def build_facts(task: Task, data: TaskData) -> Facts:
    """Returns the facts of a run: entropies of its targets, and what simple answers are worth."""
    config, classes, simple = task.config, data.classes, task.simple(data)
    return Facts(
        unigram_loss=_unigram_loss(data.target_counts, classes, config.objective),
        smoothing_loss=_unigram_loss(np.ones(1), classes, config.objective),
        clip_norm=config.optimizer.clip_norm,
        learning_rate=config.optimizer.learning_rate,
        warmup_steps=config.optimizer.warmup_steps,
        shapes=len(data.statistics.get("shapes", [()])),
        repeated=simple.repeated,
        baselines=simple.baselines,
        penalties=config.model.decoder == "attention",
    )


def _unigram_loss(counts: np.ndarray, classes: int, config: ObjectiveConfig) -> float:
    """The least loss of whoever says the same about every token, under label smoothing.

    Of a single certain token (`counts` of `[1]`) it is what label smoothing costs at least.
    """
    if not counts.sum():
        return math.inf
    smoothing = config.label_smoothing
    if config.label_smoothing_kind == "others":
        smoothing *= classes / (classes - 1)
    probs = np.pad(counts / counts.sum(), (0, classes - len(counts)))
    return entropy((1 - smoothing) * probs + smoothing / classes)

"""What is known of a run before its first step, that warnings are measured by."""

import collections
import math

import numpy as np

from seqjax.build.data import TaskData
from seqjax.config import Config, ObjectiveConfig
from seqjax.data.counts import entropy
from seqjax.metrics.edit import error_rate
from seqjax.metrics.health import repeats
from seqjax.metrics.text import group_references
from seqjax.watch.history import Facts


def build_facts(config: Config, data: TaskData) -> Facts:
    """Returns the facts of a run: entropies of its targets, and what simple answers are worth."""
    classes = len(data.vocabularies["target" if config.task == "text-to-text" else "text"])
    classes = max(classes, len(data.target_counts))  # what is copied has ids behind the vocabulary
    facts = Facts(
        unigram_loss=_unigram_loss(data.target_counts, classes, config.objective),
        smoothing_loss=_unigram_loss(np.ones(1), classes, config.objective),
        clip_norm=config.optimizer.clip_norm,
        learning_rate=config.optimizer.learning_rate,
        warmup_steps=config.optimizer.warmup_steps,
        shapes=len(data.statistics.get("shapes", [()])),
    )
    if config.task == "language-model":
        loss = _unigram_validation_loss(data, classes)
        return facts._replace(baselines={"knowing how often each token occurs": {"loss": loss}})
    most, cut = config.validation.examples, data.vocabularies["target"].cut
    sources, references = group_references(data.valid.sources[:most], data.valid.targets[:most])
    tokens = [[cut(text) for text in accepted] for accepted in references]
    return facts._replace(
        repeated=sum(repeats(accepted[0]) for accepted in tokens) / max(len(tokens), 1),
        baselines=_baselines(sources, references, tokens, cut),
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


def _unigram_validation_loss(data: TaskData, classes: int) -> float:
    """Nats per validation token by the frequencies of training, one added to each."""
    counts = np.pad(data.target_counts, (0, classes - len(data.target_counts))) + 1.0
    costs = np.log(counts.sum()) - np.log(counts)
    total = weight = 0.0
    for batch in data.valid_batches():
        values, lengths = np.asarray(batch.targets.values), np.asarray(batch.targets.lengths)
        said = np.arange(values.shape[1])[None] < lengths[:, None]
        total, weight = total + costs[values[said]].sum(), weight + said.sum()
    return float(total / max(weight, 1.0))


def _baselines(sources, references, tokens, cut) -> dict[str, dict[str, float]]:
    """Scores of the most frequent answer to all, and of each source as its own answer."""
    if not sources:
        return {}
    counts = collections.Counter(text for accepted in references for text in accepted)
    usual = counts.most_common(1)[0][0]
    shown = usual if len(usual) <= 20 else usual[:19] + "…"
    simple = {
        f"always answering {shown!r}": [usual] * len(sources),
        "giving back the source": sources,
    }
    return {
        name: {
            "exact_match": sum(a in r for a, r in zip(answers, references, strict=True))
            / len(sources),
            "token_error_rate": float(error_rate([cut(text) for text in answers], tokens).value()),
        }
        for name, answers in simple.items()
    }

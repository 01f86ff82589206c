"""What the parts of a configuration must have in common: each of them is right by itself."""

import math
from typing import Any

from seqjax.config.objective import ObjectiveConfig
from seqjax.config.require import require
from seqjax.config.validation import OF_LIKELIHOOD

_OF_PAIRS = {"coverage_weight": 0, "scheduled_sampling": 0, "risk_weight": 0}
"""Settings of the objective that need a source, and what they must be where there is none."""
_OF_A_SOURCE = {
    "encoder_repetition_penalty": 1.0,
    "encoder_no_repeat_ngram": 0,
    "coverage_penalty": 0.0,
}
"""The same of a search."""


def check_between(config: Any) -> None:
    """Raises ValueError where parts of a `Config` contradict each other or its task."""
    if config.task == "language-model":
        _check_language_model(config)
    else:
        length = ObjectiveConfig.sequence_unlikelihood_length
        require(
            config.objective.sequence_unlikelihood_length == length,
            "objective.sequence_unlikelihood_length",
            f"left at {length} for text-to-text, where an answer ends by itself",
            config.objective.sequence_unlikelihood_length,
        )
    _check_data(config)
    _check_objective(config)
    _check_optimizer(config)
    _check_start(config)
    if config.model.copying:
        _check_copying(config)


def _check_language_model(config: Any) -> None:
    require(
        config.validation.metric in OF_LIKELIHOOD,
        "validation.metric",
        f"one of {', '.join(OF_LIKELIHOOD)} for a language model",
        repr(config.validation.metric),
    )
    for part, nothing in (("objective", _OF_PAIRS), ("decode", _OF_A_SOURCE)):
        for name, value in nothing.items():
            given = getattr(getattr(config, part), name)
            require(given == value, f"{part}.{name}", f"{value} for a language model", given)
    require(
        config.data.batch_tokens is None,
        "data.batch_tokens",
        "None for a language model (data.batch_size rows of data.window tokens)",
        config.data.batch_tokens,
    )
    require(
        config.model.source_vectors is None,
        "model.source_vectors",
        "None for a language model, whose vectors are model.target_vectors",
        repr(config.model.source_vectors),
    )


def _check_data(config: Any) -> None:
    require(
        not (config.train and config.data.hub),
        "data.hub",
        "None when files are given (train)",
        repr(config.data.hub),
    )
    require(
        config.data.store is None or bool(config.train and config.valid),
        "data.store",
        "None without files to train and to validate on (train, valid)",
        repr(config.data.store),
    )


def _check_objective(config: Any) -> None:
    require(
        config.model.attention != "none" or not config.objective.coverage_weight,
        "objective.coverage_weight",
        "0 when model.attention is none",
        config.objective.coverage_weight,
    )
    require(
        not (config.model.same_dropout and config.objective.scheduled_sampling),
        "model.same_dropout",
        "False when objective.scheduled_sampling is on",
        config.model.same_dropout,
    )


def _check_optimizer(config: Any) -> None:
    require(
        not config.optimizer.needs_last_step or bool(config.steps or config.epochs),
        "optimizer.schedule",
        "constant, inverse_sqrt, plateau or luong (by epochs or steps) when neither --steps "
        "nor --epochs is given",
        config.optimizer.schedule,
    )
    require(
        config.data.rows_multiple % config.optimizer.accumulate == 0,
        "optimizer.accumulate",
        f"a divisor of data.{'batch_multiple' if config.data.batch_tokens else 'batch_size'} "
        f"({config.data.rows_multiple})",
        config.optimizer.accumulate,
    )
    gives_up = config.validation.patience or math.inf
    for name, chosen, waits in (
        ("nonmonotone", config.optimizer.name == "nt_asgd", config.optimizer.nonmonotone),
        (
            "plateau_patience",
            config.optimizer.schedule == "plateau",
            config.optimizer.plateau_patience,
        ),
    ):
        require(
            not chosen or waits < gives_up,
            f"optimizer.{name}",
            f"below validation.patience ({config.validation.patience}), after which training stops",
            waits,
        )


def _check_start(config: Any) -> None:
    require(
        config.start_from is not None or not config.start_from_parts,
        "start_from_parts",
        "left out without start_from",
        " ".join(config.start_from_parts),
    )
    vectors = config.model.source_vectors or config.model.target_vectors
    require(
        config.start_from is None or vectors is None,
        "start_from",
        "None when model.source_vectors or model.target_vectors is given",
        config.start_from,
    )


def _check_copying(config: Any) -> None:
    require(config.task == "text-to-text", "task", "text-to-text with model.copying", config.task)
    require(
        config.data.source_tokens == config.data.target_tokens != "subwords",
        "data.target_tokens",
        f"data.source_tokens ({config.data.source_tokens}), and not subwords, when "
        "model.copying is on",
        config.data.target_tokens,
    )
    require(
        not config.objective.label_smoothing,
        "objective.label_smoothing",
        "0 when model.copying is on (it would ask for tokens that are not there to copy)",
        config.objective.label_smoothing,
    )
    require(
        not config.objective.teacher,
        "objective.teacher",
        "left out when model.copying is on (what it says is not of one vocabulary)",
        config.objective.teacher,
    )
    require(
        not config.objective.z_loss,
        "objective.z_loss",
        "0 when model.copying is on (its logits are log-probabilities already)",
        config.objective.z_loss,
    )

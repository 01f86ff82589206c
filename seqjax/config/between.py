"""What the parts of a configuration must have in common: each of them is right by itself."""

import math
from typing import Any

from seqjax.config.by_task import check_by_task
from seqjax.config.require import require


def check_between(config: Any) -> None:
    """Raises ValueError where parts of a `Config` contradict each other or its task."""
    check_by_task(config)
    _check_data(config)
    _check_objective(config)
    _check_optimizer(config)
    _check_start(config)
    if config.model.copying:
        _check_copying(config)


def _check_data(config: Any) -> None:
    require(
        config.task != "regress"
        or bool(config.train or config.data.hub)
        or config.data.source_kind == "arrays",
        "data.source_kind",
        "arrays for the built-in adding problem",
        config.data.source_kind,
    )
    require(
        config.task != "regress" or config.data.store is None,
        "data.store",
        "None for regress, whose targets are no ids",
        repr(config.data.store),
    )
    require(
        not (config.train and config.data.hub),
        "data.hub",
        "None when files are given (train)",
        repr(config.data.hub),
    )
    require(
        bool(config.train) or not config.valid,
        "valid",
        "left out without files to train on (train)",
        " ".join(config.valid),
    )
    require(
        config.data.store is None or bool(config.train and config.valid),
        "data.store",
        "None without files to train and to validate on (train, valid)",
        repr(config.data.store),
    )

    require(
        config.task != "tag" or config.data.source_tokens != "subwords",
        "data.source_tokens",
        "words or chars for tag: a tag belongs to what stands in the file",
        config.data.source_tokens,
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

"""What the parts of a configuration must have in common: each of them is right by itself."""

import dataclasses
import math
from collections.abc import Iterable
from typing import Any

from seqjax.config.decode import DecodeConfig
from seqjax.config.objective import ObjectiveConfig
from seqjax.config.require import require
from seqjax.config.validation import METRICS

_OF_A_DECODER = (
    *("decoder_layers", "attention", "coverage", "copying", "context_gate", "input_feeding"),
    *("bridge", "tied_embeddings", "target_vectors"),
)
_OF_ONE_STEP = ("label_smoothing", "label_smoothing_kind", "z_loss")
"""All of the objective that there is to learn about a single step."""
_OF_A_SENTENCE = tuple(
    field.name for field in dataclasses.fields(ObjectiveConfig) if field.name not in _OF_ONE_STEP
)
_OF_A_SEARCH = tuple(
    field.name for field in dataclasses.fields(DecodeConfig) if field.name != "batch_size"
)

_OF_A_READ_TEXT = {
    "decode": ("encoder_repetition_penalty", "encoder_no_repeat_ngram", "unknown"),
    "data": ("source_tokens", "store"),
    "model": ("source_vectors", "copying", "pooling"),
}
_OF_SOUND = {"data": ("mel_bands",)}

_LEFT_OUT: dict[str, tuple[dict[str, tuple[str, ...]], ...]] = {
    "text-to-text": (
        _OF_SOUND,
        # An answer ends by itself.
        {"objective": ("sequence_unlikelihood_length",), "model": ("pooling",)},
    ),
    "transcribe": (_OF_A_READ_TEXT, {"objective": ("sequence_unlikelihood_length",)}),
    "describe": (_OF_A_READ_TEXT, _OF_SOUND, {"objective": ("sequence_unlikelihood_length",)}),
    "language-model": (
        _OF_SOUND,
        {
            "objective": ("coverage_weight", "scheduled_sampling", "risk_weight"),
            "decode": (
                *("encoder_repetition_penalty", "encoder_no_repeat_ngram", "coverage_penalty"),
            ),
            "data": ("batch_tokens",),
            "model": ("source_vectors", "pooling"),
        },
    ),
    "classify": (
        _OF_SOUND,
        {
            "objective": _OF_A_SENTENCE,
            "decode": _OF_A_SEARCH,
            "data": ("target_tokens",),
            "model": _OF_A_DECODER,
        },
    ),
    "tag": (
        _OF_SOUND,
        {
            "objective": _OF_A_SENTENCE,
            "decode": _OF_A_SEARCH,
            "data": ("target_tokens",),
            "model": (*_OF_A_DECODER, "pooling", "pyramid"),
        },
    ),
}
"""Settings of each task's parts that it does not know."""


def check_between(config: Any) -> None:
    """Raises ValueError where parts of a `Config` contradict each other or its task."""
    known = METRICS[config.task]
    require(
        config.validation.metric in known,
        "validation.metric",
        f"one of {', '.join(known)} for {config.task}",
        repr(config.validation.metric),
    )
    for settings in _LEFT_OUT[config.task]:
        for part, names in settings.items():
            _check_left_out(config, part, names)
    _check_data(config)
    _check_objective(config)
    _check_optimizer(config)
    _check_start(config)
    if config.model.copying:
        _check_copying(config)


def _check_left_out(config: Any, part: str, names: Iterable[str]) -> None:
    """Settings that a task does not know must be as they are by default."""
    given, default = getattr(config, part), type(getattr(config, part))()
    for name in names:
        require(
            getattr(given, name) == getattr(default, name),
            f"{part}.{name}",
            f"left at {getattr(default, name)} for {config.task}, which has no use for it",
            getattr(given, name),
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

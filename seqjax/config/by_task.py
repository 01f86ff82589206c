"""What each task has a use for; all else must be as it is by default."""

import dataclasses
from collections.abc import Container, Iterable, Iterator
from typing import Any

from seqjax.config.data import DataConfig
from seqjax.config.decode import DecodeConfig
from seqjax.config.model import ModelConfig
from seqjax.config.objective import ObjectiveConfig
from seqjax.config.require import require
from seqjax.config.validation import METRICS

_OF_A_DECODER = (
    *("decoder_layers", "attention", "coverage", "copying", "context_gate", "input_feeding"),
    *("bridge", "tied_embeddings", "target_vectors"),
)
_OF_ONE_STEP = ("label_smoothing", "label_smoothing_kind", "z_loss")
"""All of the objective that there is to learn about a single step."""
RULED = ("dates", "numbers", "inflection")
"""Built-in data that rules can do."""
_OF_A_READ_TEXT = ("encoder_repetition_penalty", "encoder_no_repeat_ngram")
_OF_A_PREFIX_BEAM = ("method", "beam_size", "n_best", "batch_size")
_OF_DRAWS = (*_OF_A_PREFIX_BEAM, "seed", "temperature", "max_length")

_OF_OTHERS = {("classify", "regress"): ("pooling",), ("tag",): ("tag_scheme",)}
"""Settings of the model that only some tasks know."""

_DECODERS = {
    "text-to-text": ("attention", "aligned"),
    "transcribe": ("attention", "ctc"),
    "describe": ("attention", "ctc"),
}
"""Ways to write a target, of tasks that have several."""

_OF_MUSIC = (
    *("embedding_size", "hidden_size", "decoder_layers", "cell", "upper_cell", "lstm_variant"),
    *("projection_size", "layer_norm", "forget_bias", "longest_memory", "direction", "residual"),
    *("dropout", "same_dropout", "state_dropout", "connection_dropout", "zoneout"),
    *("unroll", "compute", "keep_every", "kind", "ngram_order"),
)
"""All of the model that a stack of layers over chords has."""
_OF_PIECES = (
    *("embedded", "examples", "max_target", "on_bad_line", "batch_size", "batch_tokens"),
    *("batch_multiple", "buckets", "target_weight"),
)

_BASELINES = {
    "text-to-text": ("lexicon", "rules", "usual", "copy"),
    "language-model": ("ngram",),
    "classify": ("bag_of_words", "majority"),
    "tag": ("usual",),
    "music": ("usual", "markov"),
    "regress": ("usual",),
}
"""Kinds of models that are no networks, by task."""


def _left_out(config: Any) -> Iterator[tuple[str, Iterable[str]]]:
    """Yields settings of a part that the task does not know, and must be as they are by default."""
    task = config.task
    aligned = config.model.decoder == "aligned"
    for who, names in _OF_OTHERS.items():
        if task not in who:
            yield "model", names
    if task != "regress":
        yield "data", ("source_kind",)
    if task not in _DECODERS:
        yield "model", ("decoder",)
    if task != "tag" and not aligned:
        yield "model", ("crf",)
    if not aligned:
        yield "data", ("max_chunk",)
    if aligned or task in ("language-model", "tag", "transcribe"):
        yield "data", ("long_sources",)  # each token of a source has its part in the target
    if config.vectors != "sound":
        yield "data", ("mel_bands",)
    if task == "music":
        yield "model", _but(ModelConfig, _OF_MUSIC)
        yield "data", _but(DataConfig, _OF_PIECES)
        yield "objective", _but(ObjectiveConfig, ())
        yield "decode", _but(DecodeConfig, _OF_DRAWS)
    if task == "language-model":
        yield "objective", ("coverage_weight", "scheduled_sampling", "risk_weight")
        yield "decode", (*_OF_A_READ_TEXT, "coverage_penalty")
        yield "data", ("batch_tokens",)
        yield "model", ("source_vectors",)
    else:
        yield "objective", ("sequence_unlikelihood_length",)  # an answer ends by itself
    if task != "text-to-text":
        yield "validation", ("dialogues",) if task in _DECODERS else ("dialogues", "rouge")
    if config.vectors:
        yield "decode", (*_OF_A_READ_TEXT, "unknown")
        yield "data", ("source_tokens", "store")
        yield "model", ("source_vectors", "copying")
    else:
        yield "model", ("time_mask", "feature_mask")
    if config.vectors and (config.model.decoder == "ctc" or task == "regress"):
        yield "model", ("embedding_std", "embedding_dropout")  # nothing is embedded
    if task in ("classify", "tag", "regress"):
        yield "objective", _but(ObjectiveConfig, _OF_ONE_STEP if task != "regress" else ())
        yield "decode", _but(DecodeConfig, ("batch_size", "n_best", "beam_size"))
        yield "data", ("target_tokens",)
        yield "model", _OF_A_DECODER
    if task == "tag":
        yield "model", ("pyramid",)
        yield "objective", _OF_ONE_STEP if config.model.crf else ()
    if aligned:
        learnt = () if config.model.crf else _OF_ONE_STEP
        yield "objective", _but(ObjectiveConfig, learnt)
        yield "decode", _but(DecodeConfig, _OF_A_PREFIX_BEAM)
        yield "model", (*_OF_A_DECODER, "pyramid")
    if config.model.decoder == "ctc":
        yield "objective", _but(ObjectiveConfig, ())
        yield "decode", _but(DecodeConfig, _OF_A_PREFIX_BEAM)
        yield "model", _OF_A_DECODER


def _but(part: Any, kept: Container[str]) -> Iterator[str]:
    return (field.name for field in dataclasses.fields(part) if field.name not in kept)


def check_by_task(config: Any) -> None:
    """Raises ValueError where a `Config` asks for what its task does not know."""
    known = METRICS[config.task]
    require(
        config.validation.metric in known,
        "validation.metric",
        f"one of {', '.join(known)} for {config.task}",
        repr(config.validation.metric),
    )
    for part, names in _left_out(config):
        _check_left_out(config, part, names)
    _check_decoder(config)
    _check_kind(config)


def _check_left_out(config: Any, part: str, names: Iterable[str]) -> None:
    """Settings that a task does not know must be as they are by default."""
    given, default = getattr(config, part), type(getattr(config, part))()
    decoder = config.model.decoder
    who = config.task if decoder == "attention" else f"{config.task} with model.decoder {decoder}"
    for name in names:
        require(
            getattr(given, name) == getattr(default, name),
            f"{part}.{name}",
            f"left at {getattr(default, name)} for {who}, which has no use for it",
            getattr(given, name),
        )


def _check_decoder(config: Any) -> None:
    """A target is written as the task can, and nothing is asked of what writes it otherwise."""
    decoder, known = config.model.decoder, _DECODERS.get(config.task, ("attention",))
    require(
        decoder in known, "model.decoder", f"one of {', '.join(known)} for {config.task}", decoder
    )
    if decoder == "attention":
        return
    for name, value, wanted, holds in (
        ("model.kind", config.model.kind, "network", config.model.kind == "network"),
        (
            "decode.method",
            config.decode.method,
            "beam or greedy",
            config.decode.method in ("beam", "greedy"),
        ),
        (
            "validation.metric",
            config.validation.metric,
            "another than token_accuracy",
            config.validation.metric != "token_accuracy",
        ),
        (
            "data.target_tokens",
            config.data.target_tokens,
            "chars or words",
            decoder == "ctc" or config.data.target_tokens != "subwords",
        ),
    ):
        require(holds, name, f"{wanted} when model.decoder is {decoder}", value)


def _check_kind(config: Any) -> None:
    """A baseline has its task, and learns from data alone."""
    kinds, kind = ("network", *_BASELINES.get(config.task, ())), config.model.kind
    require(kind in kinds, "model.kind", f"one of {', '.join(kinds)} for {config.task}", kind)
    if kind == "network":
        return
    data = config.data
    for name, given in (
        ("start_from", config.start_from),
        ("objective.teacher", config.objective.teacher),
    ):
        require(not given, name, f"left out when model.kind is {kind}", given)
    require(
        kind != "rules" or (data.embedded in RULED and not (config.train or data.hub)),
        "model.kind",
        f"another than rules for data other than the built-in {', '.join(RULED)}",
        kind,
    )

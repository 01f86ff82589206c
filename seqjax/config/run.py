"""A whole run, and the settings of its data and validation."""

import dataclasses
import math
from dataclasses import dataclass, field
from typing import Literal

from seqjax.config.decode import DecodeConfig
from seqjax.config.mesh import MeshConfig
from seqjax.config.model import ModelConfig
from seqjax.config.objective import ObjectiveConfig
from seqjax.config.optimizer import OptimizerConfig
from seqjax.config.require import require
from seqjax.config.words import Patterns

Task = Literal["text-to-text", "language-model"]
TokenKind = Literal["chars", "words", "subwords"]
OF_LIKELIHOOD = ("loss", "perplexity", "bits_per_token", "token_accuracy")
"""Metrics that need no answers."""
Metric = Literal[
    "loss",
    "perplexity",
    "bits_per_token",
    "token_accuracy",
    "exact_match",
    "token_error_rate",
    "character_error_rate",
    "bleu",
    "chrf",
]


@dataclass(frozen=True)
class DataConfig:
    """Where the text comes from and how it becomes tokens and batches."""

    embedded: Literal["dates", "copy", "reverse", "docs"] = "dates"
    """Built-in data used when no --train is given: dates in many languages -> ISO 8601; copying and
    reversing random strings; the English of Python's own manual (for language models)."""
    examples: int = 50_000
    """How many training pairs the built-in data makes."""
    min_length: int = 1
    """Shortest string of the built-in copy and reverse tasks."""
    max_length: int = 20
    """Longest string of the built-in copy and reverse tasks."""
    source_tokens: TokenKind = "chars"
    """What one source token is: a character, a word between blanks, a SentencePiece subword."""
    target_tokens: TokenKind = "chars"
    """What one target token is; for a language model, what the text is cut into."""
    min_count: int = 1
    """Tokens seen fewer times in the training data become the unknown token."""
    subword_vocab: int = 8_000
    """Size of a SentencePiece vocabulary."""
    lowercase: bool = False
    """Lower-case every line when it is read, in training and in decoding."""
    max_source: int = 200
    """Source tokens a training pair may have; longer pairs are left out and counted."""
    max_target: int = 200
    """Target tokens (EOS not counted) a training pair may have; longer pairs are left out."""
    on_bad_line: Literal["error", "skip"] = "error"
    """What to do with a line that cannot be used (no tab, empty side): stop, or count and skip."""
    batch_size: int = 128
    """Rows of a batch. For a language model, how many stretches of the text are read abreast."""
    batch_tokens: int | None = None
    """Tokens of source and target that a batch has room for, padding counted, in place of
    --data.batch-size rows: batches of short pairs have more rows (not for a language model)."""
    batch_multiple: int = 8
    """Rows of a batch are a multiple of this where --data.batch-tokens decides how many."""
    window: int = 64
    """Steps of truncated back-propagation through time (language model only)."""
    hub: str | None = None
    """A data set of Hugging Face's `datasets`, in place of files: its name (owner/name), or a
    directory that it can load. Its splits train, validation and test are used."""
    hub_config: str | None = None
    """The configuration of the data set, for example a pair of languages."""
    source_field: str = "source"
    """Field of the data set that holds the source; a.b is field b in field a."""
    target_field: str = "target"
    """Field that holds the target; for a language model, the text."""
    store: str | None = None
    """Directory in which the training data is kept as ids, so that it is read as it is needed and
    never all in memory: made once, used again, made anew when a file changed. Needs --valid."""
    buckets: int = 8
    """How many (source, target) shapes batches may have; each is compiled once."""
    target_weight: float = 1.0
    """What a target position costs where a source position costs 1, when shapes are chosen."""

    def __post_init__(self):
        for name in ("examples", "min_count", "max_source", "max_target", "batch_size", "window"):
            require(getattr(self, name) >= 1, f"data.{name}", "at least 1", getattr(self, name))
        for name in ("buckets", "batch_multiple"):
            require(getattr(self, name) >= 1, f"data.{name}", "at least 1", getattr(self, name))
        require(
            self.batch_tokens is None or self.batch_tokens >= 2 * self.batch_multiple,
            "data.batch_tokens",
            f"at least 2 for each of {self.batch_multiple} rows (data.batch_multiple)",
            self.batch_tokens,
        )
        require(self.target_weight > 0, "data.target_weight", "positive", self.target_weight)
        require(self.subword_vocab >= 16, "data.subword_vocab", "at least 16", self.subword_vocab)
        require(self.min_length >= 0, "data.min_length", "at least 0", self.min_length)
        require(
            self.max_length >= max(self.min_length, 1),
            "data.max_length",
            f"at least data.min_length ({self.min_length}) and 1",
            self.max_length,
        )

    @property
    def rows_multiple(self) -> int:
        """What the rows of every batch are a multiple of, as devices and parts of a batch must be
        dealt evenly."""
        return self.batch_size if self.batch_tokens is None else self.batch_multiple


@dataclass(frozen=True)
class ValidationConfig:
    """When and by what a run is judged, and when it gives up."""

    every: int | None = None
    """Steps between validations; by default once an epoch."""
    metric: Metric = "loss"
    """What decides which weights are the best, when training stops early and when a plateau is
    reached: the lowest loss, perplexity, bits per token or error rate, the highest of the others.
    All but the first three and token_accuracy are of decoded answers (text-to-text only)."""
    min_delta: float = 0.0
    """By more than how much the metric must be better than the best to be a new best."""
    examples: int = 500
    """How many validation examples are decoded each time; the loss is taken over all of them."""
    patience: int = 5
    """Validations without a new best after which training stops; 0 never stops early."""

    def __post_init__(self):
        require(self.every is None or self.every >= 1, "validation.every", "at least 1", self.every)
        require(self.examples >= 1, "validation.examples", "at least 1", self.examples)
        require(self.patience >= 0, "validation.patience", "at least 0", self.patience)
        require(self.min_delta >= 0, "validation.min_delta", "at least 0", self.min_delta)


_OF_A_SOURCE = {
    "encoder_repetition_penalty": 1.0,
    "encoder_no_repeat_ngram": 0,
    "coverage_penalty": 0.0,
}
"""Settings of a search that look at a source, and what they must be where there is none."""


@dataclass(frozen=True)
class Config:
    """A whole run. Stored as `config.json` in the run directory."""

    task: Task = "text-to-text"
    """What is learnt: to answer one text with another, or to continue a text."""
    train: tuple[str, ...] = ()
    """Training data. text-to-text: one file of `source<TAB>target` lines, one .jsonl, or two files
    with a line each; language-model: one text file. Any may be .gz. None: built-in data."""
    valid: tuple[str, ...] = ()
    """Validation data, in the same form."""
    start_from: str | None = None
    """Run directory whose best weights this run begins with. Tokens that it knows too are taken
    over one by one. It is not needed again."""
    start_from_parts: Patterns = ()
    """Which of its weights, by paths or the beginning of paths, with * for anything; by default
    all."""
    run_dir: str | None = None
    """Where the run is kept; by default runs/ and the name of preset or training file."""
    steps: int | None = None
    """Stop after this many updates."""
    epochs: int | None = None
    """Stop after this many passes over the training data."""
    minutes: float | None = None
    """Stop after this many minutes of training (compilation and validation included)."""
    save_every: int | None = None
    """Steps between checkpoints; by default each validation."""
    keep: int = 2
    """Newest checkpoints that stay."""
    seed: int = 0
    """Seed of everything that is random."""
    data: DataConfig = field(default_factory=DataConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    objective: ObjectiveConfig = field(default_factory=ObjectiveConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    validation: ValidationConfig = field(default_factory=ValidationConfig)
    decode: DecodeConfig = field(default_factory=DecodeConfig)
    mesh: MeshConfig = field(default_factory=MeshConfig)

    def __post_init__(self):
        require(self.keep >= 1, "keep", "at least 1", self.keep)
        for name in ("steps", "epochs", "save_every"):
            value = getattr(self, name)
            require(value is None or value >= 1, name, "at least 1", value)
        require(self.minutes is None or self.minutes > 0, "minutes", "positive", self.minutes)
        require(
            self.task == "text-to-text" or self.validation.metric in OF_LIKELIHOOD,
            "validation.metric",
            f"one of {', '.join(OF_LIKELIHOOD)} for a language model",
            repr(self.validation.metric),
        )
        for name in ("coverage_weight", "scheduled_sampling", "risk_weight"):
            require(
                self.task == "text-to-text" or not getattr(self.objective, name),
                f"objective.{name}",
                "0 for a language model",
                getattr(self.objective, name),
            )
        length = self.objective.sequence_unlikelihood_length
        require(
            self.task == "language-model" or length == ObjectiveConfig.sequence_unlikelihood_length,
            "objective.sequence_unlikelihood_length",
            f"left at {ObjectiveConfig.sequence_unlikelihood_length} for text-to-text, where an "
            "answer ends by itself",
            length,
        )
        for name, nothing in _OF_A_SOURCE.items():
            require(
                self.task == "text-to-text" or getattr(self.decode, name) == nothing,
                f"decode.{name}",
                f"{nothing} for a language model",
                getattr(self.decode, name),
            )
        require(
            not (self.train and self.data.hub),
            "data.hub",
            "None when files are given (train)",
            repr(self.data.hub),
        )
        require(
            self.data.store is None or bool(self.train and self.valid),
            "data.store",
            "None without files to train and to validate on (train, valid)",
            repr(self.data.store),
        )
        require(
            self.task == "text-to-text" or self.data.batch_tokens is None,
            "data.batch_tokens",
            "None for a language model (data.batch_size rows of data.window tokens)",
            self.data.batch_tokens,
        )
        require(
            self.model.attention != "none" or not self.objective.coverage_weight,
            "objective.coverage_weight",
            "0 when model.attention is none",
            self.objective.coverage_weight,
        )
        require(
            not (self.model.same_dropout and self.objective.scheduled_sampling),
            "model.same_dropout",
            "False when objective.scheduled_sampling is on",
            self.model.same_dropout,
        )
        if self.model.copying:
            self._check_copying()
        require(
            self.task == "text-to-text" or self.model.source_vectors is None,
            "model.source_vectors",
            "None for a language model, whose vectors are model.target_vectors",
            repr(self.model.source_vectors),
        )
        self._check_optimizer()
        self._check_start()

    def _check_optimizer(self):
        require(
            not self.optimizer.needs_last_step or bool(self.steps or self.epochs),
            "optimizer.schedule",
            "constant, inverse_sqrt, plateau or luong (by epochs or steps) when neither --steps "
            "nor --epochs is given",
            self.optimizer.schedule,
        )
        require(
            self.data.rows_multiple % self.optimizer.accumulate == 0,
            "optimizer.accumulate",
            f"a divisor of data.{'batch_multiple' if self.data.batch_tokens else 'batch_size'} "
            f"({self.data.rows_multiple})",
            self.optimizer.accumulate,
        )
        gives_up = self.validation.patience or math.inf
        for name, chosen, waits in (
            ("nonmonotone", self.optimizer.name == "nt_asgd", self.optimizer.nonmonotone),
            (
                "plateau_patience",
                self.optimizer.schedule == "plateau",
                self.optimizer.plateau_patience,
            ),
        ):
            require(
                not chosen or waits < gives_up,
                f"optimizer.{name}",
                f"below validation.patience ({self.validation.patience}), after which training "
                "stops",
                waits,
            )

    def _check_start(self):
        require(
            self.start_from is not None or not self.start_from_parts,
            "start_from_parts",
            "left out without start_from",
            " ".join(self.start_from_parts),
        )
        vectors = self.model.source_vectors or self.model.target_vectors
        require(
            self.start_from is None or vectors is None,
            "start_from",
            "None when model.source_vectors or model.target_vectors is given",
            self.start_from,
        )

    def _check_copying(self):
        require(self.task == "text-to-text", "task", "text-to-text with model.copying", self.task)
        require(
            self.data.source_tokens == self.data.target_tokens != "subwords",
            "data.target_tokens",
            f"data.source_tokens ({self.data.source_tokens}), and not subwords, when "
            "model.copying is on",
            self.data.target_tokens,
        )
        require(
            not self.objective.label_smoothing,
            "objective.label_smoothing",
            "0 when model.copying is on (it would ask for tokens that are not there to copy)",
            self.objective.label_smoothing,
        )
        require(
            not self.objective.teacher,
            "objective.teacher",
            "left out when model.copying is on (what it says is not of one vocabulary)",
            self.objective.teacher,
        )
        require(
            not self.objective.z_loss,
            "objective.z_loss",
            "0 when model.copying is on (its logits are log-probabilities already)",
            self.objective.z_loss,
        )


def differing_fields(ours: Config, theirs: Config) -> list[tuple[str, object, object]]:
    """Returns `(dotted name, ours, theirs)` of every field in which two configs differ."""

    def flat(config):
        for entry in dataclasses.fields(config):
            value = getattr(config, entry.name)
            if dataclasses.is_dataclass(value):
                yield from ((f"{entry.name}.{name}", inner) for name, inner in flat(value))
            else:
                yield entry.name, value

    return [
        (name, one, other)
        for (name, one), (_, other) in zip(flat(ours), flat(theirs), strict=True)
        if one != other
    ]

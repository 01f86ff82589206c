"""Settings of where text comes from, and how it becomes tokens and batches."""

from dataclasses import dataclass
from typing import Literal

from seqjax.config.require import require

TokenKind = Literal["chars", "words", "subwords"]
VectorKind = Literal["sound", "arrays"]
"""Recordings as log-mel features; arrays `[time, features]`, `FILE.npy` or `FILE.npz#NAME`."""
Embedded = Literal[
    "dates",
    "copy",
    "reverse",
    "sort",
    "addition",
    "numbers",
    "inflection",
    "docs",
    "date_language",
    "date_parts",
    "copy_memory",
    "morse",
    "images",
    "chords",
    "adding",
]


@dataclass(frozen=True)
class DataConfig:
    """Where the text comes from and how it becomes tokens and batches."""

    embedded: Embedded = "dates"
    """Built-in data used when no --train is given. dates: dates in many languages -> ISO 8601.
    copy, reverse, sort: of random strings. addition: the sum of two numbers. numbers: in English
    words. inflection: forms of Turkish nouns. docs: the English of Python's own manual
    (language-model). date_language: in which language a date is written (classify). date_parts:
    which of its characters are day, month, year and day of the week (tag). copy_memory: symbols, to
    be said again after a wait (tag). morse: letters in Morse code, as sound (transcribe). images:
    handwritten digits, row by row, in words (describe). chords: made progressions in all keys
    (music). adding: the adding problem, of min_length to max_length steps (regress)."""
    examples: int = 50_000
    """How many training pairs, or pieces, the built-in data makes."""
    min_length: int = 1
    """Letters of the shortest string of the built-in copy, reverse, sort and morse, digits of the
    shortest number of addition and numbers, steps of the shortest wait of copy_memory."""
    max_length: int = 20
    """The same of the longest."""
    source_kind: Literal["texts", VectorKind] = "texts"
    """What a source is: a text, or the name of an array or a recording, as of describe and
    transcribe, which need not be told (regress only)."""
    source_tokens: TokenKind = "chars"
    """What one source token is: a character, a word between blanks, a SentencePiece subword."""
    target_tokens: TokenKind = "chars"
    """What one target token is; for a language model, what the text is cut into."""
    min_count: int = 1
    """Tokens seen fewer times in the training data become the unknown token."""
    subword_vocab: int = 8_000
    """Size of a SentencePiece vocabulary."""
    mel_bands: int = 40
    """Features of each 10 ms of a recording (transcribe, and regress of sound)."""
    lowercase: bool = False
    """Lower-case every line when it is read, in training and in decoding."""
    max_source: int = 200
    """Source tokens that a training pair may have; longer ones are left out and counted, or cut.
    Elsewhere a longer source is read up to here, and what cuts it says so. (It is read to its end
    where each token has an answer of its own: tag, and model.decoder aligned. Texts of a language
    model have no limit.)"""
    long_sources: Literal["leave_out", "cut"] = "leave_out"
    """What becomes of training pairs whose source has more than max_source tokens: they are left
    out, or learnt with what comes first in it (text-to-text, classify, regress and describe;
    summaries want that)."""
    max_target: int = 200
    """Target tokens (EOS not counted) a training pair may have, or steps a training piece; longer
    ones are left out."""
    max_chunk: int = 2
    """Target tokens that one source token may stand for (model.decoder aligned only); pairs whose
    target is longer than so many times its source are left out and counted."""
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
        require(1 <= self.max_chunk <= 8, "data.max_chunk", "in [1, 8]", self.max_chunk)
        require(2 <= self.mel_bands <= 256, "data.mel_bands", "in [2, 256]", self.mel_bands)
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

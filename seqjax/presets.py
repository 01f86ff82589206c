"""Named starting points for a run. A preset is a value, never other code: flags go on top of it."""

from typing import Literal

from seqjax.config import (
    Config,
    DataConfig,
    DecodeConfig,
    ModelConfig,
    ObjectiveConfig,
    OptimizerConfig,
    ValidationConfig,
)

PresetName = Literal["dates", "short", "sentences", "docs", "languages", "parts"]

PRESETS: dict[str, Config] = {
    # Dates in many languages -> ISO 8601; the data is built in and the answer is never ambiguous.
    "dates": Config(
        epochs=4,
        data=DataConfig(buckets=4),
        model=ModelConfig(embedding_size=64, hidden_size=128, dropout=0.1),
        optimizer=OptimizerConfig(
            learning_rate=5e-3, schedule="cosine", warmup_steps=100, average_decay=0.99
        ),
        validation=ValidationConfig(metric="exact_match"),
    ),
    # One word in, a few symbols out: spelling -> phones, lemma -> inflected form, name -> name.
    # Phones stand apart by blanks ("HH AH0 L OW1"), so the target is cut into words. Inflection and
    # transliteration want `--data.target-tokens chars`.
    "short": Config(
        epochs=14,
        data=DataConfig(
            target_tokens="words", max_source=60, max_target=60, batch_size=256, buckets=8
        ),
        model=ModelConfig(embedding_size=128, hidden_size=256, encoder_layers=2, dropout=0.3),
        objective=ObjectiveConfig(label_smoothing=0.1),
        optimizer=OptimizerConfig(schedule="cosine", warmup_steps=300, average_decay=0.999),
        validation=ValidationConfig(metric="token_error_rate", examples=1_000),
    ),
    # Short sentences of two languages, one word a token; words seen once become the unknown token.
    "sentences": Config(
        epochs=10,
        data=DataConfig(
            source_tokens="words",
            target_tokens="words",
            min_count=2,
            max_source=50,
            max_target=50,
            batch_size=64,
            buckets=8,
        ),
        model=ModelConfig(embedding_size=256, hidden_size=384, dropout=0.4),
        objective=ObjectiveConfig(label_smoothing=0.1),
        optimizer=OptimizerConfig(schedule="cosine", warmup_steps=400, average_decay=0.999),
        validation=ValidationConfig(metric="bleu", examples=1_000),
    ),
    # A language model of running English words; the text is built in.
    "docs": Config(
        task="language-model",
        epochs=20,
        data=DataConfig(
            embedded="docs", target_tokens="words", min_count=3, batch_size=32, window=64
        ),
        model=ModelConfig(embedding_size=256, hidden_size=256, decoder_layers=2, dropout=0.4),
        optimizer=OptimizerConfig(learning_rate=2e-3),
        decode=DecodeConfig(method="sample", temperature=0.8, max_length=100),
    ),
    # Which of some classes a text belongs to; built in is in which language a date is written.
    "languages": Config(
        task="classify",
        epochs=4,
        data=DataConfig(embedded="date_language", buckets=4),
        model=ModelConfig(embedding_size=64, hidden_size=128, dropout=0.1),
        optimizer=OptimizerConfig(
            learning_rate=5e-3, schedule="cosine", warmup_steps=100, average_decay=0.99
        ),
        validation=ValidationConfig(metric="accuracy"),
    ),
    # What each token of a text is; built in are the parts of dates, character by character.
    "parts": Config(
        task="tag",
        epochs=2,
        data=DataConfig(embedded="date_parts", buckets=4),
        model=ModelConfig(embedding_size=64, hidden_size=128, dropout=0.1),
        optimizer=OptimizerConfig(
            learning_rate=5e-3, schedule="cosine", warmup_steps=100, average_decay=0.99
        ),
        validation=ValidationConfig(metric="span_f1"),
    ),
}

START: dict[str, str] = {
    "language-model": "docs",
    "classify": "languages",
    "tag": "parts",
}
"""What a run of a task starts from where no preset is named; else from the defaults."""

NEEDS_TRAINING_FILE = frozenset({"short", "sentences"})
"""Presets whose settings suit no built-in data: they are refused without --train."""

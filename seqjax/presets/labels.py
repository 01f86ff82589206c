"""Presets of tasks that say of a text, or of its tokens, what it is."""

from seqjax.config import (
    Config,
    DataConfig,
    ModelConfig,
    OptimizerConfig,
    ValidationConfig,
)

LABELS: dict[str, Config] = {
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

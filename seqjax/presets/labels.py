"""Presets of tasks that say of a source, or of its tokens, what it is."""

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
    # What a sentence thinks of its subject: few examples for many words, so half is dropped, words
    # seen once are unknown, and of each unit only the highest output over the sentence is kept.
    "sentiment": Config(
        task="classify",
        epochs=8,
        data=DataConfig(
            embedded="date_language",
            source_tokens="words",
            min_count=2,
            batch_size=64,
            buckets=4,
        ),
        model=ModelConfig(embedding_size=128, hidden_size=256, dropout=0.5, pooling="max"),
        optimizer=OptimizerConfig(
            learning_rate=1e-3, schedule="cosine", warmup_steps=100, average_decay=0.99
        ),
        validation=ValidationConfig(metric="accuracy"),
    ),
    # A word that answers a question; the story comes first and the question last. On 100 questions
    # of bAbI's task 1 that validated, last, attention and max pooling had 57, 54 and 58 %.
    "questions": Config(
        task="classify",
        epochs=40,
        data=DataConfig(
            embedded="date_language",
            source_tokens="words",
            max_source=600,
            batch_size=32,
            buckets=4,
        ),
        model=ModelConfig(embedding_size=64, hidden_size=128, dropout=0.2, pooling="last"),
        optimizer=OptimizerConfig(
            learning_rate=3e-3, schedule="cosine", warmup_steps=100, average_decay=0.99
        ),
        validation=ValidationConfig(metric="accuracy", patience=0),
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
    # Which number belongs to a source; built in is the adding problem.
    "adding": Config(
        task="regress",
        epochs=20,
        data=DataConfig(
            embedded="adding",
            examples=10_000,
            min_length=50,
            max_length=50,
            source_kind="arrays",
            batch_size=50,
            buckets=1,
        ),
        model=ModelConfig(
            embedding_size=16,
            hidden_size=64,
            direction="forward",
            pooling="last",
            dropout=0.0,
        ),
        optimizer=OptimizerConfig(learning_rate=5e-3, schedule="cosine", warmup_steps=50),
        validation=ValidationConfig(patience=0),
    ),
}

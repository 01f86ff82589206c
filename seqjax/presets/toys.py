"""Presets of built-in texts that are made by a rule; docs/tasks/toys.md says what each reaches."""

from seqjax.config import (
    Config,
    DataConfig,
    ModelConfig,
    OptimizerConfig,
    ValidationConfig,
)

_FAST = OptimizerConfig(learning_rate=5e-3, schedule="cosine", warmup_steps=100, average_decay=0.99)
_EXACT = ValidationConfig(metric="exact_match")

TOYS: dict[str, Config] = {
    # The characters of a string in order, as many times as they are there.
    "sort": Config(
        epochs=8,
        data=DataConfig(embedded="sort", max_length=16, buckets=3),
        model=ModelConfig(embedding_size=64, hidden_size=128, dropout=0.0),
        optimizer=_FAST,
        validation=_EXACT,
    ),
    # The sum of two numbers of up to three digits, read from behind as carries go.
    "addition": Config(
        epochs=20,
        data=DataConfig(embedded="addition", max_length=3, buckets=1),
        model=ModelConfig(embedding_size=64, hidden_size=128, dropout=0.0),
        optimizer=_FAST,
        validation=_EXACT,
    ),
    # Numbers of up to nine digits in words.
    "numbers": Config(
        epochs=6,
        data=DataConfig(embedded="numbers", max_length=9, target_tokens="words", buckets=3),
        model=ModelConfig(embedding_size=64, hidden_size=128, dropout=0.1),
        optimizer=_FAST,
        validation=_EXACT,
    ),
    # Turkish nouns that were never seen, in the form that is asked for.
    "inflection": Config(
        epochs=8,
        data=DataConfig(embedded="inflection", examples=10_000, batch_size=32, buckets=3),
        model=ModelConfig(embedding_size=64, hidden_size=128, embedding_std=1.0, dropout=0.1),
        optimizer=_FAST,
        validation=_EXACT,
    ),
    # Ten symbols, said again a hundred steps later by a network that has only read so far. From
    # narrow embeddings, with larger batches and a higher rate, it hardly began to remember; of 128
    # units, half of the strings had a symbol wrong after 15,000 updates.
    "copy_memory": Config(
        task="tag",
        epochs=8,
        data=DataConfig(
            embedded="copy_memory",
            examples=50_000,
            min_length=100,
            max_length=100,
            batch_size=32,
            buckets=1,
        ),
        model=ModelConfig(
            embedding_size=32,
            hidden_size=256,
            embedding_std=1.0,
            direction="forward",
            longest_memory=150,
            dropout=0.0,
        ),
        optimizer=OptimizerConfig(learning_rate=2e-3, schedule="cosine", warmup_steps=100),
        validation=ValidationConfig(metric="span_f1"),
    ),
}

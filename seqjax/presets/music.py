"""Presets of music: which keys sound next."""

from seqjax.config import (
    Config,
    DataConfig,
    DecodeConfig,
    ModelConfig,
    OptimizerConfig,
    ValidationConfig,
)

MUSIC: dict[str, Config] = {
    # Made progressions in all keys; the data is built in.
    "chords": Config(
        task="music",
        epochs=8,
        data=DataConfig(embedded="chords", examples=2_000, batch_size=32, buckets=3),
        model=ModelConfig(embedding_size=64, hidden_size=128, dropout=0.1),
        optimizer=OptimizerConfig(learning_rate=1e-2, schedule="cosine", warmup_steps=50),
        decode=DecodeConfig(method="sample", max_length=32),
    ),
    # A few hundred pieces of a hundred steps, as the chorales of Bach by quarter notes are.
    "chorales": Config(
        task="music",
        epochs=100,
        data=DataConfig(embedded="chords", batch_size=16, buckets=2, max_target=400),
        model=ModelConfig(embedding_size=64, hidden_size=256, dropout=0.3),
        optimizer=OptimizerConfig(learning_rate=6e-3, schedule="cosine", warmup_steps=50),
        validation=ValidationConfig(patience=15),
        decode=DecodeConfig(method="sample", max_length=64),
    ),
}

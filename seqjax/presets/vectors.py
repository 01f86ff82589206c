"""Presets of tasks that read vectors: recordings, pictures and other arrays."""

from seqjax.config import (
    Config,
    DataConfig,
    ModelConfig,
    OptimizerConfig,
    ValidationConfig,
)

VECTORS: dict[str, Config] = {
    # What a recording says; built in are letters in Morse code.
    "morse": Config(
        task="transcribe",
        epochs=16,
        data=DataConfig(
            embedded="morse",
            examples=3_000,
            max_length=4,
            mel_bands=20,
            max_source=500,
            batch_size=32,
            buckets=2,
        ),
        model=ModelConfig(
            embedding_size=64,
            hidden_size=128,
            encoder_layers=2,
            pyramid=True,
            decoder="ctc",
            dropout=0.1,
        ),
        optimizer=OptimizerConfig(learning_rate=5e-3, schedule="cosine", warmup_steps=100),
        validation=ValidationConfig(metric="exact_match"),
    ),
    # What is to be seen in vectors; built in are pictures of digits, row by row.
    "images": Config(
        task="describe",
        epochs=60,
        data=DataConfig(embedded="images", target_tokens="words", batch_size=32, buckets=1),
        model=ModelConfig(embedding_size=64, hidden_size=128, dropout=0.3),
        optimizer=OptimizerConfig(learning_rate=3e-3, schedule="cosine", warmup_steps=100),
        validation=ValidationConfig(metric="exact_match", patience=0),
    ),
}

"""Presets of language models."""

from seqjax.config import (
    Config,
    DataConfig,
    DecodeConfig,
    ModelConfig,
    OptimizerConfig,
)

RUNNING: dict[str, Config] = {
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
}

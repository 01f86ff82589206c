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
    # A language model of characters, for books and plays of about a million of them; `docs`, built
    # in, is such a text, too. Tiny Shakespeare's last tenth: 1.475 nats after four passes, 1.445
    # after seven and 1.446 after eight, so that more passes would want more dropped.
    "letters": Config(
        task="language-model",
        epochs=8,
        data=DataConfig(embedded="docs", target_tokens="chars", batch_size=32, window=64),
        model=ModelConfig(embedding_size=128, hidden_size=512, decoder_layers=1, dropout=0.2),
        optimizer=OptimizerConfig(
            learning_rate=3e-3, schedule="cosine", warmup_steps=200, average_decay=0.998
        ),
        decode=DecodeConfig(method="sample", temperature=0.8, max_length=500),
    ),
}

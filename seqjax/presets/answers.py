"""Presets of tasks whose answer to a text is a text."""

from seqjax.config import (
    Config,
    DataConfig,
    DecodeConfig,
    ModelConfig,
    ObjectiveConfig,
    OptimizerConfig,
    ValidationConfig,
)

ANSWERS: dict[str, Config] = {
    # Dates in many languages -> ISO 8601; the data is built in and the answer is never ambiguous.
    "dates": Config(
        epochs=2,
        data=DataConfig(buckets=3),  # a fourth takes longer to compile than its padding would save
        model=ModelConfig(embedding_size=64, hidden_size=128, embedding_std=1.0, dropout=0.1),
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
    # A command and the actions that it asks for (SCAN): few words, the same ones in other orders.
    # With 0.3 dropped and half this rate, 98.4 % of dev were right after as many epochs and rising.
    "commands": Config(
        epochs=10,
        data=DataConfig(source_tokens="words", target_tokens="words", batch_size=64, buckets=4),
        model=ModelConfig(embedding_size=128, hidden_size=200, dropout=0.1),
        optimizer=OptimizerConfig(
            learning_rate=4e-3, schedule="cosine", warmup_steps=200, average_decay=0.99
        ),
        validation=ValidationConfig(metric="exact_match"),
        decode=DecodeConfig(method="greedy", max_length=60),
    ),
}

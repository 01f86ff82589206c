"""Settings of when and by what a run is judged."""

from dataclasses import dataclass
from typing import Literal

from seqjax.config.require import require

OF_LIKELIHOOD = ("loss", "perplexity", "bits_per_token", "token_accuracy")
"""Metrics that need no answers."""
Metric = Literal[
    "loss",
    "perplexity",
    "bits_per_token",
    "token_accuracy",
    "exact_match",
    "token_error_rate",
    "character_error_rate",
    "bleu",
    "chrf",
]


@dataclass(frozen=True)
class ValidationConfig:
    """When and by what a run is judged, and when it gives up."""

    every: int | None = None
    """Steps between validations; by default once an epoch."""
    metric: Metric = "loss"
    """What decides which weights are the best, when training stops early and when a plateau is
    reached: the lowest loss, perplexity, bits per token or error rate, the highest of the others.
    All but the first three and token_accuracy are of decoded answers (text-to-text only)."""
    min_delta: float = 0.0
    """By more than how much the metric must be better than the best to be a new best."""
    examples: int = 500
    """How many validation examples are decoded each time; the loss is taken over all of them."""
    patience: int = 5
    """Validations without a new best after which training stops; 0 never stops early."""

    def __post_init__(self):
        require(self.every is None or self.every >= 1, "validation.every", "at least 1", self.every)
        require(self.examples >= 1, "validation.examples", "at least 1", self.examples)
        require(self.patience >= 0, "validation.patience", "at least 0", self.patience)
        require(self.min_delta >= 0, "validation.min_delta", "at least 0", self.min_delta)

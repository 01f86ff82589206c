"""Settings of when and by what a run is judged."""

from dataclasses import dataclass
from typing import Literal, get_args

from seqjax.config.require import require

OfLikelihood = Literal["loss", "perplexity", "bits_per_token", "token_accuracy"]
OfText = Literal["exact_match", "token_error_rate", "character_error_rate", "bleu", "chrf"]
OfLabels = Literal["accuracy", "macro_f1", "calibration_error"]
OfTags = Literal["accuracy", "span_f1", "exact_match"]
OfNumbers = Literal["mean_squared_error", "mean_absolute_error", "r2"]
OfMusic = Literal["loss_after_first", "frame_accuracy", "frame_f1"]
Metric = Literal[OfLikelihood, OfText, OfLabels, OfTags, OfMusic, OfNumbers]

METRICS: dict[str, tuple[str, ...]] = {
    "text-to-text": get_args(OfLikelihood) + get_args(OfText),
    "language-model": get_args(OfLikelihood),
    "transcribe": get_args(OfLikelihood) + get_args(OfText),
    "describe": get_args(OfLikelihood) + get_args(OfText),
    "classify": ("loss", *get_args(OfLabels)),
    "tag": ("loss", *get_args(OfTags)),
    "regress": ("loss", *get_args(OfNumbers)),
    "music": ("loss", *get_args(OfMusic)),
}
"""Those that each task has."""

LOWER_IS_BETTER = (
    *("loss", "perplexity", "bits_per_token", "loss_after_first"),
    *("mean_squared_error", "mean_absolute_error"),
    *("token_error_rate", "character_error_rate", "calibration_error"),
)


@dataclass(frozen=True)
class ValidationConfig:
    """When and by what a run is judged, and when it gives up."""

    every: int | None = None
    """Steps between validations; by default once an epoch."""
    metric: Metric = "loss"
    """What decides which weights are the best, when training stops early and when a plateau is
    reached: the lowest loss, perplexity, bits per token or error, the highest of the others. Which
    of them a task has is told where another one is given; a language model has those that need no
    answers (loss, perplexity, bits_per_token, token_accuracy)."""
    min_delta: float = 0.0
    """By more than how much the metric must be better than the best to be a new best."""
    examples: int = 500
    """How many validation examples are decoded each time; the loss is taken over all of them."""
    bleu_tokenizer: Literal["13a", "none", "char", "intl", "zh"] = "13a"
    """How sacreBLEU cuts texts; none for texts that are tokenised already."""
    rouge: bool = False
    """At the end, also report ROUGE-1, -2 and -L, and the share of tokens that an answer has said
    before (summaries; needs rouge-score)."""
    dialogues: bool = False
    """At the end, also report of all lines, and of whole dialogues, how many are answered right. A
    line goes on with the dialogue of the line before if its source begins with the source of that
    line and holds its target after that (text-to-text only)."""
    patience: int = 5
    """Validations without a new best after which training stops; 0 never stops early."""

    def __post_init__(self):
        require(self.every is None or self.every >= 1, "validation.every", "at least 1", self.every)
        require(self.examples >= 1, "validation.examples", "at least 1", self.examples)
        require(self.patience >= 0, "validation.patience", "at least 0", self.patience)
        require(self.min_delta >= 0, "validation.min_delta", "at least 0", self.min_delta)

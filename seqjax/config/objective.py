"""Settings of what training minimises."""

from dataclasses import dataclass
from typing import Literal

from seqjax.config.require import require


@dataclass(frozen=True)
class ObjectiveConfig:
    """What is minimised in training. In validation the loss is the plain log-likelihood."""

    label_smoothing: float = 0.0
    """Share e of each target that is taken from the gold token and spread over others."""
    label_smoothing_kind: Literal["uniform", "others"] = "uniform"
    """uniform spreads e over the whole vocabulary, the gold token included, as PyTorch and optax
    do: (1-e) onehot + e/V. others spreads it over the V - 1 that are not gold, as fairseq and t5x
    do: gold keeps 1-e."""
    coverage_weight: float = 0.0
    """Weight of the coverage loss: the attention, per target token, that falls where it had fallen
    before. 1 keeps a summary from saying things twice (text-to-text only)."""
    scheduled_sampling: float = 0.0
    """Share of target tokens that the decoder reads as it would have said them rather than as they
    are. Slower: every step must wait for the one before (text-to-text only)."""
    scheduled_sampling_steps: int = 0
    """Updates over which that share rises from 0; see scheduled_sampling_curve."""
    scheduled_sampling_curve: Literal["linear", "exponential", "inverse_sigmoid"] = "linear"
    """How the share rises (Bengio et al., 2015): linear arrives after scheduled_sampling_steps, the
    other two have come to 99 % of it by then."""

    def __post_init__(self):
        for name in ("coverage_weight", "scheduled_sampling_steps"):
            self._require(getattr(self, name) >= 0, name, "at least 0")
        self._require(0 <= self.scheduled_sampling <= 1, "scheduled_sampling", "in [0, 1]")
        self._require(0 <= self.label_smoothing < 1, "label_smoothing", "in [0, 1)")

    def _require(self, holds: bool, name: str, constraint: str) -> None:
        require(holds, f"objective.{name}", constraint, getattr(self, name))

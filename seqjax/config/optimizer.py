"""Settings of how the weights are learnt."""

from dataclasses import dataclass
from typing import Literal

from seqjax.config.require import require


@dataclass(frozen=True)
class OptimizerConfig:
    """How the weights are updated."""

    name: Literal["adam", "adamw", "sgd"] = "adam"
    """Update rule."""
    learning_rate: float = 2e-3
    """Peak learning rate."""
    schedule: Literal["constant", "linear", "cosine", "inverse_sqrt"] = "inverse_sqrt"
    """How the rate falls after the warm-up. `linear` and `cosine` reach zero at the last step, so
    they need --steps or --epochs."""
    warmup_steps: int = 200
    """Steps over which the rate rises linearly from 0."""
    weight_decay: float = 0.0
    """Decoupled weight decay (adamw only)."""
    clip_norm: float = 1.0
    """Gradients are scaled down to this global norm; 0 turns clipping off."""
    average_decay: float = 0.0
    """Evaluate and save an exponential moving average of the weights with this decay; 0 turns it
    off."""

    def __post_init__(self):
        require(self.learning_rate > 0, "optimizer.learning_rate", "positive", self.learning_rate)
        require(self.warmup_steps >= 0, "optimizer.warmup_steps", "at least 0", self.warmup_steps)
        require(self.clip_norm >= 0, "optimizer.clip_norm", "at least 0", self.clip_norm)
        require(self.weight_decay >= 0, "optimizer.weight_decay", "at least 0", self.weight_decay)
        require(
            0 <= self.average_decay < 1, "optimizer.average_decay", "in [0, 1)", self.average_decay
        )

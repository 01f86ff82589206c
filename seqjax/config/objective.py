"""Settings of what training minimises."""

from dataclasses import dataclass
from typing import Literal

from seqjax.config.require import require

_WEIGHTS = (
    "z_loss",
    "activation_weight",
    "change_weight",
    "unlikelihood",
    "sequence_unlikelihood",
    "coverage_weight",
    "scheduled_sampling_steps",
)

_ONLY_WITH = {
    "label_smoothing_kind": "label_smoothing",
    "scheduled_sampling_steps": "scheduled_sampling",
    "scheduled_sampling_curve": "scheduled_sampling_steps",
    "teacher_weight": "teacher",
    "teacher_temperature": "teacher",
    "risk_candidates": "risk_weight",
    "risk_search": "risk_weight",
    "risk_cost": "risk_weight",
    "risk_alpha": "risk_weight",
    "risk_reference": "risk_weight",
    "sequence_unlikelihood_ngram": "sequence_unlikelihood",
    "sequence_unlikelihood_length": "sequence_unlikelihood",
}
"""Settings that mean nothing unless another is on."""


@dataclass(frozen=True)
class ObjectiveConfig:
    """What is minimised in training. In validation the loss is the plain log-likelihood."""

    label_smoothing: float = 0.0
    """Share e of each target that is taken from the gold token and spread over others."""
    label_smoothing_kind: Literal["uniform", "others"] = "uniform"
    """uniform spreads e over the whole vocabulary, the gold token included, as PyTorch and optax
    do: (1-e) onehot + e/V. others spreads it over the V - 1 that are not gold, as fairseq and t5x
    do: gold keeps 1-e."""
    z_loss: float = 0.0
    """Times the square of the logarithm of the softmax's normaliser, added to the loss of every
    token; 1e-4 in PaLM."""
    activation_weight: float = 0.0
    """Weight of the mean square of what the output layer reads, after dropout (activation
    regularisation, AR; Merity et al., 2017, who take 2)."""
    change_weight: float = 0.0
    """Weight of the mean square of what changes in the top layer's outputs from one token to the
    next (temporal activation regularisation, TAR; theirs is 1)."""
    unlikelihood: float = 0.0
    """Weight of the unlikelihood of earlier tokens: -log(1 - p(c)) for every c among the targets
    before a token, but for itself (Welleck et al., 2020, who take 1)."""
    risk_weight: float = 0.0
    """Share of the loss that is the expected cost of the model's own answers (minimum risk
    training); the rest is that of the tokens. Train without it first (text-to-text only)."""
    risk_candidates: int = 8
    """Answers to each source that stand for all."""
    risk_search: Literal["sample", "beam"] = "sample"
    """How they are found: draws, or beam search."""
    risk_cost: Literal["edit", "bleu"] = "edit"
    """What an answer costs: edits over the tokens of the reference, or 1 less its BLEU+1."""
    risk_alpha: float = 5e-3
    """How sharply the model's probabilities tell its answers apart (Shen et al., 2016, whose value
    this is); with 1 they count as they are."""
    risk_reference: bool = False
    """Let the reference be one of the answers too."""
    teacher: tuple[str, ...] = ()
    """Trained runs, of the same vocabularies, whose probabilities are learnt besides the targets
    (word-level distillation); of several the mean."""
    teacher_weight: float = 0.5
    """Share of the loss that is theirs."""
    teacher_temperature: float = 1.0
    """What the logits of both sides are divided by; above 1, unlikely tokens are heard too."""
    sequence_unlikelihood: float = 0.0
    """Weight of the unlikelihood of whatever repeats an n-gram in what the model goes on to say by
    itself, greedily (Welleck et al., 2020). Train a model without it first."""
    sequence_unlikelihood_ngram: int = 4
    """Tokens of such an n-gram."""
    sequence_unlikelihood_length: int = 50
    """Tokens that a language model goes on for; an answer ends by itself."""
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
        for name in _WEIGHTS:
            self._require(getattr(self, name) >= 0, name, "at least 0")
        for name, other in _ONLY_WITH.items():
            unused = getattr(self, other) == _default(other)
            self._require(
                getattr(self, name) == _default(name) or not unused,
                name,
                f"left at {_default(name)} when objective.{other} is off",
            )
        for name in ("scheduled_sampling", "risk_weight"):
            self._require(0 <= getattr(self, name) <= 1, name, "in [0, 1]")
        self._require(
            self.risk_candidates >= 2 - self.risk_reference,
            "risk_candidates",
            "at least 2, or 1 with objective.risk_reference",
        )
        for name in ("risk_alpha", "teacher_temperature"):
            self._require(getattr(self, name) > 0, name, "positive")
        self._require(0 < self.teacher_weight <= 1, "teacher_weight", "in (0, 1]")
        self._require(
            not (self.teacher and self.scheduled_sampling),
            "scheduled_sampling",
            "0 when objective.teacher is given, who reads the true tokens",
        )
        for name in ("sequence_unlikelihood_ngram", "sequence_unlikelihood_length"):
            self._require(getattr(self, name) >= 1, name, "at least 1")
        self._require(0 <= self.label_smoothing < 1, "label_smoothing", "in [0, 1)")

    def _require(self, holds: bool, name: str, constraint: str) -> None:
        require(holds, f"objective.{name}", constraint, getattr(self, name))


def _default(name: str):
    return ObjectiveConfig.__dataclass_fields__[name].default

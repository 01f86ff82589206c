"""Settings of how the weights are learnt. docs/training.md has the formulas and the order."""

import dataclasses
from dataclasses import dataclass
from typing import Literal

from seqjax.config.require import require
from seqjax.config.words import Patterns

Rule = Literal["adam", "adamw", "sgd", "lion", "adafactor", "muon", "nt_asgd"]
Schedule = Literal["constant", "linear", "cosine", "polynomial", "inverse_sqrt", "luong", "plateau"]

_RULES_WITH = {
    "b1": ("adam", "adamw", "lion", "muon"),
    "b2": ("adam", "adamw", "lion", "muon"),
    "eps": ("adam", "adamw", "adafactor", "muon"),
    "momentum": ("sgd", "muon"),
    "nesterov": ("sgd",),
    "weight_decay": ("adamw", "sgd", "lion", "adafactor", "muon", "nt_asgd"),
    "nonmonotone": ("nt_asgd",),
}
"""Settings that not every rule knows. Another rule must be left alone with them."""

_SCHEDULES_WITH = {
    "floor": ("linear", "cosine", "polynomial", "luong", "plateau"),
    "power": ("polynomial",),
    "factor": ("luong", "plateau"),
    "plateau_patience": ("plateau",),
    "luong_unit": ("luong",),
    "luong_start": ("luong",),
    "luong_every": ("luong",),
}
"""The same for schedules."""


@dataclass(frozen=True)
class OptimizerConfig:
    """How the weights are updated. docs/training.md has the formulas and the order in which these
    act."""

    name: Rule = "adam"
    """Update rule. nt_asgd is SGD whose weights are averaged from the time that validation stalls
    on (Merity et al., 2018); muon learns embeddings, output layer and all that is no matrix by
    Adam."""
    learning_rate: float = 2e-3
    """Peak learning rate. lion wants a fifth of what adamw does, adafactor and sgd much more."""
    b1: float | None = None
    """Decay of the gradient's mean (adam, adamw, lion, muon); by default 0.9."""
    b2: float | None = None
    """Decay of its square's mean (adam, adamw, muon), by default 0.999; for lion, decay of what it
    remembers, by default 0.99."""
    eps: float | None = None
    """Added to the divisor, by default 1e-8 (adam, adamw, muon); for adafactor to the squared
    gradient, by default 1e-30."""
    momentum: float | None = None
    """Of sgd, by default 0; of muon, by default 0.95."""
    nesterov: bool = False
    """Look ahead along the momentum (sgd; muon always does)."""
    nonmonotone: int = 5
    """Validations without a new best after which nt_asgd begins to average."""
    weight_decay: float = 0.0
    """The learning rate times this times the weight is taken from it (all but adam); for sgd and
    nt_asgd it is part of the gradient, so that momentum sees it."""
    decayed: Literal["matrices", "kernels", "all"] = "matrices"
    """What weight_decay acts on. matrices: kernels and embeddings. all: biases and scales too."""
    schedule: Schedule = "inverse_sqrt"
    """How the rate falls after the warm-up. `linear`, `cosine` and `polynomial` end at the last
    step, so they need --steps or --epochs. plateau: when validation stalls. luong: by halves."""
    warmup_steps: int = 200
    """Steps over which the rate rises linearly from 0."""
    floor: float = 0.0
    """Share of the peak below which the rate does not fall (all but constant, inverse_sqrt)."""
    power: float = 2.0
    """Of the polynomial; 1 is linear."""
    factor: float = 0.5
    """What the rate is multiplied by each time (luong, plateau)."""
    plateau_patience: int = 2
    """Validations without a new best after each of which plateau lowers the rate."""
    luong_unit: Literal["run", "epochs", "steps"] = "run"
    """What luong_start and luong_every count: shares of the whole run, epochs, or steps."""
    luong_start: float = 0.5
    """When luong lowers the rate for the first time."""
    luong_every: float = 0.1
    """Time from one lowering to the next."""
    clip_value: float = 0.0
    """Each entry of the gradient is clipped to this size, before clip_norm; 0 turns it off."""
    clip_norm: float = 1.0
    """Gradients are scaled down to this global norm; 0 turns clipping off."""
    gradient_noise: float = 0.0
    """Variance, at the first update, of noise added to clipped gradients; it falls as
    (1 + updates)^-0.55 (Neelakantan et al., 2015)."""
    weight_noise: float = 0.0
    """Standard deviation of noise added to the weights while a gradient is computed."""
    accumulate: int = 1
    """Parts that a batch is computed in, one after the other, to save memory. The update is that of
    the whole batch."""
    average_decay: float = 0.0
    """Evaluate and save an exponential moving average of the weights with this decay; 0 turns it
    off."""
    freeze: Patterns = ()
    """Weights that stay as they are, by their paths in best.safetensors, or the beginning of paths,
    with * for anything (encoder/embedding decoder/*_kernel)."""

    most_skipped: int = 20
    """Steps in a row whose loss or gradient is not finite, each of them left out, after which the
    batch is written to crash/ and training goes back or stops."""
    rollback_rate: float = 0.0
    """Go back to the last good checkpoint then, once, with the learning rate multiplied by this; 0
    stops. The batches after the checkpoint are read again."""

    @property
    def needs_last_step(self) -> bool:
        """Whether the learning rate depends on how long the run is."""
        shares = self.schedule == "luong" and self.luong_unit == "run"
        return shares or self.schedule in ("linear", "cosine", "polynomial")

    def __post_init__(self):
        require(self.most_skipped >= 1, "optimizer.most_skipped", "at least 1", self.most_skipped)
        require(
            0 <= self.rollback_rate <= 1,
            "optimizer.rollback_rate",
            "in [0, 1]",
            self.rollback_rate,
        )
        for name in ("learning_rate", "power", "luong_start", "luong_every"):
            self._require(name, "positive", lambda value: value > 0)
        self._require("eps", "positive", lambda value: value is None or value > 0)
        for name in (
            "warmup_steps",
            "clip_norm",
            "clip_value",
            "weight_decay",
            "gradient_noise",
            "weight_noise",
        ):
            self._require(name, "at least 0", lambda value: value >= 0)
        for name in ("nonmonotone", "plateau_patience", "accumulate"):
            self._require(name, "at least 1", lambda value: value >= 1)
        for name in ("average_decay", "floor"):
            self._require(name, "in [0, 1)", lambda value: 0 <= value < 1)
        for name in ("b1", "b2", "momentum"):
            self._require(name, "in [0, 1)", lambda value: value is None or 0 <= value < 1)
        self._require("factor", "in (0, 1)", lambda value: 0 < value < 1)
        self._require("freeze", "paths", lambda value: all(value))
        self._check_together()

    def _check_together(self) -> None:
        defaults = {entry.name: entry.default for entry in dataclasses.fields(self)}
        for known, choice, chosen in (
            (_RULES_WITH, "name", self.name),
            (_SCHEDULES_WITH, "schedule", self.schedule),
        ):
            for name, those in known.items():
                if chosen not in those:
                    where = f"left out when optimizer.{choice} is {chosen} ({', '.join(those)})"
                    self._require(name, where, lambda value, d=defaults[name]: value == d)
        self._require(
            "nesterov", "left out without optimizer.momentum", lambda on: not on or self.momentum
        )
        self._require(
            "decayed",
            "left out without optimizer.weight_decay",
            lambda value: value == defaults["decayed"] or self.weight_decay,
        )
        self._require(
            "average_decay",
            "0 when optimizer.name is nt_asgd, which has an average of its own",
            lambda value: not value or self.name != "nt_asgd",
        )
        if self.luong_unit == "run":
            self._require("luong_start", "in (0, 1), a share of the run", lambda value: value < 1)

    def _require(self, name: str, constraint: str, holds) -> None:
        value = getattr(self, name)
        require(bool(holds(value)), f"optimizer.{name}", constraint, value)

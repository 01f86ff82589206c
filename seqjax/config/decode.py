"""Settings of a search."""

from dataclasses import dataclass
from typing import Literal

from seqjax.config.require import require


@dataclass(frozen=True)
class DecodeConfig:
    """How answers are searched for. docs/decoding.md has the formulas and the order in which these
    act."""

    method: Literal["beam", "greedy", "sample", "stochastic_beam"] = "beam"
    """Beam search, the most likely token each time, draws from the distribution, or draws of whole
    answers that all differ."""
    beam_size: int = 5
    """Hypotheses kept at each step of a beam search."""
    n_best: int = 1
    """Answers given for each input, best first."""
    seed: int = 0
    """Of all draws. Line n draws the same whatever stands beside it."""
    stop: Literal["exact", "current_length", "first_full", "patience"] = "exact"
    """When a beam search ends. exact: when nothing can become better. current_length: when nothing
    would be better if it ended now. first_full: when as many have ended as the beam holds.
    patience: when `patience` times as many have."""
    patience: float = 1.0
    """See stop."""
    beam_groups: int = 1
    """Divide the beam into this many groups that differ; see diversity."""
    diversity: float = 0.0
    """Makes a token less attractive to a group for each time that an earlier group chose it at the
    same step (nats)."""
    length_penalty: float = 1.0
    """alpha. A hypothesis of L tokens (EOS counted) ranks by its log-probability divided by its
    penalty; 0 ranks by the sum alone."""
    length_penalty_kind: Literal["average", "gnmt"] = "average"
    """`average` divides by L^alpha, `gnmt` by ((5+L)/6)^alpha."""
    word_reward: float = 0.0
    """Added to the log-probability for each token, EOS counted, before it is divided (nats)."""
    coverage_penalty: float = 0.0
    """beta. Answers that leave source tokens unread (gnmt) or read them twice (summary) rank lower;
    needs attention; 0 turns it off."""
    coverage_kind: Literal["gnmt", "summary"] = "gnmt"
    """gnmt: beta times the sum of log min(attention of a source token, 1). summary: -beta times the
    sum of max(attention of a source token - 1, 0)."""
    coverage_when: Literal["end", "each_step"] = "end"
    """end: coverage decides how finished answers rank. each_step: also what lives on."""
    repetition_penalty: float = 1.0
    """theta. Tokens already written become less likely if it is above 1; 1 turns it off."""
    repetition_meaning: Literal["logits", "log_probs", "normalized"] = "logits"
    """What theta divides (if positive) or multiplies. logits: the raw ones, in every search alike.
    log_probs: log-probabilities. normalized: these, and they are made to add up to one again."""
    repetition_window: int = 0
    """Tokens back that the penalties and no_repeat_ngram remember; 0 is all."""
    presence_penalty: float = 0.0
    """Taken once from the logit of a token already written."""
    frequency_penalty: float = 0.0
    """Taken from a token's logit for each time that it was written."""
    no_repeat_ngram: int = 0
    """Forbid every n-gram of this size to occur twice in an answer; 0 turns it off."""
    encoder_repetition_penalty: float = 1.0
    """Above 1, tokens of the source become more likely, as in Hugging Face transformers."""
    encoder_no_repeat_ngram: int = 0
    """Forbid every n-gram of this size that stands in the source; 0 turns it off."""
    exempt: str = ""
    """Tokens, with blanks between them, that no repetition rule touches. EOS is always one."""
    min_length: int = 0
    """Tokens (EOS not counted) an answer must have."""
    max_length: int | None = None
    """Tokens (EOS counted) an answer may have; by default 10 more than the longest training target
    or twice the input, whichever is longer."""
    max_length_ratio: float = 0.0
    """If positive, this many times the input's tokens are added to max_length."""
    length_decay: float = 1.0
    """Above 1, EOS becomes likelier with each token beyond length_decay_start: |logit| times
    (this ^ tokens beyond - 1) is added to its logit."""
    length_decay_start: int = 0
    """See length_decay."""
    first_token: str | None = None
    """Every answer must begin with this token."""
    last_token: str | None = None
    """An answer that comes to its maximal length must end with this token; EOS stands for the
    end itself."""
    unknown: Literal["allow", "forbid", "replace"] = "allow"
    """What becomes of the unknown token: it may be said, it may not, or it is replaced by the
    source token that was looked at most (which a lexicon may translate)."""
    temperature: float = 1.0
    """Logits are divided by this before sampling."""
    top_k: int = 0
    """Sample among this many most likely tokens; 0 turns it off."""
    top_p: float = 1.0
    """Sample among the fewest tokens that hold this much probability; 1 turns it off."""
    min_p: float = 0.0
    """Sample among tokens with at least this share of the likeliest one's probability."""
    typical_p: float = 1.0
    """Sample among the tokens of most typical surprise that hold this much probability."""
    epsilon_cutoff: float = 0.0
    """Sample among tokens of at least this probability."""
    eta_cutoff: float = 0.0
    """Sample among tokens of at least this probability, or fewer where the distribution is flat."""
    normalise: Literal["after", "before"] = "after"
    """after: what a penalty takes from one token goes to the others. before: penalties act on
    log-probabilities, which then count as they are (Hugging Face transformers' beam search)."""
    ensemble: Literal["log_probs", "probs"] = "log_probs"
    """How several runs are joined: the mean of log-probabilities, or of probabilities."""
    batch_size: int = 64
    """Inputs decoded together."""

    def __post_init__(self):
        def check(name, constraint, holds):
            require(holds(getattr(self, name)), f"decode.{name}", constraint, getattr(self, name))

        for name in ("beam_size", "n_best", "batch_size", "beam_groups"):
            check(name, "at least 1", lambda value: value >= 1)
        for name in (
            "no_repeat_ngram",
            "encoder_no_repeat_ngram",
            "repetition_window",
            "min_length",
            "length_decay_start",
            "top_k",
            "diversity",
            "coverage_penalty",
            "max_length_ratio",
        ):
            check(name, "at least 0", lambda value: value >= 0)
        check("seed", "in [0, 2 ** 32)", lambda value: 0 <= value < 2**32)
        for name in (
            "repetition_penalty",
            "encoder_repetition_penalty",
            "temperature",
            "patience",
            "length_decay",
        ):
            check(name, "positive", lambda value: value > 0)
        for name in ("top_p", "typical_p"):
            check(name, "in (0, 1]", lambda value: 0 < value <= 1)
        for name in ("min_p", "epsilon_cutoff", "eta_cutoff"):
            check(name, "in [0, 1)", lambda value: 0 <= value < 1)
        self._check_together()

    def _check_together(self):
        require(
            self.method != "beam" or self.n_best <= self.beam_size,
            "decode.n_best",
            f"at most decode.beam_size ({self.beam_size})",
            self.n_best,
        )
        require(
            self.beam_size % self.beam_groups == 0,
            "decode.beam_groups",
            f"a divisor of decode.beam_size ({self.beam_size})",
            self.beam_groups,
        )
        require(
            not self.diversity or self.beam_groups > 1,
            "decode.diversity",
            "0 unless decode.beam_groups is 2 or more",
            self.diversity,
        )
        require(
            self.max_length is None or self.max_length >= 1,
            "decode.max_length",
            "at least 1",
            self.max_length,
        )
        require(
            self.max_length is None
            or self.max_length_ratio > 0
            or self.max_length > self.min_length,
            "decode.max_length",
            f"more than decode.min_length ({self.min_length})",
            self.max_length,
        )

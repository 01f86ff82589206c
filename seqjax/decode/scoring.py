"""What finished hypotheses are ranked by. Lengths count EOS."""

from collections.abc import Callable

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

ScoreFn = Callable[
    [Float[Array, "batch n"], Int[Array, "batch n"]],
    Float[Array, "batch n"],
]
"""`(log_probs, lengths) -> scores`. Never falls as the log-probability rises, so that a search can
bound what is still to come; may be anything in the length."""

LengthPenalty = Callable[[Float[Array, "*shape"]], Float[Array, "*shape"]]
"""A positive function of the length, by which the log-probability is divided."""


def by_log_prob(
    log_probs: Float[Array, "batch n"], lengths: Int[Array, "batch n"]
) -> Float[Array, "batch n"]:
    """Ranks by log-probability alone."""
    del lengths
    return log_probs


def average(alpha: float) -> LengthPenalty:
    """Returns `length ** alpha`: 1 ranks by the mean per token, 0 by the sum.

    The rule of fairseq, Hugging Face transformers, AllenNLP and Nematus, which count EOS as well,
    and of OpenNMT-py (`avg`), which counts one more.
    """
    return lambda length: length**alpha


def gnmt(alpha: float) -> LengthPenalty:
    """Returns `((5 + length) / 6) ** alpha`; 0 ranks by the sum.

    T5X and Joey NMT count EOS, as here, OpenNMT-py (`wu`) counts one more.

    References:
      Wu et al., "Google's neural machine translation system", 2016, equation 14.
    """
    return sockeye(alpha, beta=5.0)


def sockeye(alpha: float, *, beta: float = 0.0) -> LengthPenalty:
    """Returns `((beta + length) / (beta + 1)) ** alpha`; `beta` 0 is `average`, 5 is `gnmt`.

    >>> [round(float(sockeye(0.2, beta=5.0)(n)), 4) for n in (1.0, 2.0, 3.0)]
    [1.0, 1.0313, 1.0592]

    References:
      Hieber et al., "Sockeye: a toolkit for neural machine translation", 2017.
    """
    return lambda length: ((beta + length) / (beta + 1.0)) ** alpha


def length_normalised(length_penalty: LengthPenalty, *, word_reward: float = 0.0) -> ScoreFn:
    """Returns `(log_prob + word_reward * length) / length_penalty(length)`.

    With `average(alpha)` and `word_reward = -w` this is Marian's rule (`--normalize alpha
    --word-penalty w`), with `average(0)` the word reward of He et al. (2016).

    References:
      He, He, Wu & Wang, "Improved neural machine translation with SMT features", 2016.
    """

    def score(log_probs, lengths):
        lengths = lengths.astype(log_probs.dtype)
        return (log_probs + word_reward * lengths) / length_penalty(lengths)

    return score


def brevity(score_fn: ScoreFn, weight: float, expected: Float[Array, " batch"]) -> ScoreFn:
    """Returns `score_fn` less `weight * max(0, expected / length - 1)`: Sockeye's brevity penalty.

    Args:
      score_fn: What is changed.
      weight: At least 0.
      expected: Length, EOS counted, that each sentence's answer should have.
    """
    if weight < 0:
        raise ValueError(f"weight must be at least 0, got {weight}")

    def score(log_probs, lengths):
        missing = expected[:, None] / lengths.astype(log_probs.dtype) - 1.0
        return score_fn(log_probs, lengths) - weight * jnp.maximum(missing, 0.0)

    return score


def coverage_penalty(
    coverage: Float[Array, "batch width source"], mask: Bool[Array, "batch source"], beta: float
) -> Float[Array, "batch width"]:
    """Returns `beta * sum_j log(min(coverage_j, 1))` over the source positions j: at most 0.

    Args:
      coverage: How much attention each position has had so far.
      mask: True where there is a source. Padding has no part, or its logarithm of 0 would be
        `-inf`; a position that was never looked at counts as the least normal float.
      beta: Strength, at least 0.

    References:
      Wu et al., 2016, equation 14.
    """
    least = jnp.finfo(coverage.dtype).tiny
    logs = jnp.log(jnp.clip(coverage, least, 1.0))
    return beta * jnp.sum(jnp.where(mask[:, None], logs, 0.0), axis=-1)


def coverage_summary(
    coverage: Float[Array, "batch width source"], mask: Bool[Array, "batch source"], beta: float
) -> Float[Array, "batch width"]:
    """Returns `-beta * sum_j max(coverage_j - 1, 0)`: what was looked at more than once costs.

    Equal to OpenNMT-py's `summary`, `beta * (sum_j max(coverage_j, 1) - source length)`, taken off.

    References:
      Gehrmann, Deng & Rush, "Bottom-up abstractive summarization", 2018, section 4.3.
    """
    more = jnp.maximum(coverage - 1.0, 0.0)
    return -beta * jnp.sum(jnp.where(mask[:, None], more, 0.0), axis=-1)

"""Several models that search as one: ensembles, and a language model beside."""

from collections.abc import Sequence
from typing import Literal

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from seqjax.decode.distribution import normalised
from seqjax.decode.protocol import StepFn

MeanKind = Literal["log_probs", "probs"]


def ensemble(
    step_fns: Sequence[StepFn],
    weights: Sequence[float] | None = None,
    *,
    mean: MeanKind = "log_probs",
) -> StepFn:
    """Returns a step function over several models of one vocabulary; its state is theirs, a tuple.

    Of one model it is that model. With weights w that add up to 1, `log_probs` is
    `sum_m w_m log p_m` (the product of experts: what one forbids is forbidden; a search normalises
    it), `probs` is `log sum_m w_m p_m`.

    Args:
      step_fns: The models.
      weights: At least 0, of any sum above 0; equal where not given.
      mean: Which mean.

    Raises:
      ValueError: If there are no models, or not one weight for each, or weights that cannot be.
    """
    weights = [1.0] * len(step_fns) if weights is None else list(weights)
    if not step_fns or len(weights) != len(step_fns):
        raise ValueError(f"weights must be one a model, got {len(weights)} for {len(step_fns)}")
    if min(weights) < 0 or not sum(weights) > 0:
        raise ValueError(f"weights must be at least 0 and not all 0, got {weights}")
    shares = [weight / sum(weights) for weight in weights]

    def step_fn(tokens: Int[Array, " rows"], state: tuple):
        said = [one(tokens, part) for one, part in zip(step_fns, state, strict=True)]
        if len(said) == 1:
            return said[0][0], (said[0][1],)
        log_probs = [normalised(logits) for logits, _ in said]
        return _mean(log_probs, shares, mean), tuple(part for _, part in said)

    return step_fn


def fuse(
    step_fn: StepFn, language_step_fn: StepFn, weight: float, ids: Int[Array, " vocab"]
) -> StepFn:
    """Returns a step function that listens to a language model, too; its state is both of theirs.

    `log p(y | x) + weight * log p_language(y)` (shallow fusion), which a search normalises.

    Args:
      step_fn: The model.
      language_step_fn: The language model.
      weight: Of its log-probabilities; 0 leaves the model alone.
      ids: What each token of the model is to the language model.

    References:
      Gulcehre et al., "On using monolingual corpora in neural machine translation", 2015.
    """

    def both(tokens: Int[Array, " rows"], state: tuple):
        logits, mine = step_fn(tokens, state[0])
        said, theirs = language_step_fn(ids[tokens], state[1])
        heard = jnp.where(weight == 0, 0.0, weight * normalised(said)[:, ids])
        return normalised(logits) + heard, (mine, theirs)

    return both


def _mean(
    log_probs: Sequence[Float[Array, "rows vocab"]], shares: Sequence[float], mean: MeanKind
) -> Float[Array, "rows vocab"]:
    # A share of 0 leaves a model out, also where it forbids: 0 times -inf is no number.
    counted = [(values, share) for values, share in zip(log_probs, shares, strict=True) if share]
    match mean:
        case "log_probs":
            parts = [share * values for values, share in counted]
            return sum(parts[1:], parts[0])
        case "probs":
            stacked = jnp.stack([values + jnp.log(share) for values, share in counted])
            return jax.nn.logsumexp(stacked, axis=0)

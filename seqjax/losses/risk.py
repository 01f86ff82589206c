"""What the answers of a model cost on average."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int


def expected_costs(
    log_probs: Float[Array, "batch candidates"],
    costs: Float[Array, "batch candidates"],
    counts: Bool[Array, "batch candidates"],
    *,
    alpha: float = 1.0,
) -> Float[Array, " batch"]:
    r"""Returns the mean cost of each row's candidates under the model's own probabilities.

    The probability of a candidate is :math:`P(y)^\alpha` over the sum of those of all that count:
    with a small :math:`\alpha` they are nearly alike, with 1 and all possible answers the mean is
    the expectation. Of a row of which none counts it is 0.

    Args:
      log_probs: Of whole candidates, in nats.
      costs: Of each; no gradient flows to them.
      counts: Which count. Candidates that are the same must count once; see `are_new`.
      alpha: Sharpness.

    References:
      Shen et al., "Minimum risk training for neural machine translation", 2016, equations (11) and
      (12); Edunov et al., "Classical structured prediction losses for sequence to sequence
      learning", 2018, section 3.2.
    """
    any_counts = jnp.any(counts, axis=1, keepdims=True)
    scaled = jnp.where(counts, alpha * jnp.where(counts, log_probs, 0.0), -jnp.inf)
    shares = jax.nn.softmax(jnp.where(any_counts, scaled, 0.0), axis=1)
    costs = jnp.where(counts, jax.lax.stop_gradient(costs), 0.0)
    return jnp.sum(shares * costs, axis=1)


def are_new(tokens: Int[Array, "batch candidates time"]) -> Bool[Array, "batch candidates"]:
    """Returns which candidates of a row are the first of their kind.

    Args:
      tokens: The same id at all that is padding.

    >>> are_new(jnp.array([[[5, 0], [5, 6], [5, 0]]])).tolist()
    [[True, True, False]]
    """
    same = jnp.all(tokens[:, :, None] == tokens[:, None, :], axis=-1)
    return ~jnp.any(jnp.tril(same, -1), axis=2)

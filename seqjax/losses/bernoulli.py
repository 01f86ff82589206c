"""How unlikely a chord is, each of whose keys sounds or not, independently of the others."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from seqjax.masking import length_mask, where_valid
from seqjax.types import Mean, Padded


def bernoulli_loss(logits: Float[Array, "batch time keys"], targets: Padded) -> Mean:
    r"""Returns the negative log-likelihood, in nats, summed over keys, weighted by valid steps.

    .. math:: \sum_k \log(1 + e^{z_k}) - y_k z_k

    Args:
      logits: z, of each key; what stands at padding changes nothing, not even as NaN.
      targets: y, 0 or 1 for each key at each step; padding may hold anything.

    References:
      Boulanger-Lewandowski, Bengio & Vincent, "Modeling temporal dependencies in high-dimensional
      sequences", 2012, whose measure it is.
    """
    mask = length_mask(targets.lengths, logits.shape[1])
    logits, sounds = where_valid(mask, logits), where_valid(mask, targets.values)
    costs = jnp.sum(jax.nn.softplus(logits) - sounds * logits, axis=-1)
    return Mean(jnp.sum(jnp.where(mask, costs, 0.0)), jnp.sum(mask).astype(jnp.float32))


def loss_after_first(logits: Float[Array, "batch time keys"], targets: Padded) -> Mean:
    """Returns `bernoulli_loss` of all steps but the first of each row, which nothing tells of."""
    rest = Padded(targets.values[:, 1:], jnp.maximum(targets.lengths - 1, 0))
    return bernoulli_loss(logits[:, 1:], rest)


def frame_scores(logits: Float[Array, "batch time keys"], targets: Padded) -> dict[str, Mean]:
    """Returns how well keys that are likelier to sound than not do sound, over all steps together.

    `frame_accuracy` is what is said and sounds, of all that is said or sounds; `frame_f1` the
    harmonic mean of precision and recall. Keys that rightly rest count in neither.

    References:
      Bay, Ehmann & Downie, "Evaluation of multiple-F0 estimation and tracking systems", 2009,
      section 3, for the accuracy.
    """
    mask = length_mask(targets.lengths, logits.shape[1])[..., None]
    said, sounds = (logits > 0) & mask, (targets.values > 0.5) & mask
    right, either = (jnp.sum(keys).astype(jnp.float32) for keys in (said & sounds, said | sounds))
    return {"frame_accuracy": Mean(right, either), "frame_f1": Mean(2 * right, right + either)}


def chord_means(
    logits: Float[Array, "batch time keys"], targets: Padded
) -> tuple[Mean, dict[str, Mean]]:
    """Returns the loss of chords, and all else that they are measured by."""
    others = {"loss_after_first": loss_after_first(logits, targets)}
    return bernoulli_loss(logits, targets), others | frame_scores(logits, targets)

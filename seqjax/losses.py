"""What training minimises. A loss is a `Mean`: its parts add up to the loss of the whole."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from seqjax.masking import length_mask
from seqjax.types import Mean, Padded


def cross_entropy(
    logits: Float[Array, "batch time vocab"], targets: Padded, *, label_smoothing: float = 0.0
) -> Mean:
    r"""Returns the summed cross-entropy in nats, weighted by the number of valid tokens.

    With smoothing :math:`\epsilon` the target distribution has :math:`1-\epsilon` on the gold token
    plus :math:`\epsilon / V` on every token, the gold one included (the definition of PyTorch and
    optax; fairseq and t5x spread over the other V - 1 only, so that losses are not comparable).

    Args:
      logits: Raw scores. What stands at padding changes nothing, not even as NaN.
      targets: Ids in `[0, vocab)`; padding may hold anything.
      label_smoothing: :math:`\epsilon` in [0, 1).

    References:
      Szegedy et al., "Rethinking the Inception architecture", 2016, section 7.
    """
    mask = length_mask(targets.lengths, logits.shape[1])
    logits = jnp.where(mask[..., None], logits, 0.0)
    log_normaliser = jax.nn.logsumexp(logits, axis=-1)
    gold = jnp.where(mask, targets.values, 0)
    gold_logits = jnp.take_along_axis(logits, gold[..., None], axis=-1)[..., 0]
    loss = log_normaliser - (1 - label_smoothing) * gold_logits
    if label_smoothing:
        loss = loss - label_smoothing * jnp.mean(logits, axis=-1)
    return Mean(jnp.sum(jnp.where(mask, loss, 0.0)), jnp.sum(mask).astype(jnp.float32))


def coverage_loss(
    weights: Float[Array, "batch time source"], lengths: Int[Array, " batch"]
) -> Mean:
    r"""Returns how much attention falls where it had fallen before, per valid target token.

    The sum over source positions of :math:`\min(a_t, \sum_{s<t} a_s)`: 0 if no position is looked
    at twice, at most 1.

    Args:
      weights: Attention of each target token.
      lengths: Valid target tokens of each row.

    References:
      See, Liu & Manning, "Get to the point: summarization with pointer-generator networks", 2017,
      equation (12).
    """
    mask = length_mask(lengths, weights.shape[1])
    weights = jnp.where(mask[..., None], weights, 0.0)
    before = jnp.cumsum(weights, axis=1) - weights
    again = jnp.sum(jnp.minimum(weights, before))
    return Mean(again, jnp.sum(mask).astype(jnp.float32))


def token_accuracy(logits: Float[Array, "batch time vocab"], targets: Padded) -> Mean:
    """Returns how often the most likely token is the right one, given the true ones before it.

    Of equally likely tokens the one with the lowest id counts.
    """
    mask = length_mask(targets.lengths, logits.shape[1])
    # On CPU, two plain reductions take a tenth of the time of an argmax.
    ids = jnp.arange(logits.shape[-1])[None, None]
    is_top = logits == jnp.max(logits, axis=-1, keepdims=True)
    likeliest = jnp.min(jnp.where(is_top, ids, logits.shape[-1]), axis=-1)
    correct = (likeliest == targets.values) & mask
    return Mean(jnp.sum(correct).astype(jnp.float32), jnp.sum(mask).astype(jnp.float32))

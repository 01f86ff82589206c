"""How unlikely the right tokens are, and how often the likeliest token is the right one."""

import functools

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from seqjax.masking import length_mask
from seqjax.types import Mean, Padded


def cross_entropy(
    logits: Float[Array, "batch time vocab"],
    targets: Padded,
    *,
    label_smoothing: float = 0.0,
    others_only: bool = False,
    z_loss: float = 0.0,
) -> Mean:
    r"""Returns the summed cross-entropy in nats, weighted by the number of valid tokens.

    With smoothing :math:`\epsilon` the target distribution has :math:`1-\epsilon` on the gold token
    plus :math:`\epsilon / V` on every token, the gold one included: the definition of PyTorch and
    optax. With `others_only` it is that of fairseq and t5x, :math:`1-\epsilon` on gold and
    :math:`\epsilon / (V - 1)` on every other token, which is the first with
    :math:`\epsilon V / (V - 1)`. Losses of the two are not comparable.

    Args:
      logits: Raw scores. What stands at padding changes nothing, not even as NaN.
      targets: Ids in `[0, vocab)`; padding may hold anything.
      label_smoothing: :math:`\epsilon` in [0, 1).
      others_only: Spread it over the tokens that are not gold.
      z_loss: Times the square of the logarithm of the softmax's normaliser, which is added to the
        loss of every token; it holds the logits near log-probabilities.

    References:
      Szegedy et al., "Rethinking the Inception architecture", 2016, section 7. Chowdhery et al.,
      "PaLM", 2022, section 5, for the z-loss, there with 1e-4.
    """
    mask = length_mask(targets.lengths, logits.shape[1])
    gold = jnp.where(mask, targets.values, 0)
    if others_only:
        label_smoothing *= logits.shape[-1] / (logits.shape[-1] - 1)
    losses = _token_losses(logits.astype(jnp.float32), gold, mask, label_smoothing, z_loss)
    return Mean(jnp.sum(losses), jnp.sum(mask).astype(jnp.float32))


@functools.partial(jax.custom_jvp, nondiff_argnums=(3, 4))
def _token_losses(
    logits: Float[Array, "batch time vocab"],
    gold: Int[Array, "batch time"],
    mask: Bool[Array, "batch time"],
    label_smoothing: float,
    z_loss: float,
) -> Float[Array, "batch time"]:
    """Returns the loss of every token, 0 at padding.

    Its gradient is written down rather than derived: it is `softmax - target distribution`, the
    softmax times `1 + 2 z log Z` with the z-loss; one pass over the logits, and nothing else of
    their size is kept for it.
    """
    return _losses_and_normaliser(logits, gold, mask, label_smoothing, z_loss)[0]


def _losses_and_normaliser(logits, gold, mask, label_smoothing, z_loss):
    normaliser = jax.nn.logsumexp(logits, axis=-1)
    said = jnp.take_along_axis(logits, gold[..., None], axis=-1)[..., 0]
    losses = normaliser - (1 - label_smoothing) * said
    if label_smoothing:
        losses -= label_smoothing * jnp.mean(logits, axis=-1)
    if z_loss:
        losses += z_loss * jnp.square(normaliser)
    return jnp.where(mask, losses, 0.0), normaliser


@_token_losses.defjvp
def _token_losses_jvp(label_smoothing, z_loss, primals, tangents):
    (logits, gold, mask), (d_logits, _, _) = primals, tangents
    losses, normaliser = _losses_and_normaliser(logits, gold, mask, label_smoothing, z_loss)
    is_gold = jnp.arange(logits.shape[-1])[None, None] == gold[..., None]
    spread = label_smoothing / logits.shape[-1]
    wanted = jnp.where(is_gold, 1 - label_smoothing + spread, spread)
    slope = jnp.exp(logits - normaliser[..., None])
    if z_loss:
        slope *= 1 + 2 * z_loss * normaliser[..., None]
    slope -= wanted.astype(logits.dtype)
    slope = jnp.where(mask[..., None], slope, 0.0)
    return losses, jnp.sum(slope * d_logits, axis=-1)


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

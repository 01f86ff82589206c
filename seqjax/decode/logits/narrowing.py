"""What a draw is made from: a sharper or flatter distribution, or only a part of it.

Every filter keeps the likeliest token (but `typical_p`, which keeps the most typical one).
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from seqjax.decode.distribution import best, normalised
from seqjax.decode.protocol import LogitsProcessor


def temperature(value: float) -> LogitsProcessor:
    """Divides the logits: below 1 sharpens the distribution, above 1 flattens it."""
    if not value > 0:
        raise ValueError(f"value must be positive, got {value}")
    return lambda logits, history, lengths: logits if value == 1.0 else logits / value


def top_k(size: int) -> LogitsProcessor:
    """Keeps the `size` most likely tokens, and those that tie with the last of them.

    References:
      Fan, Lewis & Dauphin, "Hierarchical neural story generation", 2018.
    """
    if size < 1:
        raise ValueError(f"size must be at least 1, got {size}")

    def process(logits, history, lengths):
        del history, lengths
        if size >= logits.shape[1]:
            return logits
        threshold = best(logits, size)[0][:, -1:]
        return _kept(logits >= threshold, logits)

    return process


def top_p(mass: float) -> LogitsProcessor:
    """Keeps the fewest most likely tokens that together hold at least `mass`; ties by lower id.

    References:
      Holtzman et al., "The curious case of neural text degeneration", 2020 (nucleus sampling).
    """
    if not 0 < mass <= 1:
        raise ValueError(f"mass must be in (0, 1], got {mass}")

    def process(logits, history, lengths):
        del history, lengths
        if mass == 1:
            return logits
        return _kept(_first_of_mass(-logits, jax.nn.softmax(logits, axis=-1), mass), logits)

    return process


def min_p(share: float) -> LogitsProcessor:
    """Keeps the tokens that are at least `share` times as probable as the likeliest.

    References:
      Nguyen et al., "Turning up the heat: min-p sampling for creative and coherent LLM outputs",
      2024.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share must be in [0, 1], got {share}")

    def process(logits, history, lengths):
        del history, lengths
        if share == 0:
            return logits
        probs = jax.nn.softmax(logits, axis=-1)
        return _kept(probs >= share * jnp.max(probs, axis=-1, keepdims=True), logits)

    return process


def typical_p(mass: float) -> LogitsProcessor:
    """Keeps the fewest tokens of most typical surprise that together hold at least `mass`.

    Typical is a surprise, `-log p`, near the entropy of the distribution; ties by lower id.

    References:
      Meister et al., "Locally typical sampling", 2023.
    """
    if not 0 < mass <= 1:
        raise ValueError(f"mass must be in (0, 1], got {mass}")

    def process(logits, history, lengths):
        del history, lengths
        if mass == 1:
            return logits
        log_probs = normalised(logits)
        probs = jnp.exp(log_probs)
        terms = jnp.where(probs > 0, probs * log_probs, 0.0)
        entropy = -jnp.sum(terms, axis=-1, keepdims=True)
        distance = jnp.abs(-log_probs - entropy)
        return _kept(_first_of_mass(distance, probs, mass), logits)

    return process


def epsilon_cutoff(epsilon: float) -> LogitsProcessor:
    """Keeps the tokens of probability `epsilon` or more.

    References:
      Hewitt, Manning & Liang, "Truncation sampling as language model desmoothing", 2022.
    """
    if not 0 <= epsilon < 1:
        raise ValueError(f"epsilon must be in [0, 1), got {epsilon}")

    def process(logits, history, lengths):
        del history, lengths
        probs = jax.nn.softmax(logits, axis=-1)
        return _kept((probs >= epsilon) | _likeliest(logits), logits)

    return process


def eta_cutoff(epsilon: float) -> LogitsProcessor:
    """Keeps the tokens of probability `min(epsilon, sqrt(epsilon) exp(-entropy))` or more.

    References:
      Hewitt, Manning & Liang, 2022, equation 7.
    """
    if not 0 <= epsilon < 1:
        raise ValueError(f"epsilon must be in [0, 1), got {epsilon}")

    def process(logits, history, lengths):
        del history, lengths
        log_probs = normalised(logits)
        probs = jnp.exp(log_probs)
        terms = jnp.where(probs > 0, probs * log_probs, 0.0)
        entropy = -jnp.sum(terms, axis=-1, keepdims=True)
        eta = jnp.minimum(epsilon, jnp.sqrt(epsilon) * jnp.exp(-entropy))
        return _kept((probs >= eta) | _likeliest(logits), logits)

    return process


def _first_of_mass(
    order_by: Float[Array, "rows vocab"], probs: Float[Array, "rows vocab"], mass: float
) -> Bool[Array, "rows vocab"]:
    """Marks the fewest tokens, by rising `order_by`, whose probabilities add up to `mass`."""
    order = jnp.argsort(order_by, axis=-1, stable=True)
    sorted_probs = jnp.take_along_axis(probs, order, axis=-1)
    before = jnp.cumsum(sorted_probs, axis=-1) - sorted_probs
    return jnp.take_along_axis(before < mass, jnp.argsort(order, axis=-1), axis=-1)


def _likeliest(logits: Float[Array, "rows vocab"]) -> Bool[Array, "rows vocab"]:
    return logits == jnp.max(logits, axis=-1, keepdims=True)


def _kept(
    kept: Bool[Array, "rows vocab"], logits: Float[Array, "rows vocab"]
) -> Float[Array, "rows vocab"]:
    return jnp.where(kept, logits, -jnp.inf)

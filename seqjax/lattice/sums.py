"""Adding probabilities by their logarithms; one of nothing is -inf, and so is the sum of nothings.

None of these is meant to be differentiated: what uses them writes its gradient down.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float


def log_add(one: Float[Array, "*shape"], other: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Returns `log(exp(one) + exp(other))`.

    >>> float(log_add(jnp.log(0.25), jnp.log(0.5))) == float(jnp.log(0.75))
    True
    >>> float(log_add(jnp.array(-jnp.inf), jnp.array(-jnp.inf)))
    -inf
    """
    # Two of -inf are apart by NaN, but they are equal.
    apart = jnp.where(one == other, 0.0, -jnp.abs(one - other))
    return jnp.maximum(one, other) + jnp.log1p(jnp.exp(apart))


def finite_top(values: Float[Array, "batch *rest"]) -> Float[Array, " batch"]:
    """Returns the largest value of each row; 0 where all of them are -inf."""
    top = jnp.max(values, axis=tuple(range(1, values.ndim)))
    return jnp.where(top == -jnp.inf, 0.0, top)


def shares(values: Float[Array, "batch *rest"]) -> Float[Array, "batch *rest"]:
    """Returns probabilities that add up to 1 in each row; all are 0 where all values are -inf."""
    rows = (-1,) + (1,) * (values.ndim - 1)
    probs = jnp.exp(values - finite_top(values).reshape(rows))
    total = jnp.sum(probs, axis=tuple(range(1, values.ndim)))
    return probs / jnp.where(total == 0.0, 1.0, total).reshape(rows)

"""Positive numbers of any size, in single precision: a mantissa and an exponent of its own each.

Sums over paths leave the range of float32 after some dozens of frames. As logarithms they have the
range, but lose digits as they grow, and every sum costs an exponential and a logarithm. Here a sum
costs a shift of exponents, and its error is that of float32 whatever its size. Nothing here is to
be differentiated, and NaN and infinities are none of these numbers.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

NOTHING = -(2**28)
"""Exponent of 0: what is smaller than two to this power is 0. Two of them can be added up."""
LOG_2 = (0.693359375, -2.1219444e-4)
"""Logarithm of 2 in two parts; a multiple of the first by an exponent is exact."""


class Wide(NamedTuple):
    """`mantissa * 2 ** exponent`; the mantissa is 0 or in [1, 2), in sums up to 8."""

    mantissa: Float[Array, "*shape"]
    exponent: Int[Array, "*shape"]


def of_log(values: Float[Array, "*shape"]) -> Wide:
    """Returns `exp(values)`; -inf gives 0, as does all below -1.8e8."""
    is_none = values <= NOTHING * sum(LOG_2)
    values = jnp.where(is_none, 0.0, values)
    exponent = jnp.floor(values / sum(LOG_2))
    rest = (values - exponent * LOG_2[0]) - exponent * LOG_2[1]
    mantissa = jnp.where(is_none, 0.0, jnp.exp(rest))
    return Wide(mantissa, jnp.where(is_none, NOTHING, exponent.astype(jnp.int32)))


def log(number: Wide) -> Float[Array, "*shape"]:
    """Returns the natural logarithm; of 0 it is -inf.

    >>> round(float(log(of_log(jnp.float32(-3000.25)))), 3)
    -3000.25
    """
    exponent = number.exponent.astype(jnp.float32)
    found = exponent * LOG_2[0] + (exponent * LOG_2[1] + jnp.log(number.mantissa))
    return jnp.where(number.mantissa == 0.0, -jnp.inf, found)


def add(one: Wide, other: Wide) -> Wide:
    """Returns the sum, of which the mantissa is left as it comes out."""
    top = jnp.maximum(one.exponent, other.exponent)
    mine, others = (each.mantissa * _power(each.exponent - top) for each in (one, other))
    return Wide(mine + others, top)


def times(one: Wide, other: Wide) -> Wide:
    """Returns the product, with its mantissa in [1, 2) again."""
    mantissa = one.mantissa * other.mantissa
    bits = jax.lax.bitcast_convert_type(mantissa, jnp.int32)
    exponent = one.exponent + other.exponent + (bits >> 23) - 127
    unit = jax.lax.bitcast_convert_type((bits & 0x7FFFFF) | 0x3F800000, jnp.float32)
    is_none = (mantissa == 0.0) | (exponent <= NOTHING)
    return Wide(jnp.where(is_none, 0.0, unit), jnp.where(is_none, NOTHING, exponent))


def share(one: Wide, other: Wide, whole: Wide) -> Float[Array, "*shape"]:
    """Returns `one * other / whole` as a number of float32; 0 where the whole is 0."""
    power = _power(one.exponent + other.exponent - whole.exponent)
    of_one = 1.0 / jnp.where(whole.mantissa == 0.0, jnp.inf, whole.mantissa)
    return one.mantissa * other.mantissa * of_one * power


def _power(exponent: Int[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Returns `2 ** exponent`; below `2 ** -100`, where none counts, it is that."""
    bits = (jnp.clip(exponent, -100, 100) + 127) << 23
    return jax.lax.bitcast_convert_type(bits, jnp.float32)

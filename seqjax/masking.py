"""Lengths and masks: the one place that knows what padding is. `mask` is True where valid."""

import jax.numpy as jnp
from jaxtyping import Array, Bool, Int, Shaped


def length_mask(lengths: Int[Array, " batch"], time: int) -> Bool[Array, "batch time"]:
    """Returns True at the first `lengths[b]` of `time` steps of each row.

    >>> length_mask(jnp.array([2, 0]), 3).tolist()
    [[True, True, False], [False, False, False]]
    """
    return jnp.arange(time, dtype=lengths.dtype)[None] < lengths[:, None]


def where_valid(
    mask: Bool[Array, "batch time"], values: Shaped[Array, "batch time *features"]
) -> Shaped[Array, "batch time *features"]:
    """Returns `values` with exact zeros at padding, in the value and in the gradient."""
    mask = mask.reshape(mask.shape + (1,) * (values.ndim - 2))
    return jnp.where(mask, values, jnp.zeros((), values.dtype))


def where_rows(
    condition: Bool[Array, "*rows"],
    true: Shaped[Array, "*all"],
    false: Shaped[Array, "*all"],
) -> Shaped[Array, "*all"]:
    """Returns `true` in rows of which the condition holds, else `false`; rows are the first axes.

    >>> where_rows(jnp.array([True, False]), jnp.ones((2, 2)), jnp.zeros((2, 2))).tolist()
    [[1.0, 1.0], [0.0, 0.0]]
    """
    condition = condition.reshape(condition.shape + (1,) * (true.ndim - condition.ndim))
    return jnp.where(condition, true, false)


def last_valid(
    values: Shaped[Array, "batch time *features"], lengths: Int[Array, " batch"]
) -> Shaped[Array, "batch *features"]:
    """Returns each row's value at its last valid step; zeros for a row of length 0."""
    index = jnp.maximum(lengths - 1, 0).reshape((-1,) + (1,) * (values.ndim - 1))
    picked = jnp.take_along_axis(values, index, axis=1)[:, 0]
    empty = (lengths == 0).reshape((-1,) + (1,) * (values.ndim - 2))
    return jnp.where(empty, jnp.zeros((), values.dtype), picked)


def reverse_within_lengths(
    values: Shaped[Array, "batch time *features"], lengths: Int[Array, " batch"]
) -> Shaped[Array, "batch time *features"]:
    """Reverses the valid part of each row and leaves its padding where it is.

    >>> reverse_within_lengths(jnp.array([[1, 2, 3, 9], [4, 5, 9, 9]]), jnp.array([3, 2])).tolist()
    [[3, 2, 1, 9], [5, 4, 9, 9]]
    """
    time = values.shape[1]
    positions = jnp.arange(time)[None]
    mirrored = lengths[:, None] - 1 - positions
    index = jnp.where(mirrored >= 0, mirrored, positions)
    return jnp.take_along_axis(
        values, index.reshape(index.shape + (1,) * (values.ndim - 2)), axis=1
    )


def shift_right(tokens: Int[Array, "batch time"], bos_id: int) -> Int[Array, "batch time"]:
    """Returns what a decoder reads when it is taught `tokens`: BOS first, the last one dropped.

    >>> shift_right(jnp.array([[5, 6, 7]]), bos_id=1).tolist()
    [[1, 5, 6]]
    """
    return jnp.pad(tokens[:, :-1], ((0, 0), (1, 0)), constant_values=bos_id)

"""Entries of a stranger's arrays: there, of the right shape, all of one kind, or told by name."""

from collections.abc import Mapping, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np


def check_entry(
    arrays: Mapping[str, Any], name: str, shape: tuple[int | str, ...], place: str = ""
) -> np.ndarray:
    """Returns a copy of an entry that has the shape; a size given by its name may be any.

    Raises:
      ValueError: If the entry is missing, has another shape, or is not of floating point.

    >>> check_entry({"b": np.zeros(3)}, "b", (4,), "layer 0 ")
    Traceback (most recent call last):
    ValueError: layer 0 b must have shape (4), got (3)
    """
    if name not in arrays:
        raise ValueError(f"{place}{name} must have shape {_shown(shape)}, got no such entry")
    array = np.asarray(arrays[name]).copy()
    pairs = zip(shape, array.shape, strict=False)
    if array.ndim != len(shape) or any(
        isinstance(size, int) and size != got for size, got in pairs
    ):
        raise ValueError(
            f"{place}{name} must have shape {_shown(shape)}, got {_shown(array.shape)}"
        )
    if not jnp.issubdtype(array.dtype, jnp.floating):
        raise ValueError(f"{place}{name} must be of floating point, got {array.dtype}")
    return array


def check_entries(
    arrays: Mapping[str, Any], shapes: Mapping[str, tuple[int | str, ...]], place: str = ""
) -> dict[str, np.ndarray]:
    """Returns copies of entries that are all there, are all that is there, and share one dtype.

    Raises:
      ValueError: As `check_entry`; or if there is an entry more, or dtypes differ.
    """
    checked = {name: check_entry(arrays, name, shape, place) for name, shape in shapes.items()}
    for name in arrays:
        if name not in shapes:
            got = _shown(np.shape(arrays[name]))
            raise ValueError(
                f"{place}{name} must not be there, got one of shape {got}; there is a place for "
                f"{', '.join(shapes)}"
            )
    first = next(iter(checked))
    for name, array in checked.items():
        if array.dtype != checked[first].dtype:
            raise ValueError(
                f"{place}{name} must be {checked[first].dtype} as {first} is, got {array.dtype}"
            )
    return checked


def _shown(shape: Sequence[int | str]) -> str:
    return f"({', '.join(map(str, shape))})"

"""A pytree as named parts of arrays, whatever devices hold them, and back onto any others.

A leaf is named by its path (`params/decoder/bias`). Of an array that is spread over devices each
piece is a part with its offsets (`params/decoder/bias@64`); copies of a piece count once. Structure
is not stored: it is the template's, so that tuples stay tuples and what is empty stays empty.
"""

import math
import re
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import jax
import numpy as np

ReadFn = Callable[[str, tuple[slice, ...]], np.ndarray]
"""`read_fn(leaf, region)` gives that region of a leaf."""


class Leaf(NamedTuple):
    """What a leaf is as a whole; `dtype` is NumPy's name, or that of a kind of random key."""

    shape: tuple[int, ...]
    dtype: str


class Piece(NamedTuple):
    """A block of a leaf: where it begins, and how far it reaches along each axis."""

    start: tuple[int, ...]
    shape: tuple[int, ...]

    @property
    def region(self) -> tuple[slice, ...]:
        return tuple(slice(a, a + n) for a, n in zip(self.start, self.shape, strict=True))


def described(tree: Any) -> dict[str, Leaf]:
    """Returns what the leaves of a tree are, by name.

    Raises:
      ValueError: If two leaves would have one name.
    """
    found: dict[str, Leaf] = {}
    for name, leaf in _named(tree):
        if name in found:
            raise ValueError(f"names of leaves must differ, got {name} twice")
        found[name] = _kind(leaf)
    return found


def parts_of(tree: Any, *, others_have_the_rest: bool = False) -> dict[str, Any]:
    """Returns what this process has to store: arrays on host or device, by name of the part.

    Args:
      tree: Of arrays, random keys and numbers.
      others_have_the_rest: Leave out what every process has a copy of.
    """
    found: dict[str, Any] = {}
    for name, leaf in _named(tree):
        if _is_key(leaf):
            leaf = jax.random.key_data(leaf)
        if not isinstance(leaf, jax.Array):
            if not others_have_the_rest:
                found[name] = np.asarray(leaf)
            continue
        if leaf.is_fully_addressable and others_have_the_rest:
            continue
        for shard in leaf.addressable_shards:
            if shard.replica_id == 0:
                start = tuple(part.start or 0 for part in shard.index)
                whole = shard.data.shape == leaf.shape
                found[name if whole else f"{name}@{','.join(map(str, start))}"] = shard.data
    return found


def located(part: str, shape: tuple[int, ...], leaves: Iterable[str]) -> tuple[str, Piece]:
    """Returns the leaf that a part of that name and shape belongs to, and where it stands in it.

    >>> located("a/b@2,0", (2, 3), {"a/b"})
    ('a/b', Piece(start=(2, 0), shape=(2, 3)))

    Raises:
      ValueError: If there is no such leaf.
    """
    if part in leaves:
        return part, Piece((0,) * len(shape), shape)
    name, at, offsets = part.rpartition("@")
    if name not in leaves or not re.fullmatch(r"\d{1,18}(,\d{1,18})*", offsets):
        raise ValueError(f"{part} is no part of the state")
    start = tuple(map(int, offsets.split(",")))
    if len(start) != len(shape):
        raise ValueError(f"{part} has offsets for {len(start)} axes, got {len(shape)}")
    return name, Piece(start, shape)


def joined(
    pieces: Iterable[tuple[Piece, Callable[[], np.ndarray]]],
    region: tuple[slice, ...],
    dtype: np.dtype,
) -> np.ndarray:
    """Returns a region of a leaf, put together from the pieces that reach into it.

    Args:
      pieces: Blocks that do not overlap, each with what reads it.
      region: With its bounds said.
      dtype: Of all of them.

    Raises:
      ValueError: If the pieces leave a gap in it.
    """
    shape = tuple(part.stop - part.start for part in region)
    missing = math.prod(shape)
    result = None
    for piece, read in pieces:
        if piece.region == region:
            return read()
        overlap = [
            slice(max(a.start, b.start), min(a.stop, b.stop))
            for a, b in zip(piece.region, region, strict=True)
        ]
        if any(part.start >= part.stop for part in overlap):
            continue
        result = np.empty(shape, dtype) if result is None else result
        result[_seen_from(region, overlap)] = read()[_seen_from(piece.region, overlap)]
        missing -= math.prod(part.stop - part.start for part in overlap)
    if missing:
        raise ValueError(f"{missing} numbers are missing")
    return np.empty(shape, dtype) if result is None else result


def placed(template: Any, read_fn: ReadFn) -> Any:
    """Returns a tree like `template`, where its leaves are, with the values that `read_fn` gives.

    Args:
      template: Of the wanted structure, shapes and dtypes; its arrays say which device holds what.
      read_fn: Asked for no more than a device needs.
    """

    def place(path, leaf):
        name = _name(path)
        if _is_key(leaf):
            data = jax.random.key_data(leaf)
            read = read_fn(name, _whole(data.shape))
            keys = jax.random.wrap_key_data(jax.numpy.asarray(read), impl=jax.random.key_impl(leaf))
            return jax.device_put(keys, leaf.sharding)
        shape = np.shape(leaf)
        if not isinstance(leaf, jax.Array):
            values = read_fn(name, _whole(shape))
            return values if isinstance(leaf, np.ndarray) else _scalar(values, leaf)

        def region(index):
            return tuple(
                slice(*part.indices(size)[:2]) for part, size in zip(index, shape, strict=True)
            )

        return jax.make_array_from_callback(
            shape, leaf.sharding, lambda index: read_fn(name, region(index))
        )

    return jax.tree_util.tree_map_with_path(place, template)


def _seen_from(outer: Iterable[slice], inner: Iterable[slice]) -> tuple[slice, ...]:
    return tuple(
        slice(part.start - origin.start, part.stop - origin.start)
        for part, origin in zip(inner, outer, strict=True)
    )


def _scalar(values: np.ndarray, like: Any) -> Any:
    return values[()] if isinstance(like, np.generic) else values.item()


def _whole(shape: tuple[int, ...]) -> tuple[slice, ...]:
    return tuple(slice(0, size) for size in shape)


def _named(tree: Any) -> list[tuple[str, Any]]:
    return [(_name(path), leaf) for path, leaf in jax.tree_util.tree_leaves_with_path(tree)]


def _name(path: Any) -> str:
    return jax.tree_util.keystr(path, simple=True, separator="/")


def _kind(leaf: Any) -> Leaf:
    if _is_key(leaf):
        return Leaf(tuple(jax.random.key_data(leaf).shape), str(leaf.dtype))
    array = leaf if isinstance(leaf, jax.Array) else np.asarray(leaf)
    return Leaf(tuple(array.shape), array.dtype.name)


def _is_key(leaf: Any) -> bool:
    return isinstance(leaf, jax.Array) and jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key)

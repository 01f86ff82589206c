"""Where the arrays of a training lie when several devices, or several processes, share it.

A compiled step is one program over all devices, and says the same whatever their number: arrays are
whole to whoever writes the program, and XLA puts in what the devices have to tell each other. Only
sums are added up in another order.
"""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from seqjax.train.step import TrainState
from seqjax.types import Batch, Part

DATA, MODEL = "data", "model"
"""The mesh's axes: rows of a batch are dealt along the first, vocabularies along the second."""

VocabularyAxisFn = Callable[[tuple[str, ...]], int | None]
"""Path of a weight to that of its axes which is a vocabulary; None if it has none."""


class _Dealt(NamedTuple):
    """A weight that is dealt along `model`: its shape, and which of its axes."""

    shape: tuple[int, ...]
    axis: int


@dataclasses.dataclass(frozen=True)
class Layout:
    """Devices in a mesh, and what of a training lies on which.

    Attributes:
      mesh: Axes `data` and `model`. Devices of a process are neighbours in it.
      vocabulary_axis_fn: Which weights have a vocabulary, and where.
    """

    mesh: Mesh
    vocabulary_axis_fn: VocabularyAxisFn = lambda path: None

    @property
    def rows(self) -> NamedSharding:
        """First axis dealt along `data`."""
        return NamedSharding(self.mesh, PartitionSpec(DATA))

    @property
    def everywhere(self) -> NamedSharding:
        """A copy on each device."""
        return NamedSharding(self.mesh, PartitionSpec())

    @property
    def part(self) -> Part:
        """The rows of a batch that devices of this process hold."""
        own = [device.process_index == jax.process_index() for device in self.mesh.devices.flat]
        lines = np.flatnonzero(np.array(own).reshape(self.mesh.devices.shape).any(axis=1))
        return Part(int(lines[0]) // len(lines), len(self.mesh.devices) // len(lines))

    def of_state(self, state: TrainState) -> TrainState:
        """Returns the sharding of every leaf of a state (arrays, or their shapes and dtypes).

        Weights with a vocabulary are dealt along `model` if it divides it; whatever belongs to a
        weight and has its shape (its moments, its average) lies as it does. Memory is dealt by
        rows. All else is everywhere.
        """
        dealt = self._dealt(state.params)
        found = jax.tree_util.tree_map_with_path(
            lambda path, leaf: self._of_leaf(dealt, path, leaf), state
        )
        return found._replace(memory=jax.tree.map(lambda _: self.rows, state.memory))

    def of_step(self, state: TrainState) -> tuple[tuple[Any, Any, Any], tuple[Any, Any]]:
        """Returns the shardings of a training step: of state, batch and key, and of its results."""
        lie = self.of_state(state)
        return (lie, self.rows, self.everywhere), (lie, self.everywhere)

    def put_rows(self, batch: Batch) -> Batch:
        """Returns on devices a batch of which this process has its own rows only; see `part`."""
        if self.rows.is_fully_addressable:
            return jax.device_put(batch, self.rows)
        count = self.part.count

        def whole(leaf):
            shape = (leaf.shape[0] * count, *leaf.shape[1:])
            return jax.make_array_from_process_local_data(self.rows, leaf, shape)

        return jax.tree.map(whole, batch)

    def put_whole_rows(self, tree: Any) -> Any:
        """Returns on devices what leads with rows, and all processes have whole; rows that cannot
        be dealt evenly lie everywhere."""
        size = self.mesh.shape[DATA]
        where = lambda leaf: self.everywhere if leaf.shape[0] % size else self.rows
        return put(tree, jax.tree.map(where, tree))

    def whole_tables(self, params: Any) -> list[str]:
        """Returns the names of weights with a vocabulary that cannot be dealt along `model`."""
        size = self.mesh.shape[MODEL]
        return [
            "/".join(path)
            for path, leaf in _named(params)
            if (axis := self.vocabulary_axis_fn(path)) is not None and leaf.shape[axis] % size
        ]

    def _dealt(self, params: Any) -> dict[tuple[str, ...], _Dealt]:
        size = self.mesh.shape[MODEL]
        axes = ((path, leaf.shape, self.vocabulary_axis_fn(path)) for path, leaf in _named(params))
        return {
            path: _Dealt(shape, axis)
            for path, shape, axis in axes
            if axis is not None and shape[axis] % size == 0
        }

    def _of_leaf(self, dealt: dict[tuple[str, ...], _Dealt], path: Any, leaf: Any):
        names = _names(path)
        for own, weight in dealt.items():
            if names[-len(own) :] == own and leaf.shape == weight.shape:
                return NamedSharding(self.mesh, PartitionSpec(*(None,) * weight.axis, MODEL))
        return self.everywhere


def make_mesh(data: int, model: int) -> Mesh:
    """Returns the first `data * model` devices as a mesh, those of a process being neighbours.

    Raises:
      ValueError: If there are fewer.
    """
    devices = sorted(jax.devices(), key=lambda device: (device.process_index, device.id))
    if len(devices) < data * model:
        raise ValueError(f"devices must be at least {data} x {model}, got {len(devices)}")
    return Mesh(np.array(devices[: data * model]).reshape(data, model), (DATA, MODEL))


def put(tree: Any, shardings: Any) -> Any:
    """Returns a tree that every process has whole, laid out as `shardings` say.

    Args:
      tree: Arrays of this process, or NumPy's; an array that lies there already stays.
      shardings: One for all leaves, or a tree of them.
    """
    if isinstance(shardings, NamedSharding):
        return jax.tree.map(functools.partial(_put, shardings), tree)
    return jax.tree.map(lambda leaf, sharding: _put(sharding, leaf), tree, shardings)


def gather(tree: Any) -> Any:
    """Returns a tree as arrays of this process's first device; every process calls it.

    What lies there already is not copied.
    """
    leaves, structure = jax.tree.flatten(tree)
    if not all(leaf.is_fully_replicated for leaf in leaves):
        mesh = next(leaf.sharding.mesh for leaf in leaves if not leaf.is_fully_replicated)
        leaves = jax.jit(_same, out_shardings=NamedSharding(mesh, PartitionSpec()))(leaves)
    return structure.unflatten(leaf.addressable_data(0) for leaf in leaves)


def _same(tree: Any) -> Any:
    return tree


def _put(sharding: NamedSharding, leaf: Any) -> jax.Array:
    if isinstance(leaf, jax.Array) and leaf.sharding == sharding:
        return leaf
    if sharding.is_fully_addressable:
        return jax.device_put(leaf, sharding)
    if jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key):
        return jax.random.wrap_key_data(_put(sharding, jax.random.key_data(leaf)))
    whole = np.asarray(leaf)
    return jax.make_array_from_callback(whole.shape, sharding, lambda index: whole[index])


def _named(params: Any) -> list[tuple[tuple[str, ...], Any]]:
    leaves, _ = jax.tree_util.tree_flatten_with_path(params)
    return [(_names(path), leaf) for path, leaf in leaves]


def _names(path: Any) -> tuple[str, ...]:
    return tuple(jax.tree_util.keystr((key,), simple=True) for key in path)

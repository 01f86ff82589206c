"""From files of vectors to where embeddings start, and which of their rows stay as they are."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Bool, Float

from seqjax.build.tables import Tables
from seqjax.config import ModelConfig
from seqjax.data.vectors import Vectors, read_vectors
from seqjax.types import Parameters

Found = Mapping[str, Vectors]
"""What was found for each vocabulary."""
NOTHING_FOUND: Found = MappingProxyType({})


def build_vectors(config: ModelConfig, vocabularies: Mapping[str, Any]) -> Found:
    """Reads the files that `config` names.

    Raises:
      InputError: If one cannot be used; see `read_vectors`.
    """
    return {
        side: read_vectors(path, vocabularies[side].ids, config.embedding_size)
        for side, path in _paths(config, vocabularies).items()
    }


def _paths(config: ModelConfig, vocabularies: Mapping[str, Any]) -> dict[str, str]:
    target = "target" if "target" in vocabularies else "text"
    paths = {"source": config.source_vectors, target: config.target_vectors}
    return {side: path for side, path in paths.items() if path is not None}


def vector_lines(config: ModelConfig, vocabularies: Mapping[str, Any], found: Found) -> list[str]:
    """Returns one line for each vocabulary with vectors: how many of its tokens have one."""
    paths = _paths(config, vocabularies)
    return [
        f"vectors  {len(vectors.rows):,} of {len(vocabularies[side].tokens):,} {side} tokens have "
        f"one in {paths[side]} (standard deviation {np.std(vectors.values):.2f})"
        + (" and keep it" if config.freeze_vectors else "")
        for side, vectors in found.items()
    ]


def start_from(params: Parameters, tables: Tables, found: Found) -> Parameters:
    """Returns the weights with vectors in place of random rows; see `started_table`."""
    for side, vectors in found.items():
        params = _changed(params, tables[side], lambda table, v=vectors: started_table(table, v))
    return params


def started_table(
    table: Float[Array, "vocab width"], vectors: Vectors
) -> Float[Array, "vocab width"]:
    """Returns an embedding that has the vectors in their rows.

    Its other rows are those of `table`, scaled to the vectors' standard deviation: next to much
    longer vectors they would hardly be heard.
    """
    spread = np.std(vectors.values) or np.std(table)  # 0 of a single constant vector
    rows = np.asarray(table) * np.float32(spread / np.std(table))
    rows[vectors.rows] = vectors.values
    return jnp.asarray(rows)


def held_rows(
    config: ModelConfig, vocabularies: Mapping[str, Any], found: Found
) -> dict[str, Bool[Array, " vocab"]]:
    """Returns which rows of each embedding are not to be learnt, if `config` wants any such.

    For a run that goes on nothing is found again: it has the rows from its checkpoint, and here
    only the shapes are right.
    """
    held = {}
    for side in _paths(config, vocabularies) if config.freeze_vectors else ():
        rows = np.zeros(len(vocabularies[side]), bool)
        if side in found:
            rows[found[side].rows] = True
        held[side] = jnp.asarray(rows)
    return held


def hold(held: Mapping[str, Bool[Array, " vocab"]], tables: Tables) -> optax.GradientTransformation:
    """Returns what takes back all updates of the `held` rows.

    They are its state, so that a checkpoint knows them. Their gradients still count in the norm
    that is clipped.
    """

    def update(updates, state, params=None):
        del params
        for side, rows in state.items():
            keep = lambda table, rows=rows: jnp.where(rows[:, None], 0.0, table)
            updates = _changed(updates, tables[side], keep)
        return updates, state

    return optax.GradientTransformation(lambda params: dict(held), update)


def _changed(tree: Any, path: tuple[str, ...], change: Callable[[Any], Any]) -> Any:
    if not path:
        return change(tree)
    return {**tree, path[0]: _changed(tree[path[0]], path[1:], change)}

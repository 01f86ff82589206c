"""A training state as an Orbax checkpoint, and back: for tools that read those.

Training itself writes the sealed directories of `seqjax.rundir.steps`. Orbax keeps arrays in its
own layout; what is written here is one directory that `orbax.checkpoint.StandardCheckpointer`
restores anywhere, and what is read is any such directory whose tree is that of the template.
"""

from pathlib import Path
from typing import Any

import jax
import orbax.checkpoint as ocp

from seqjax.errors import InputError, first_line


def save_orbax(path: Path, tree: Any) -> None:
    """Writes a pytree of arrays (weights, or a whole training state) to a new directory.

    Raises:
      InputError: If something is there already, or it cannot be written.
    """
    if path.exists():
        raise InputError(f"{path}: is there already; choose another or remove it")
    try:
        with ocp.StandardCheckpointer() as checkpointer:
            checkpointer.save(path.absolute(), tree)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be written ({first_line(error)})") from None


def load_orbax(path: Path, template: Any) -> Any:
    """Returns what `save_orbax`, or Orbax itself, wrote: with the template's structure and devices.

    Args:
      path: The directory.
      template: A pytree of arrays of the right shapes and dtypes.

    Raises:
      InputError: If it cannot be read, or holds another tree, other shapes or other dtypes.
    """
    if not path.is_dir():
        raise InputError(f"{path}: there is no such Orbax directory")
    abstract = jax.tree.map(ocp.utils.to_shape_dtype_struct, template)
    try:
        with ocp.StandardCheckpointer() as checkpointer:
            stored = checkpointer.metadata(path.absolute()).item_metadata
            if stored is None:
                raise ValueError("it holds no arrays")
            _refuse_others(path, stored, abstract)
            return checkpointer.restore(path.absolute(), abstract)
    except InputError:
        raise
    except Exception as error:  # a damaged file may surface as nearly anything
        raise InputError(f"{path}: not an Orbax checkpoint of this ({first_line(error)})") from None


def _refuse_others(path: Path, stored: Any, wanted: Any) -> None:
    """Orbax would pad or cut an array of another shape."""
    there, here = _named(stored), _named(wanted)
    for name in sorted(there.keys() | here.keys()):
        if there.get(name) != here.get(name):
            raise InputError(
                f"{path}: {name} is {there.get(name, 'nothing')} there, "
                f"{here.get(name, 'nothing')} here; give the directory of the same model"
            )


def _named(tree: Any) -> dict[str, Any]:
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    return {
        jax.tree_util.keystr(path, simple=True, separator="/"): (tuple(leaf.shape), str(leaf.dtype))
        for path, leaf in leaves
    }

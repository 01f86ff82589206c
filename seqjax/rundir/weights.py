"""`best.safetensors`: weights as safetensors, with a checksum that is looked at when they are read.

Names of nested dicts are joined by "/": `{"decoder": {"bias": b}}` is stored as `decoder/bias`.
"""

import hashlib
import json
import operator
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from seqjax.errors import InputError
from seqjax.files import replacing
from seqjax.rundir.tensors import open_tensors, write_tensors

CHECKSUM = "parameters_sha256"
"""Key of the metadata under which `save_weights` stores the checksum."""


def save_weights(path: Path, params: dict[str, Any], metadata: dict[str, str]) -> None:
    """Writes nested `params` (NumPy or JAX arrays) and `metadata` in one piece.

    An empty dict inside `params` leaves no trace. The metadata gets the checksum of `params`.

    Raises:
      ValueError: If a name is empty or holds a "/", or an array's dtype is not one of NumPy's own
        (weights are kept in float32, whatever a model computes in).
      InputError: If the file cannot be written; an old one is untouched.
    """
    arrays = dict(_flat(params))
    for name, array in arrays.items():
        if array.dtype.kind not in "fiub":
            raise ValueError(f"dtype of {name} must be one of NumPy's own, got {array.dtype}")
    metadata = {**metadata, CHECKSUM: parameters_sha256(params)}
    with replacing(path) as temporary:
        write_tensors(temporary, arrays, metadata)


def load_weights(path: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """Returns `(params, metadata)`: nested dicts of NumPy arrays, and what was stored with them.

    A file of another program, without our checksum, is taken as it is.

    Raises:
      InputError: If the file is missing, cut short, not safetensors, or differs from its checksum.
    """
    try:
        file = open_tensors(path)
    except InputError as error:
        raise InputError(f"{error} or train again") from None
    params = _nested(path, {name: file.read(name) for name in file.entries})
    metadata = file.metadata
    if CHECKSUM in metadata and metadata[CHECKSUM] != parameters_sha256(params):
        raise InputError(
            f"{path}: the weights differ from their checksum; restore the file or train again"
        )
    return params, metadata


def parameters_sha256(params: dict[str, Any]) -> str:
    """Returns the SHA-256 (hex) of all weights: name, dtype, shape and bytes, in order of names.

    Two sets of weights have the same one if and only if they are bit for bit equal, whatever the
    order of their dicts. Bytes count as little-endian.

    >>> zeros, ones = np.zeros(2), np.ones(2)
    >>> parameters_sha256({"a": zeros, "b": ones}) == parameters_sha256({"b": ones, "a": zeros})
    True
    """
    digest = hashlib.sha256()
    for name, array in sorted(_flat(params), key=operator.itemgetter(0)):
        digest.update(json.dumps([name, array.dtype.name, array.shape]).encode())
        digest.update(array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes())
    return digest.hexdigest()


def _flat(params: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, np.ndarray]]:
    for name, value in params.items():
        if not name or "/" in name:
            raise ValueError(f'names in params must be non-empty and without "/", got {name!r}')
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}/")
        else:
            yield prefix + name, np.asarray(value, order="C")


def _nested(path: Path, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    params: dict[str, Any] = {}
    for name, array in arrays.items():
        *parents, leaf = name.split("/")
        inner = params
        for parent in parents:
            inner = inner.setdefault(parent, {})
            if not isinstance(inner, dict):
                raise InputError(f"{path}: {name} stands below another weight, {parent}")
        inner[leaf] = array
    return params

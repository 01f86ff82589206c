"""safetensors files: written array by array, and read with nothing taken on trust.

A file is eight bytes (the length of the header, little-endian), a JSON header of `name: {dtype,
shape, data_offsets}`, and the arrays one after another. The header is held against the size of the
file before memory is taken for an array; nothing in it is executed. The safetensors package reads
and writes the same files, but knows no bfloat16 in NumPy and wants all of it in memory at once.
"""

import json
import math
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import ml_dtypes
import numpy as np

from seqjax.errors import InputError, first_line
from seqjax.files import open_regular, parse_json

DTYPES = {
    "BOOL": np.dtype(np.bool_),
    **{f"I{bits}": np.dtype(f"i{bits // 8}") for bits in (8, 16, 32, 64)},
    **{f"U{bits}": np.dtype(f"u{bits // 8}") for bits in (8, 16, 32, 64)},
    **{f"F{bits}": np.dtype(f"f{bits // 8}") for bits in (16, 32, 64)},
    "BF16": np.dtype(ml_dtypes.bfloat16),
    "F8_E4M3": np.dtype(ml_dtypes.float8_e4m3fn),
    "F8_E5M2": np.dtype(ml_dtypes.float8_e5m2),
    "C64": np.dtype(np.complex64),
}
NAMES = {dtype: name for name, dtype in DTYPES.items()}
LONGEST_HEADER = 100_000_000
"""Bytes; the same as in the safetensors package."""


class Entry(NamedTuple):
    """Where in a file an array stands; offsets in bytes from the first array."""

    dtype: np.dtype
    shape: tuple[int, ...]
    start: int
    stop: int


class Tensors(NamedTuple):
    """What a file says that it holds, which is as much as there is.

    Attributes:
      path: The file.
      entries: By name.
      metadata: Texts that were stored with the arrays.
      first: Offset of the first array.
    """

    path: Path
    entries: dict[str, Entry]
    metadata: dict[str, str]
    first: int

    def read(self, name: str) -> np.ndarray:
        """Returns one array.

        Raises:
          InputError: If the file has become shorter.
        """
        entry = self.entries[name]
        array = np.empty(entry.shape, entry.dtype)
        content = array.reshape(-1).view(np.uint8).data
        try:
            with open_regular(self.path) as file:
                file.seek(self.first + entry.start)
                got = file.readinto(content)
        except OSError as error:
            raise InputError(f"{self.path}: cannot be read ({first_line(error)})") from None
        if got != len(content):
            raise InputError(f"{self.path}: ends within {name}; restore the file")
        return array


def write_tensors(path: Path, arrays: Mapping[str, Any], metadata: Mapping[str, str]) -> None:
    """Writes arrays (anything that NumPy makes one of, with `shape` and `dtype`), one at a time.

    Raises:
      ValueError: If a dtype has no name in the format, before anything is written.
      OSError: If the file cannot be written.
    """
    header: dict[str, Any] = {"__metadata__": dict(metadata)}
    start = 0
    for name, array in arrays.items():
        dtype = np.dtype(array.dtype).newbyteorder("<")
        if dtype not in NAMES:
            raise ValueError(f"dtype of {name} must be one of safetensors', got {dtype}")
        stop = start + math.prod(array.shape) * dtype.itemsize
        header[name] = {
            "dtype": NAMES[dtype],
            "shape": list(array.shape),
            "data_offsets": [start, stop],
        }
        start = stop
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little"))
        file.write(text)
        for array in arrays.values():
            whole = np.ascontiguousarray(array)
            file.write(whole.astype(whole.dtype.newbyteorder("<"), copy=False).tobytes())
        file.flush()
        os.fsync(file.fileno())


def open_tensors(path: Path) -> Tensors:
    """Returns what the file holds; of the arrays nothing is read yet.

    Raises:
      InputError: If it cannot be read, or is anything but a whole safetensors file.
    """
    try:
        with open_regular(path) as file:
            size = os.fstat(file.fileno()).st_size
            length = int.from_bytes(file.read(8), "little")
            if not 2 <= length <= min(size - 8, LONGEST_HEADER):
                raise ValueError(f"a header of {length:,} bytes in a file of {size:,}")
            document = parse_json(file.read(length))
        return _checked(path, document, 8 + length, size - 8 - length)
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path}: cannot be read as safetensors ({first_line(error)}); restore the file"
        ) from None


def _checked(path: Path, document: Any, first: int, size: int) -> Tensors:
    if not isinstance(document, dict):
        raise ValueError("the header is no object")
    metadata = document.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(type(text) is str for text in metadata.values()):
        raise ValueError("metadata must be texts")
    entries = {name: _entry(name, said) for name, said in document.items()}
    end = 0
    for name, entry in sorted(entries.items(), key=lambda item: item[1][2:]):
        if entry.start != end:
            raise ValueError(f"{name[:60]!r} begins at byte {entry.start}, not at {end}")
        end = entry.stop
    if end != size:
        raise ValueError(f"arrays of {end:,} bytes in {size:,}")
    return Tensors(path, entries, metadata, first)


def _entry(name: str, said: Any) -> Entry:
    short = re.sub(r"\s", " ", name[:60])
    if not isinstance(said, dict) or said.keys() != {"dtype", "shape", "data_offsets"}:
        raise ValueError(f"{short!r} must have dtype, shape and data_offsets")
    dtype, shape, offsets = said["dtype"], said["shape"], said["data_offsets"]
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise ValueError(f"{short!r} has an unknown dtype")
    for numbers in (shape, offsets):
        if not isinstance(numbers, list) or not all(type(n) is int and n >= 0 for n in numbers):
            raise ValueError(f"{short!r} must have a shape and offsets of whole numbers")
    if len(offsets) != 2 or len(shape) > 32 or math.prod(max(size, 1) for size in shape) >= 2**58:
        raise ValueError(f"{short!r} has an impossible shape or offsets")
    if offsets[1] - offsets[0] != math.prod(shape) * DTYPES[dtype].itemsize:
        raise ValueError(f"{short!r} claims a shape that its bytes do not fill")
    return Entry(DTYPES[dtype], tuple(shape), *offsets)

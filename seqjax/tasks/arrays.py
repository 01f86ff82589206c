"""What a baseline has learnt as arrays, and back from arrays that anybody may have written."""

from collections.abc import Collection, Iterable
from typing import Any

import numpy as np

Arrays = dict[str, Any]
"""Arrays by name, or more of them by name: what `save_weights` stores."""


def check_names(arrays: Any, names: Collection[str], where: str = "the file") -> None:
    """Raises ValueError unless these are the names of what there is."""
    found = set(arrays) if isinstance(arrays, dict) else set()
    for name in sorted(found ^ set(names)):
        raise ValueError(f"{where} {'lacks' if name in names else 'has'} {name[:40]!r}")


def array(arrays: Arrays, name: str, dtype: type, shape: tuple[int | None, ...]) -> np.ndarray:
    """Returns one array, if it is as expected; None in a shape is any size.

    Raises:
      ValueError: If it is not, or holds a number that is not finite.
    """
    found = arrays[name]
    if not isinstance(found, np.ndarray):
        raise ValueError(f"{name} must be an array")
    fits = len(found.shape) == len(shape) and all(
        want in (None, got) for got, want in zip(found.shape, shape, strict=True)
    )
    if found.dtype != dtype or not fits:
        wanted = str(tuple("any" if size is None else size for size in shape)).replace("'", "")
        raise ValueError(
            f"{name} must be {np.dtype(dtype)} of shape {wanted}, got {found.dtype} of shape "
            f"{found.shape}"
        )
    if found.dtype.kind == "f" and not np.isfinite(found).all():
        raise ValueError(f"{name} must be finite")
    return found


def check_within(name: str, found: np.ndarray, low: float | int, high: float | int) -> None:
    """Raises ValueError unless all numbers are in [low, high]."""
    if found.size and not (found.min() >= low and found.max() <= high):
        raise ValueError(f"{name} must be in [{low}, {high}]")


def whole(arrays: Arrays, name: str, low: int, high: int) -> int:
    """Returns a single number in [low, high].

    Raises:
      ValueError: If it is anything else.
    """
    found = array(arrays, name, np.int64, ())
    check_within(name, found, low, high)
    return int(found)


def from_words(words: Iterable[str]) -> Arrays:
    """Returns texts as arrays: their UTF-8 end to end, and where each ends.

    >>> from_words(["ab", "", "c"])["ends"].tolist()
    [2, 2, 3]
    """
    parts = [word.encode("utf-8", "surrogatepass") for word in words]
    ends = np.cumsum([len(part) for part in parts], dtype=np.int64)
    return {"text": np.frombuffer(b"".join(parts), np.uint8), "ends": ends}


def to_words(arrays: Arrays, name: str, *, distinct: bool = True) -> list[str]:
    """Returns the texts that `from_words` was given.

    Raises:
      ValueError: If they are no such arrays, or a text comes twice where none should.
    """
    found = arrays[name]
    check_names(found, ("text", "ends"), name)
    text, ends = (array(found, part, kind, (None,)) for part, kind in _PARTS)
    bounds = [0, *ends.tolist()]
    if bounds[-1] != len(text) or bounds != sorted(bounds):
        raise ValueError(f"{name} must end where its texts do")
    content = text.tobytes()
    words = [
        content[start:stop].decode("utf-8", "surrogatepass")
        for start, stop in zip(bounds, bounds[1:], strict=False)
    ]
    if distinct and len(set(words)) < len(words):
        raise ValueError(f"{name} must be different texts")
    return words


_PARTS = (("text", np.uint8), ("ends", np.int64))

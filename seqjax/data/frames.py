"""Sources that are vectors: a name stands for steps of equally many numbers.

Names are of files, or of what is made (`seqjax/data/embedded/names.py`). Nothing is read but sound
and what NumPy stores without pickle.
"""

import functools
import tokenize
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, get_args

import numpy as np

from seqjax.config.data import VectorKind
from seqjax.data.embedded.made import made_array, made_recording
from seqjax.data.embedded.names import made_name
from seqjax.data.sound import Recording, frame_count, log_mel, read_recording
from seqjax.data.stored import digest, read_document, write_document
from seqjax.errors import InputError

_UNREADABLE = (
    *(ValueError, EOFError, MemoryError, SyntaxError, tokenize.TokenError),
    *(zipfile.BadZipFile, zlib.error, RuntimeError),
)
"""What NumPy raises of files that are damaged, encrypted or say that they are huge."""


class Frames:
    """How the vectors of one side are read: normalised by the mean and spread of training.

    Attributes:
      kind: What is read.
      mean, spread: `[features]` of the steps of training; features that never change have spread 1.
      rate: Samples a second of all recordings; 0 of arrays.
      pad_id: What padding is filled with.
    """

    pad_id = 0

    def __init__(self, kind: VectorKind, mean: Sequence[float], spread: Sequence[float], rate: int):
        self.kind: VectorKind = kind
        self.mean, self.spread = np.array(mean, np.float32), np.array(spread, np.float32)
        self.rate = rate

    @classmethod
    def build(cls, names: Iterable[str], kind: VectorKind, *, bands: int) -> "Frames":
        """Returns how to read what is like these.

        Args:
          names: The training sources.
          kind: What they are.
          bands: Features of each frame of sound.

        Raises:
          InputError: If one cannot be read, or they have not equally many features or samples a
            second.
        """
        count, total, squares, first = 0, 0.0, 0.0, None
        for name in names:
            if first is None:
                rate = recording_of(name).rate if kind == "sound" else 0
                width = bands if kind == "sound" else read_array(name).shape[1]
                first = cls(kind, [0.0] * width, [1.0] * width, rate)
            frames = first.encode(name).astype(np.float64)
            count, total = count + len(frames), total + frames.sum(axis=0)
            squares = squares + np.square(frames).sum(axis=0)
        assert first is not None
        mean = total / count
        spread = np.sqrt(np.maximum(squares / count - np.square(mean), 0.0))
        spread = np.where(spread > 1e-6 * np.maximum(np.abs(mean), 1.0), spread, 1.0)
        return cls(kind, np.asarray(mean).tolist(), spread.tolist(), first.rate)

    def __len__(self) -> int:
        """Features of a step."""
        return len(self.mean)

    def encode(self, text: str) -> np.ndarray:
        """Returns the `[time, features]` steps that a name stands for, normalised, float32.

        Raises:
          InputError: If there is no such thing, or it is not like those of training.
        """
        if self.kind == "sound":
            recording = recording_of(text)
            _refuse_unlike(text, self.kind, recording.rate, self.common)
            frames = log_mel(recording, len(self))
        else:
            frames = read_array(text)
            _refuse_unlike(text, self.kind, frames.shape[1], self.common)
        return (frames - self.mean) / self.spread

    @property
    def common(self) -> int:
        """What all of one kind have alike: samples a second, or features a step."""
        return self.rate if self.kind == "sound" else len(self)

    def length(self, text: str) -> int:
        """Returns how many steps a name stands for."""
        if self.kind == "arrays":
            return len(read_array(text))
        recording = recording_of(text)
        return frame_count(len(recording.samples), recording.rate)

    def cut(self, text: str) -> list[str]:
        """Returns what to call the steps: their numbers."""
        return [str(number) for number in range(self.length(text))]

    def join(self, tokens: Sequence[str]) -> str:
        """Returns what to call several steps: the first of them."""
        return tokens[0]

    def fingerprint(self) -> str:
        """Returns the SHA-256 of all that decides what a name is read as, in hexadecimal."""
        return digest(self._document())

    def save(self, directory: Path, name: str) -> None:
        """Writes `<name>.json` into `directory`."""
        write_document(self._document(), directory, name)

    @classmethod
    def load(cls, directory: Path, name: str) -> "Frames":
        """Reads what `save` wrote.

        Raises:
          InputError: If it is not as `save` writes it.
        """
        path = directory / f"{name}.json"
        match read_document(path):
            case {
                "format_version": 1,
                "kind": kind,
                "mean": [_, *_] as mean,
                "spread": [_, *_] as spread,
                "rate": int() as rate,
            } if (
                kind in get_args(VectorKind)
                and len(mean) == len(spread)
                and all(type(value) is float for value in (*mean, *spread))
                and np.isfinite([*mean, *spread]).all()
                and min(spread) > 0
            ):
                return cls(kind, mean, spread, rate)
        raise InputError(f"{path}: not how vectors are read; restore the file")

    def _document(self) -> dict[str, Any]:
        numbers = {"mean": self.mean.tolist(), "spread": self.spread.tolist()}
        return {"kind": self.kind, **numbers, "rate": self.rate}


class Likeness:
    """Says of one name after the other why what it stands for cannot be read, or is not like the
    others."""

    def __init__(self, kind: VectorKind, common: int | None = None):
        """Args:
        kind: What is read.
        common: See `Frames.common`; by default that of the first that can be read.
        """
        self._kind: VectorKind = kind
        self._common = common

    def trouble(self, name: str) -> str | None:
        """Returns why, or None if nothing is wrong with it."""
        try:
            sound = self._kind == "sound"
            found = recording_of(name).rate if sound else read_array(name).shape[1]
            self._common = self._common or found
            _refuse_unlike(name, self._kind, found, self._common)
        except InputError as error:
            return str(error)
        return None


def _refuse_unlike(name: str, kind: VectorKind, found: int, common: int) -> None:
    if found == common:
        return
    if kind == "sound":
        raise InputError(
            f"{name}: has {found} samples a second, those of training {common}; resample it"
        )
    raise InputError(f"{name}: has {found} features a step, those of training have {common}")


def recording_of(name: str) -> Recording:
    """Returns the recording that a name stands for, of a file or made.

    Raises:
      InputError: As `read_recording`, or if it is an array.
    """
    made = made_name(name)
    if made is None and (name.endswith(".npy") or ".npz#" in name):
        raise InputError(f"{name}: is an array, no recording; --task describe reads it")
    return read_recording(Path(name)) if made is None else made_recording(*made)


def read_array(name: str) -> np.ndarray:
    """Returns the `[time, features]` numbers that a name stands for, float32.

    Args:
      name: `FILE.npy`, or `FILE.npz#NAME`; or of what is made.

    Raises:
      InputError: If there is no such array, or it is none of finite numbers.
    """
    made = made_name(name)
    if made is not None:
        return made_array(*made)
    path, _, key = name.partition("#")
    try:
        found = _member(Path(path), key) if path.endswith(".npz") else _alone(Path(path))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None
    except _UNREADABLE:
        raise InputError(f"{path}: is not an array of NumPy (.npy, or .npz#NAME)") from None
    if found.ndim != 2 or found.dtype.kind not in "fiub" or not found.size:
        raise InputError(
            f"{name}: must be numbers [time, features], got {found.dtype} of shape "
            f"{list(found.shape)}"
        )
    found = np.asarray(found, np.float32)
    if not np.isfinite(found).all():
        raise InputError(f"{name}: holds numbers that are not finite")
    return found


def _alone(path: Path) -> np.ndarray:
    with path.open("rb") as file:
        return np.lib.format.read_array(file, allow_pickle=False)


@functools.lru_cache(maxsize=8)
def _archive(path: Path, changed: int) -> Any:
    return np.load(path, allow_pickle=False)


def _member(path: Path, key: str) -> np.ndarray:
    archive = _archive(path, path.stat().st_mtime_ns)
    if key not in archive:
        some = ", ".join(archive.files[:4])
        raise InputError(f"{path}: has no array {key!r} (it has {some}); name it as FILE.npz#NAME")
    if not isinstance(found := archive[key], np.ndarray):
        raise ValueError("a member that is no array")
    return found

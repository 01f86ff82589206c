"""Targets that are numbers: read strictly, and normalised by mean and spread of training."""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from seqjax.data.stored import digest, read_document, write_document
from seqjax.errors import InputError


def read_figure(text: str) -> float:
    """Returns the number that a text is.

    Raises:
      ValueError: If it is none, or not finite.

    >>> read_figure(" -1.5e3 ")
    -1500.0
    """
    try:
        found = float(text) if text.isascii() and "_" not in text else None
    except ValueError:
        found = None
    if found is None:
        raise ValueError(f"{text.strip()[:30]!r} is not a number")
    if not math.isfinite(found):
        raise ValueError(f"{text.strip()[:30]!r} is not finite")
    return found


class Figures:
    """How the numbers of one side are read.

    Attributes:
      mean, spread: Of the numbers of training; numbers that are all the same have spread 1.
      specials, tokens: Of a vocabulary; there are none.
      pad_id: What padding is filled with.
    """

    specials, pad_id, tokens = 0, 0, ()

    def __init__(self, mean: float, spread: float):
        self.mean, self.spread = mean, spread

    @classmethod
    def build(cls, texts: Iterable[str]) -> "Figures":
        """Returns how to read what is like these.

        Raises:
          InputError: If they are so large that they have no mean.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            numbers = np.array([read_figure(text) for text in texts])
            mean, spread = float(numbers.mean()), float(numbers.std())
        if not (math.isfinite(mean) and math.isfinite(spread)):
            raise InputError("the numbers of training are too large to be added; scale them")
        return cls(mean, spread if spread > 1e-9 * max(abs(mean), 1e-9) else 1.0)

    def __len__(self) -> int:
        """Numbers of a target."""
        return 1

    def encode(self, text: str) -> np.ndarray:
        """Returns `[1, 1]` the number of a text, normalised, float32."""
        return np.array([[(read_figure(text) - self.mean) / self.spread]], np.float32)

    def decode(self, number: float) -> str:
        """Returns the text of a normalised number, in the units of the file."""
        return f"{self.mean + self.spread * float(number):.7g}"

    def unknown(self, text: str) -> None:
        """No number is unknown."""

    def cut(self, text: str) -> list[str]:
        """Returns the one step of a target."""
        return [text]

    def join(self, tokens: Sequence[str]) -> str:
        """Returns the text of the one step of a target."""
        return "".join(tokens)

    def fingerprint(self) -> str:
        """Returns the SHA-256 of all that decides what a number is read as, in hexadecimal."""
        return digest(self._document())

    def save(self, directory: Path, name: str) -> None:
        """Writes `<name>.json` into `directory`."""
        write_document(self._document(), directory, name)

    @classmethod
    def load(cls, directory: Path, name: str) -> "Figures":
        """Reads what `save` wrote.

        Raises:
          InputError: If it is not as `save` writes it.
        """
        path = directory / f"{name}.json"
        match read_document(path):
            case {
                "format_version": 1,
                "kind": "number",
                "mean": float() as mean,
                "spread": float() as spread,
            } if math.isfinite(mean) and 0 < spread < math.inf:
                return cls(mean, spread)
        raise InputError(f"{path}: not how numbers are read; restore the file")

    def _document(self) -> dict[str, Any]:
        return {"kind": "number", "mean": self.mean, "spread": self.spread}

"""Rows of tokens of unequal length, end to end in one array, which may be a file on disk."""

import array
import dataclasses
import io
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from seqjax.types import Padded


@dataclasses.dataclass(frozen=True)
class Ragged:
    """Rows of token ids, of which any few are read without the others.

    Attributes:
      values: `[tokens]` int32 ids of all rows, or `[tokens, n]` where a position holds several.
      offsets: `[rows + 1]` int64, where each row begins; the last one is where the last row ends.

    >>> rows = Ragged.of([[5, 6], [], [7]])
    >>> len(rows), rows[0].tolist(), rows.lengths.tolist()
    (3, [5, 6], [2, 0, 1])
    """

    values: np.ndarray
    offsets: np.ndarray

    @classmethod
    def of(cls, rows: Iterable[np.ndarray | list[int]]) -> "Ragged":
        """Returns rows in memory; of several numbers a position, all have equally many."""
        stream, each = io.BytesIO(), ()
        writer = RowWriter(stream.write)
        for row in rows:
            row = np.asarray(row, np.int32)
            each = row.shape[1:] or each
            writer.add(row)
        return cls(np.frombuffer(stream.getbuffer(), np.int32).reshape(-1, *each), writer.offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, row: int | np.integer) -> np.ndarray:
        """Returns `[time, ...]` ids of one row."""
        if not 0 <= row < len(self):
            raise IndexError(f"row must be in [0, {len(self)}), got {row}")
        return self.values[self.offsets[row] : self.offsets[row + 1]]

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self[row] for row in range(len(self)))

    @property
    def lengths(self) -> np.ndarray:
        """`[rows]` int32 tokens of each."""
        return np.diff(self.offsets).astype(np.int32)

    def padded(self, numbers: np.ndarray, height: int, width: int, pad_id: int) -> Padded:
        """Returns rows by their numbers, right-padded; rows up to `height` have length 0.

        Raises:
          ValueError: If one of them is longer than `width`.
        """
        lengths, starts = np.zeros(height, np.int32), np.zeros(height, np.int64)
        starts[: len(numbers)] = self.offsets[numbers]
        lengths[: len(numbers)] = self.offsets[np.asarray(numbers) + 1] - starts[: len(numbers)]
        if lengths.max(initial=0) > width:
            raise ValueError(f"width must be at least {lengths.max()}, got {width}")
        held = np.arange(width)[None] < lengths[:, None]
        values = np.full((height, width, *self.values.shape[1:]), pad_id, np.int32)
        values[held] = self.values[(starts[:, None] + np.arange(width)[None])[held]]
        return Padded(values, lengths)


class RowWriter:
    """Writes rows of int32 ids end to end, and remembers where each ended."""

    def __init__(self, write_fn: Callable[[bytes], Any]):
        self._write_fn, self._ends = write_fn, array.array("q", [0])

    def add(self, row: np.ndarray) -> None:
        """Writes one row, `[time]` or `[time, n]`."""
        self._write_fn(np.asarray(row, np.int32).tobytes())
        self._ends.append(self._ends[-1] + len(row))

    @property
    def offsets(self) -> np.ndarray:
        """`[rows + 1]` int64, as `Ragged` has them."""
        return np.array(self._ends, np.int64)

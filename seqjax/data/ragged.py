"""Rows of unequal length, end to end in one array, which may be a file on disk."""

import array
import dataclasses
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from seqjax.types import Padded


@dataclasses.dataclass(frozen=True)
class Ragged:
    """Rows of token ids, or of vectors, of which any few are read without the others.

    Attributes:
      values: `[tokens]` int32 ids of all rows, or `[tokens, n]` where a position holds several;
        float32 vectors `[steps, features]`.
      offsets: `[rows + 1]` int64, where each row begins; the last one is where the last row ends.

    >>> rows = Ragged.of([[5, 6], [], [7]])
    >>> len(rows), rows[0].tolist(), rows.lengths.tolist()
    (3, [5, 6], [2, 0, 1])
    """

    values: np.ndarray
    offsets: np.ndarray

    @classmethod
    def of(cls, rows: Iterable[np.ndarray | Sequence[int]], dtype: Any = np.int32) -> "Ragged":
        """Returns rows in memory; of several numbers a position, all have equally many."""
        stream = io.BytesIO()
        writer = RowWriter(stream.write, dtype)
        for row in rows:
            writer.add(row)
        return writer.over(np.frombuffer(stream.getbuffer(), dtype))

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
        values = np.full((height, width, *self.values.shape[1:]), pad_id, self.values.dtype)
        values[held] = self.values[(starts[:, None] + np.arange(width)[None])[held]]
        return Padded(values, lengths)


class RowWriter:
    """Writes rows of numbers end to end, and remembers where each ended.

    Attributes:
      each: Shape of what stands at a position: `()`, or `(n,)` of several numbers.
    """

    def __init__(self, write_fn: Callable[[bytes], Any], dtype: Any = np.int32):
        self._write_fn, self._dtype, self._ends = write_fn, dtype, array.array("q", [0])
        self.each: tuple[int, ...] = ()

    def add(self, row: np.ndarray | Sequence[int]) -> None:
        """Writes one row, `[time]` or `[time, n]`."""
        row = np.asarray(row, self._dtype)
        self.each = row.shape[1:] or self.each
        self._write_fn(row.tobytes())
        self._ends.append(self._ends[-1] + len(row))

    def over(self, numbers: np.ndarray) -> Ragged:
        """Returns what was written as rows; `numbers` are all of it, flat."""
        return Ragged(numbers.reshape(-1, *self.each), self.offsets)

    @property
    def offsets(self) -> np.ndarray:
        """`[rows + 1]` int64, as `Ragged` has them."""
        return np.array(self._ends, np.int64)

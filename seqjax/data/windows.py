"""A long text into windows that follow one another, for truncated back-propagation through time."""

import dataclasses
from collections.abc import Iterator

import numpy as np

from seqjax.types import WHOLE, Batch, Padded, Part


@dataclasses.dataclass(frozen=True)
class Windows:
    """A text read in `batch_size` parallel stretches, `window` tokens at a time.

    Row b of window k + 1 goes on where row b of window k ended, so that a state handed from one
    batch to the next belongs to its row. Every token is a target exactly once; its input is the
    token before it, BOS before the first of the text. Rows whose stretch is over have length 0.

    Attributes:
      tokens: `[tokens]` ids of the whole text.
      batch_size: Rows.
      window: Time steps of a batch.
      bos_id: Read before the first token.
      pad_id: What padding is filled with.
    """

    tokens: np.ndarray
    batch_size: int
    window: int
    bos_id: int
    pad_id: int

    @property
    def stretch(self) -> int:
        """Tokens of a row; the last rows may have fewer."""
        return -(-len(self.tokens) // self.batch_size)

    @property
    def batches_per_epoch(self) -> int:
        """Windows it takes to read the text once."""
        return -(-self.stretch // self.window)

    def batches(self, epoch: int, start: int = 0, part: Part = WHOLE) -> Iterator[Batch]:
        """Yields the windows in order from number `start` on; every epoch is the same.

        Args:
          epoch: Passes before this one.
          start: Windows to leave out.
          part: Which rows of each to build.
        """
        del epoch
        inputs = np.concatenate([[self.bos_id], self.tokens[:-1]])
        mine = part.rows(self.batch_size)
        room = self.batch_size * self.stretch - len(self.tokens)
        rows = [
            np.pad(side, (0, room), constant_values=self.pad_id).reshape(self.batch_size, -1)[mine]
            for side in (inputs, self.tokens)
        ]
        ends = np.clip(
            len(self.tokens) - self.stretch * np.arange(self.batch_size), 0, self.stretch
        )[mine]
        for number in range(start, self.batches_per_epoch):
            first = number * self.window
            lengths = np.clip(ends - first, 0, self.window).astype(np.int32)
            read, said = (self._window(side, first) for side in rows)
            yield Batch(Padded(read, lengths), Padded(said, lengths))

    def _window(self, rows: np.ndarray, first: int) -> np.ndarray:
        part = rows[:, first : first + self.window].astype(np.int32)
        return np.pad(part, ((0, 0), (0, self.window - part.shape[1])), constant_values=self.pad_id)

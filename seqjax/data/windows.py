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
      tokens: `[tokens]` ids of the whole text, in memory or in a file: only what a batch holds is
        read.
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
        mine = part.rows(self.batch_size)
        begins = self.stretch * np.arange(self.batch_size)[mine, None]
        ends = np.minimum(begins + self.stretch, len(self.tokens))
        for number in range(start, self.batches_per_epoch):
            said_at = begins + number * self.window + np.arange(self.window)[None]
            held = said_at < ends
            lengths = held.sum(axis=1).astype(np.int32)
            read, said = (np.full(held.shape, self.pad_id, np.int32) for _ in range(2))
            said[held] = self.tokens[said_at[held]]
            read[held] = self.tokens[np.maximum(said_at[held] - 1, 0)]
            read[said_at == 0] = self.bos_id
            yield Batch(Padded(read, lengths), Padded(said, lengths))

"""What a measurement on real data is."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple


class Measured(NamedTuple):
    """One measurement.

    Attributes:
      data: What is read, in the words of a table.
      model: What learns it, in the words of a table.
      prepare: `(data, work)` makes train.txt, valid.txt and test.txt in the folder work. None for
        what is built in, which has a test split of its own.
      flags: Of `seqjax train`, but for files, seed and directory.
      metrics: Names of scores, each with what was published and where. The first is the one that
        short tables have.
    """

    data: str
    model: str
    prepare: Callable[[Path, Path], None] | None
    flags: str
    metrics: dict[str, str]

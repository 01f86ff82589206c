"""What has happened in a run so far, as far as anybody looks back."""

import math
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from seqjax.watch.tally import Tally

Row = dict[str, Any]
EARLY, RECENT = 60, 60
"""Rows of training that are kept from the beginning and from the end: a run may have thousands."""


class Facts(NamedTuple):
    """What is known of a run before its first step.

    Attributes:
      unigram_loss: Training loss in nats per token of whoever knows the frequencies of target
        tokens and nothing else; label smoothing included. Infinite if that is not known.
      smoothing_loss: Nats per token that label smoothing leaves of the training loss at least.
      clip_norm: Gradient norm from which on is clipped; 0 never.
      learning_rate: The highest of the schedule.
      warmup_steps: Steps after which it is reached.
      shapes: That training batches may have.
      repeated: Share of the validation references that repeat themselves (`metrics.health`).
      baselines: What simple answers score on the validation examples, by name: `exact_match`,
        `token_error_rate` or `loss`.
      penalties: Whether a search knows what keeps answers from being long or repetitive, which it
        does where a decoder writes them.
    """

    unigram_loss: float = math.inf
    smoothing_loss: float = 0.0
    clip_norm: float = 0.0
    learning_rate: float = 1.0
    warmup_steps: int = 0
    shapes: int = 1
    repeated: float = 0.0
    baselines: Mapping[str, Mapping[str, float]] = MappingProxyType({})
    penalties: bool = True


class History:
    """Rows of a run up to now. It is made again from `metrics.jsonl` when a run goes on.

    Attributes:
      early: The first rows of training.
      recent: The last rows of training, some of which may stand in `early` too.
      validations: All of them.
      warned: Codes that have been said.
      compiled: Training shapes that this process has compiled, in that order.
      tallies: Of the errors of the last validation.
    """

    def __init__(self, rows: Iterable[Row] = ()):
        self.early: list[Row] = []
        self.recent: list[Row] = []
        self.validations: list[Row] = []
        self.warned: set[str] = set()
        self.compiled: list[str] = []
        self.tallies: list[Tally] = []
        for row in rows:
            self.add(row)

    def add(self, row: Row) -> None:
        """Takes one more row of `metrics.jsonl` into account."""
        match row["event"]:
            case "train":
                if len(self.early) < EARLY:
                    self.early.append(row)
                self.recent = [*self.recent[1 - RECENT :], row]
            case "validation":
                self.validations.append(row)
            case "warning":
                self.warned.add(row["code"])

    @property
    def step(self) -> int:
        """Of the last row."""
        last = [rows[-1]["step"] for rows in (self.recent, self.validations) if rows]
        return max(last, default=0)

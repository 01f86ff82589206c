"""Whom a training has around it: who feeds it, and who watches."""

from collections.abc import Iterator
from typing import Any, Protocol, runtime_checkable

from seqjax.train.progress import Progress
from seqjax.train.step import StepMetrics
from seqjax.types import Batch


@runtime_checkable
class Feed(Protocol):
    """Training data: the same batches in the same order for the same epoch, wherever one starts."""

    @property
    def batches_per_epoch(self) -> int: ...

    def batches(self, epoch: int, start: int) -> Iterator[Batch]: ...


@runtime_checkable
class Observer(Protocol):
    """Whoever watches: a terminal, a file, a test."""

    def stepped(self, progress: Progress, metrics: StepMetrics, seconds: float) -> None: ...
    def row(self, row: dict[str, Any]) -> None: ...
    def validated(self, row: dict[str, Any], progress: Progress, is_best: bool) -> None: ...
    def went_back(self, row: dict[str, Any], progress: Progress) -> None: ...
    def note(self, text: str) -> None: ...

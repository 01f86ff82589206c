"""Whoever watches a training: what it is told, and one that keeps it to itself."""

import contextlib
from contextlib import AbstractContextManager
from typing import Any, Protocol, runtime_checkable

from seqjax.train.progress import Progress
from seqjax.train.step import StepMetrics


@runtime_checkable
class Spectator(Protocol):
    """Whoever watches a training."""

    def training(
        self, progress: Progress, *, steps: int | None, minutes: float | None
    ) -> AbstractContextManager[None]: ...
    def compiling(self, what: str) -> AbstractContextManager[None]: ...
    def stepped(self, progress: Progress, metrics: StepMetrics, seconds: float) -> None: ...
    def validated(self, row: dict[str, Any], progress: Progress, is_best: bool) -> None: ...
    def note(self, text: str) -> None: ...


class Silent:
    """A spectator that keeps to itself what it sees."""

    def training(
        self, progress: Progress, *, steps: int | None, minutes: float | None
    ) -> AbstractContextManager[None]:
        return contextlib.nullcontext()

    def compiling(self, what: str) -> AbstractContextManager[None]:
        return contextlib.nullcontext()

    def stepped(self, progress: Progress, metrics: StepMetrics, seconds: float) -> None: ...
    def validated(self, row: dict[str, Any], progress: Progress, is_best: bool) -> None: ...
    def note(self, text: str) -> None: ...

"""What a person sees while a run trains: a live bar on a terminal, plain lines anywhere else."""

import contextlib
import importlib.metadata
import os
import threading
import time
from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from seqjax.config import Config
from seqjax.train.loop import Progress
from seqjax.train.step import StepMetrics

LINE_EVERY = 4.0
"""Seconds between lines of progress where there is no bar."""
SILENCE = 4.4
"""Seconds without a line after which one says that work goes on."""
PERCENT = ("exact_match", "token_accuracy", "token_error_rate", "character_error_rate")
SHOWN = ("loss", "perplexity", "exact_match", "token_error_rate", "bleu", "bits_per_token")


class Screen:
    """Shows a run on standard error, so that standard output stays for results.

    Attributes:
      console: Where it writes.
    """

    def __init__(self) -> None:
        self.console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._bar = Bar(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[left]}"),
            TimeElapsedColumn(),
            console=self.console,
            transient=True,
        )
        self._task = self._bar.add_task("starting", total=None, left="")
        self._bar_moves = False
        self._activity = "starting"
        self._last_line = self._window_start = time.monotonic()
        self._busy = self._tokens = self._loss = 0.0
        self._goal: tuple[str, float] | None = None
        threading.Thread(target=self._beat, daemon=True).start()

    def _beat(self) -> None:
        """Never lets more than five seconds pass without a line, unless the bar moves by itself."""
        while True:
            time.sleep(0.5)
            if not self._bar_moves and time.monotonic() - self._last_line >= SILENCE:
                self.note(f"working  {self._activity} …")

    def begin(self, config: Config) -> None:
        """The first line: what runs, on what, into where."""
        import jax

        devices = jax.devices()
        self.note(
            f"seqjax   {importlib.metadata.version('seqjax')} · jax {jax.__version__} · "
            f"{len(devices)} x {devices[0].device_kind} · {os.cpu_count()} processors · "
            f"run {config.run_dir}"
        )

    @contextlib.contextmanager
    def training(self, *, steps: int | None, minutes: float | None) -> Iterator[None]:
        """Keeps the bar alive; `steps` and `minutes` say when it is full."""
        if minutes is not None:
            self._goal = ("minutes", 60 * minutes)
        if steps is not None:
            self._goal = ("steps", float(steps))
        self._activity = "training"
        self._bar_moves = self.console.is_terminal
        with self._bar if self._bar_moves else contextlib.nullcontext():
            yield
        self._bar_moves = False
        self._activity = "answering"

    def note(self, text: str) -> None:
        """One line that stays."""
        self._last_line = time.monotonic()
        self.console.print(text, markup=False)

    @contextlib.contextmanager
    def compiling(self, what: str) -> Iterator[None]:
        """Says what was compiled and how long it took."""
        started, before = time.monotonic(), self._activity
        self._activity = f"compiling {what}"
        self._bar.update(self._task, description=self._activity)
        yield
        self._activity = before
        self.note(f"compile  {what}  {time.monotonic() - started:.1f} s")

    def stepped(self, progress: Progress, metrics: StepMetrics, seconds: float) -> None:
        """Moves the bar; without a terminal, prints a line now and then."""
        self._busy += seconds
        self._tokens += float(metrics.loss.weight)
        self._loss += float(metrics.loss.total)
        now = time.monotonic()
        if now - self._window_start < (0.5 if self._bar_moves else LINE_EVERY):
            return
        loss = self._loss / max(self._tokens, 1.0)
        speed = self._tokens / max(self._busy, 1e-9)
        line = (
            f"epoch {progress.epoch + 1}  step {progress.step}  loss {loss:.3f}  "
            f"|g| {float(metrics.gradient_norm):.2f}  {speed:,.0f} tok/s"
        )
        done, left = self._done_and_left(progress)
        if self._bar_moves:
            self._bar.update(
                self._task, description=line, total=1.0, completed=done or 0.0, left=left
            )
        else:
            self.note(f"train    {line}  {left}".rstrip())
        self._window_start, self._busy, self._tokens, self._loss = now, 0.0, 0.0, 0.0

    def validated(self, row: dict[str, Any], progress: Progress, is_best: bool) -> None:
        """One line for each validation."""
        values = "  ".join(f"{name} {_number(name, row[name])}" for name in SHOWN if name in row)
        verdict = "new best" if is_best else f"no new best since step {progress.best_step}"
        self.note(f"valid    epoch {row['epoch']}  step {row['step']}  {values}  · {verdict}")

    def row(self, row: dict[str, Any]) -> None:
        """History lines are for the file, not for the screen."""

    def _done_and_left(self, progress: Progress) -> tuple[float | None, str]:
        if self._goal is None or not progress.step:
            return None, ""
        kind, goal = self._goal
        done = (progress.step if kind == "steps" else progress.seconds) / goal
        left = progress.seconds * (1 - done) / max(done, 1e-9)
        return done, f"{100 * done:.0f}%  ≤ {clock(left)} left"


def clock(seconds: float) -> str:
    """Returns `1:05:09` or `5:09`.

    >>> clock(309.0)
    '5:09'
    """
    minutes, rest = divmod(round(max(seconds, 0.0)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _number(name: str, value: float) -> str:
    if name in PERCENT:
        return f"{100 * value:.1f}%"
    return f"{value:.1f}" if name == "bleu" else f"{value:.3f}"

"""What a person sees while a run trains: a live bar on a terminal, plain lines anywhere else."""

import contextlib
import dataclasses
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
from seqjax.data.coding import cut_note
from seqjax.train.progress import Progress
from seqjax.train.step import StepMetrics

LINE_EVERY = 4.0
"""Seconds between lines of progress where there is no bar."""
SILENCE = 4.4
"""Seconds without a line after which one says that work goes on."""
PERCENT = (
    *("exact_match", "accuracy", "token_accuracy", "macro_f1", "span_f1"),
    *("token_error_rate", "character_error_rate", "calibration_error"),
    *("frame_accuracy", "frame_f1"),
    *("response_accuracy", "dialogue_accuracy", "said_before"),
)
SHOWN = (
    "loss",
    "perplexity",
    "exact_match",
    "token_error_rate",
    "bleu",
    "bits_per_token",
    "mean_squared_error",
    "r2",
    "frame_f1",
)
HEALTH = ("ended", "empty", "repeated")


@dataclasses.dataclass
class _Window:
    """Sums over the steps since the last line; seconds without compilation."""

    opened: float
    seconds: float = 0.0
    tokens: float = 0.0
    loss: float = 0.0
    steps: int = 0
    clipped: int = 0


@dataclasses.dataclass(frozen=True)
class _Goal:
    """When training is over, and where it stood when it began to be watched.

    Attributes:
      steps, minutes: The first that is reached; None never is.
      opened: When watching began, on the clock that leaves compilation out.
      done: The share of the steps that were done by then.
    """

    steps: int | None
    minutes: float | None
    opened: float
    done: float


class Screen:
    """Shows a run on standard error, so that standard output stays for results; use it in a `with`.

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
        self._activity = ""
        self._last_line = time.monotonic()
        self._compiled = 0.0
        self._window = _Window(opened=self._last_line)
        self._goal: _Goal | None = None
        self._clip_norm, self._patience = 0.0, 0
        self._closed = threading.Event()

    def __enter__(self) -> "Screen":
        threading.Thread(target=self._beat, daemon=True).start()
        return self

    def __exit__(self, *exception) -> None:
        self._closed.set()

    def _beat(self) -> None:
        while not self._closed.wait(0.5):
            self.break_silence()

    def break_silence(self) -> None:
        """Says that work goes on, where a line is overdue and no bar moves by itself."""
        overdue = time.monotonic() - self._last_line >= SILENCE
        if self._activity and overdue and not self._bar_moves:
            self.note(f"working  {self._activity} …")

    def note_cut(self, cut: int, lines: int, max_source: int) -> None:
        """Says how many lines are longer than a model reads, if there are some."""
        if cut:
            self.note(cut_note(cut, lines, max_source))

    @contextlib.contextmanager
    def working(self, what: str) -> Iterator[None]:
        """Says so now and then while it lasts."""
        self._last_line, before = time.monotonic(), self._activity
        self._activity = what
        yield
        self._activity = before

    def begin(self, config: Config) -> None:
        """The first line: what runs, on what, into where."""
        import jax

        self._clip_norm = config.optimizer.clip_norm
        self._patience = config.validation.patience
        devices = jax.devices()
        self.note(
            f"seqjax   {importlib.metadata.version('seqjax')} · jax {jax.__version__} · "
            f"{len(devices)} x {devices[0].device_kind} · {os.cpu_count()} processors · "
            f"run {config.run_dir}"
        )

    @contextlib.contextmanager
    def training(
        self, progress: Progress, *, steps: int | None, minutes: float | None
    ) -> Iterator[None]:
        """Keeps the bar alive; `steps` and `minutes` say when it is full."""
        opened = time.monotonic() - self._compiled
        self._goal = _Goal(steps, minutes, opened, progress.step / steps if steps else 0.0)
        self._bar_moves = self.console.is_terminal
        with self.working("training"), self._bar if self._bar_moves else contextlib.nullcontext():
            yield
        self._bar_moves = False

    def note(self, text: str) -> None:
        """One line that stays."""
        self._last_line = time.monotonic()
        self.console.print(text, markup=False)

    @contextlib.contextmanager
    def compiling(self, what: str) -> Iterator[None]:
        """Says what was compiled and how long it took."""
        started = time.monotonic()
        self._bar.update(self._task, description=f"compiling {what}")
        with self.working(f"compiling {what}"):
            yield
        took = time.monotonic() - started
        self._compiled += took
        self._window.seconds -= took  # where a step of training waited for it
        self.note(f"compile  {what}  {took:.1f} s")

    def stepped(self, progress: Progress, metrics: StepMetrics, seconds: float) -> None:
        """Moves the bar; without a terminal, prints a line now and then."""
        window = self._window
        window.seconds += seconds
        window.tokens += float(metrics.loss.weight)
        window.loss += float(metrics.loss.total)
        window.steps += 1
        window.clipped += bool(0 < self._clip_norm < metrics.gradient_norm)
        now = time.monotonic()
        if now - window.opened < (0.5 if self._bar_moves else LINE_EVERY):
            return
        line = (
            f"epoch {progress.epoch + 1}  step {progress.step}  "
            f"loss {window.loss / max(window.tokens, 1.0):.3f}  "
            f"|g| {float(metrics.gradient_norm):.2f}  "
            f"clip {100 * window.clipped / window.steps:.0f}%  "
            f"lr {float(metrics.learning_rate):.1e}  "
            f"{window.tokens / max(window.seconds, 1e-9):,.0f} tok/s"
        )
        done, left = self._done_and_left(progress, now)
        if self._bar_moves:
            self._bar.update(self._task, description=line, total=1.0, completed=done, left=left)
        else:
            self.note(f"train    {line}  {left}".rstrip())
        self._window = _Window(opened=now)

    def validated(self, row: dict[str, Any], progress: Progress, is_best: bool) -> None:
        """A line for each validation, and one on the health of the answers where there are any."""
        values = "  ".join(f"{name} {_number(name, row[name])}" for name in SHOWN if name in row)
        stalled = f"stalled {progress.stalled}" + (f"/{self._patience}" if self._patience else "")
        verdict = "new best" if is_best else f"{stalled}, best at step {progress.best_step}"
        self.note(f"valid    epoch {row['epoch']}  step {row['step']}  {values}  · {verdict}")
        if "ended" in row:
            shares = "  ".join(f"{name} {100 * row[name]:.1f}%" for name in HEALTH)
            self.note(f"health   {shares}  length x{row['length_ratio']:.2f}")
        self._window = _Window(opened=time.monotonic())

    def row(self, row: dict[str, Any]) -> None:
        """History lines are for the file, not for the screen."""

    def _done_and_left(self, progress: Progress, now: float) -> tuple[float, str]:
        """Returns the share that is done and what is left, at most: training may stop early."""
        if self._goal is None:
            return 0.0, ""
        goal, ways = self._goal, []
        if goal.minutes is not None:
            whole = 60 * goal.minutes
            ways.append((progress.seconds / whole, whole - progress.seconds))
        if goal.steps is not None:
            done = progress.step / goal.steps
            pace = (now - self._compiled - goal.opened) / max(done - goal.done, 1e-9)
            ways.append((done, pace * (1 - done)))
        if not ways:
            return 0.0, ""
        done, left = min(ways, key=lambda way: way[1])
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

"""The observer of a training: it writes the history down, warns, and tells the spectator."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from seqjax.rundir import RunDir
from seqjax.runs.facts import build_facts
from seqjax.runs.going_on import keep_history
from seqjax.runs.measure import Seen
from seqjax.runs.record import Recorder
from seqjax.runs.setup import TRAINING_STEP
from seqjax.runs.spectator import Silent, Spectator
from seqjax.tasks.task import AnsweringTask, Task, TaskData
from seqjax.train.clock import Clock
from seqjax.train.norms import NORMS
from seqjax.train.progress import Progress
from seqjax.train.step import StepMetrics
from seqjax.watch.tally import Tally, tally_errors
from seqjax.watch.watch import Finding, Watch


class Watching:
    """Everything that is told of a training goes through here.

    Attributes:
      clock: Where the time goes; that of earlier parts of the run is in it.

    Args:
      run: Whose history is written.
      task, data: What is trained, and on what.
      spectator: Told of all that concerns a person.
      progress: Where the run begins or goes on.
      modules: Names of the rows of `StepMetrics.module_norms`.
    """

    def __init__(
        self,
        run: RunDir,
        task: Task,
        data: TaskData,
        spectator: Spectator,
        progress: Progress,
        modules: Sequence[str],
    ):
        self.clock = Clock(progress.spent)
        self.note = spectator.note
        self._run, self._spectator, self._modules = run, spectator, modules
        self._vocabularies = data.vocabularies
        self._tallied = isinstance(task, AnsweringTask) and task.likely
        self._facts = build_facts(task, data)
        self._watch = Watch(self._facts, run.history.rows())
        self._recorder = Recorder(run, from_step=progress.step)
        self._metrics: StepMetrics | None = None
        self._seen: Seen | None = None
        self._worked = 0.0

    @contextlib.contextmanager
    def compiling(self, what: str) -> Iterator[None]:
        """Entered while something is compiled."""
        with self.clock.on("compile"), self._spectator.compiling(what):
            yield
        if what.startswith(TRAINING_STEP):
            self._watch.compiled(what.removeprefix(f"{TRAINING_STEP}, "))

    def stepped(self, progress: Progress, metrics: StepMetrics, seconds: float) -> None:
        self._metrics = metrics
        self._spectator.stepped(progress, metrics, seconds)
        if metrics.skipped_in_a_row:
            self._warn(self._watch.skipped(progress.step, progress.epoch))

    def row(self, row: dict[str, Any]) -> None:
        spent = self.clock.totals
        worked = spent.get("step", 0.0) + spent.get("data", 0.0)
        row = row | {
            "tokens_per_second": round(row["tokens"] / max(worked - self._worked, 1e-9), 1)
        }
        self._worked = worked
        self._recorder.write(row)
        if self._metrics is not None and np.any(self._metrics.module_norms):
            for module, norms in zip(self._modules, self._metrics.module_norms, strict=True):
                named = dict(zip(NORMS, norms.tolist(), strict=True))
                self._recorder.scalars({f"{name}/{module}": named[name] for name in named}, row)
        self._warn(self._watch.look(row))

    def seen(self, seen: Seen) -> None:
        """Told what a validation has looked at, before `validated` is told what it came to."""
        self._seen = seen

    def validated(self, row: dict[str, Any], progress: Progress, is_best: bool) -> None:
        self._recorder.write(row)
        self._spectator.validated(row, progress, is_best)
        seen, self._seen = self._seen, None
        if seen is not None:
            self._recorder.show(seen, row["step"])
        self._warn(self._watch.look(row, seen and self._tally(seen) if self._tallied else None))

    def went_back(self, row: dict[str, Any], progress: Progress) -> None:
        keep_history(self._run, progress)
        self._recorder.close()
        self._recorder = Recorder(self._run, from_step=progress.step)
        self._recorder.write(row)
        self._watch = Watch(self._facts, self._run.history.rows())

    def finish(self, progress: Progress, *, interrupted: bool) -> dict[str, float]:
        """Returns what the time was spent on, in seconds, and closes what is open.

        The history says it as well, once: of a run that was not `interrupted`.
        """
        spent = {name: round(seconds, 2) for name, seconds in self.clock.totals.items()}
        if not interrupted:
            row = {"event": "time", "step": progress.step, "epoch": progress.epoch}
            self._recorder.write({**row, "spent": spent})
            self._recorder.scalars(spent, row)
        self._recorder.close()
        return spent

    def _tally(self, seen: Seen) -> list[Tally]:
        decoded, cut = seen.decoded, self._vocabularies["target"].cut
        answers = [list(answer[0].tokens) for answer in decoded.answers]
        references = [list(map(cut, texts)) for texts in decoded.references]
        return tally_errors(decoded.lengths, answers, references)

    def _warn(self, findings: Sequence[Finding]) -> None:
        for finding in findings:
            self._recorder.write(finding.row)
            self._recorder.text(f"warning/{finding.code}", finding.text, finding.step)
            self.note(finding.line)


class Unrecorded(Silent):
    """The observer in a process that leaves all that is written and shown to the first one."""

    def __init__(self, progress: Progress):
        self.clock = Clock(progress.spent)

    def row(self, row: dict[str, Any]) -> None: ...
    def seen(self, seen: Seen) -> None: ...
    def went_back(self, row: dict[str, Any], progress: Progress) -> None: ...

    def finish(self, progress: Progress, *, interrupted: bool) -> dict[str, float]:
        """Returns what the time was spent on, in seconds."""
        return self.clock.totals

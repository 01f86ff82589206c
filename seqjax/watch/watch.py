"""Looks at a run as it goes, and says each thing once."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from seqjax.codes import Code
from seqjax.watch import codes
from seqjax.watch.detectors import DETECTORS
from seqjax.watch.history import Facts, History, Row
from seqjax.watch.tally import Tally


class Finding(NamedTuple):
    """One warning about one run.

    Attributes:
      code: Which; `seqjax explain` tells what it means.
      text: What is the case, with the numbers, and a way out.
      step, epoch: When it was found.
    """

    code: str
    text: str
    step: int
    epoch: int

    @property
    def row(self) -> Row:
        """As a line of `metrics.jsonl`."""
        return {"event": "warning", **self._asdict()}

    @property
    def line(self) -> str:
        """As a line on the screen."""
        return f"warning  {self.code}  {self.text} (seqjax explain {self.code})"


class Watch:
    """Judges a run by its history: each code is found once a run, however often it is gone on with.

    Args:
      facts: What is known of the run.
      rows: Of `metrics.jsonl`, up to where the run goes on.
    """

    def __init__(self, facts: Facts, rows: Iterable[Row] = ()):
        self._facts, self._history = facts, History(rows)

    def compiled(self, what: str) -> None:
        """Told of each training shape that is compiled."""
        self._history.compiled.append(what)

    def skipped(self, step: int, epoch: int) -> list[Finding]:
        """Told of each step that was left out because it was not finite."""
        text = (
            f"loss or gradient of step {step} was not finite, and the step is left out; if there "
            f"are more, lower --optimizer.learning-rate"
        )
        return self._once(codes.NOT_FINITE, text, step, epoch)

    def look(self, row: Row, tallies: Sequence[Tally] | None = None) -> list[Finding]:
        """Returns what is found now that there is one more row, `train` or `validation`.

        Args:
          row: The newest line of the history.
          tallies: Of the errors of a validation, if answers were made.
        """
        self._history.add(row)
        if tallies is not None:
            self._history.tallies = list(tallies)
        found = []
        for code, detector in DETECTORS:
            text = None
            if code.code not in self._history.warned:
                text = detector(self._history, self._facts)
            if text is not None:
                found += self._once(code, text, row["step"], row["epoch"])
        return found

    def _once(self, code: Code, text: str, step: int, epoch: int) -> list[Finding]:
        if code.code in self._history.warned:
            return []
        self._history.warned.add(code.code)
        return [Finding(code.code, text, step, epoch)]

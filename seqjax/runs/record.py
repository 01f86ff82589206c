"""The written record of a training: `metrics.jsonl` and TensorBoard events, row for row."""

from typing import Any

from tensorboardX import SummaryWriter

from seqjax.rundir import RunDir


class Recorder:
    """Appends rows to a run's history. Rows are JSON objects with at least `event` and `step`."""

    def __init__(self, run: RunDir):
        self._run = run
        self._events = SummaryWriter(str(run.events))

    def write(self, row: dict[str, Any]) -> None:
        """Adds one row, and every number of it as a TensorBoard scalar."""
        self._run.append_metrics(row)
        for name, value in row.items():
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            if is_number and name not in ("step", "epoch"):
                self._events.add_scalar(f"{row['event']}/{name}", value, row["step"])
        self._events.flush()

    def close(self) -> None:
        self._events.close()

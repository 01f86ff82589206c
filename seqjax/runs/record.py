"""The written record of a training: `metrics.jsonl` and TensorBoard events, row for row."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from tensorboardX import SummaryWriter

from seqjax.report.attention import AttentionExample
from seqjax.rundir import RunDir
from seqjax.runs.measure import Seen
from seqjax.tasks.task import Decoded

SAMPLES = 8
"""Answers that are shown as text at each validation."""
CELL = 12
"""Pixels of one weight in a picture of attention."""


class Recorder:
    """Appends rows to a run's history. Rows are JSON objects with at least `event` and `step`.

    Args:
      run: Whose history it is.
      from_step: The last step of what is written already; TensorBoard forgets what came after it.
    """

    def __init__(self, run: RunDir, *, from_step: int = 0):
        self._run = run
        self._events = SummaryWriter(str(run.events), purge_step=from_step + 1)

    def write(self, row: dict[str, Any]) -> None:
        """Adds one row, and every number of it as a TensorBoard scalar."""
        self._run.history.append(row)
        self.scalars(row, row)

    def scalars(self, values: Mapping[str, Any], row: Mapping[str, Any]) -> None:
        """Adds numbers that belong to a row to TensorBoard alone."""
        for name, value in values.items():
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            if is_number and name not in ("step", "epoch"):
                self._events.add_scalar(f"{row['event']}/{name}", value, row["step"])
        self._events.flush()

    def text(self, name: str, text: str, step: int) -> None:
        """Adds a text, Markdown, to TensorBoard."""
        self._events.add_text(name, text, step)
        self._events.flush()

    def show(self, seen: Seen, step: int) -> None:
        """Adds answers as a table, and where the model looked as pictures, to TensorBoard."""
        self.text("answers", answer_table(seen.decoded), step)
        for number, example in enumerate(seen.attention):
            picture = attention_picture(example)
            if picture.size:
                self._events.add_image(f"attention/{number}", picture, step, dataformats="HW")
                read, said = (" ".join(side) for side in example[:2])
                self.text(f"attention/{number}", _code(f"{read} -> {said}"), step)
        self._events.flush()

    def close(self) -> None:
        self._events.close()


def answer_table(decoded: Decoded) -> str:
    """Returns some answers as a Markdown table: what was asked, was answered and was wanted."""
    lines = ["| | source | answer | wanted |", "|---|---|---|---|"]
    for source, references, answers in zip(
        decoded.sources[:SAMPLES],
        decoded.references[:SAMPLES],
        decoded.answers[:SAMPLES],
        strict=True,
    ):
        right = "✓" if answers[0].text in references else "✗"
        cells = (right, *(_code(text) for text in (source, answers[0].text, references[0])))
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def attention_picture(example: AttentionExample) -> np.ndarray:
    """Returns `[height, width]` bytes: the darker, the more an answer looked there.

    Source tokens go from left to right, those of the answer from top to bottom. The pictures at the
    end of a run, in colour and with the tokens, take a second each; these take none.
    """
    dark = np.uint8(255) - np.round(255 * example.weights).astype(np.uint8)
    return np.kron(dark, np.ones((CELL, CELL), np.uint8))


def _code(text: str) -> str:
    """Text as it is: a table has no other place for a bar, and Markdown eats blanks."""
    shown = text.replace("`", "'").replace("|", "¦").replace("\n", "↵")
    return f"`{shown}`" if shown else ""

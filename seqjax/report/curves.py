"""Learning curves from a run's history."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seqjax.report.style import BLUE, GREEN, GREY, ORANGE, PURPLE, drawing

Row = dict[str, Any]
SCORES = (
    ("exact_match", "exact match", 1, GREEN, "o"),
    ("token_error_rate", "token error rate", 1, ORANGE, "s"),
    ("bleu", "BLEU / 100", 100, PURPLE, "D"),
    ("frame_f1", "frame F1", 1, GREEN, "o"),
    ("r2", "R²", 1, GREEN, "o"),
)
"""Name, label, what is divided by to make it a share, colour, marker."""
MOST_MARKED = 60
"""A line of more points is drawn without markers."""


def learning_curves(rows: Sequence[Row], path: Path, *, unit: str = "nats per token") -> None:
    """Draws loss and validation scores against the step, and marks the step of the best weights.

    The loss of training is measured with dropout and label smoothing, that of validation without.
    Where no answers were scored (a language model), the perplexity stands in their place.

    Args:
      rows: Of `metrics.jsonl`. A value that is missing, `None` or not finite is left out.
      path: `.png` or `.svg`.
      unit: Of the loss.
    """
    train = [row for row in rows if row["event"] == "train"]
    validation = [row for row in rows if row["event"] == "validation"]
    best = [row["step"] for row in validation if row.get("best")][-1:]
    with drawing(path, 1, 2, width=5.0, height=3.4, share_x=True) as (_, axes):
        left, right = axes[0]
        _line(left, _points(train, "loss"), "training", GREY, "o")
        _line(left, _points(validation, "loss"), "validation", BLUE, "o")
        left.set_ylabel(unit)
        if any(_points(validation, name) for name, *_ in SCORES):
            for name, label, whole, colour, marker in SCORES:
                _line(right, _points(validation, name, whole), label, colour, marker)
            # All of 0..1, and more only where an error rate asks for it.
            right.dataLim.update_from_data_y([0, 1], ignore=False)
            right.autoscale_view()
            right.set_ylabel("share")
            title = "Validation answers"
        else:
            _line(right, _points(validation, "perplexity"), "validation", BLUE, "o")
            right.set_ylabel("exp(nats per token)")
            title = "Perplexity"
        _finish(left, "Loss", best)
        _finish(right, title, best)


def _points(rows: Sequence[Row], name: str, whole: int = 1) -> list[tuple[int, float]]:
    found = [(row["step"], row.get(name)) for row in rows]
    return [(step, y / whole) for step, y in found if y is not None and math.isfinite(y)]


def _line(
    panel: Any, points: Sequence[tuple[int, float]], label: str, colour: str, marker: str
) -> None:
    if points:
        steps, values = zip(*points, strict=True)
        shown = marker if len(points) <= MOST_MARKED else None
        panel.plot(steps, values, color=colour, label=label, marker=shown, markersize=3.5)


def _finish(panel: Any, title: str, best: Sequence[int]) -> None:
    for step in best:
        panel.axvline(step, color="black", linestyle=":", linewidth=1, zorder=1, label="best")
    panel.set_xlabel("step")
    panel.grid(axis="y")
    # Title and legend stand above the axes, where they hide no line.
    panel.set_title(title, pad=20)
    if panel.get_legend_handles_labels()[0]:
        panel.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=4, borderaxespad=0.2)

"""Learning curves from a run's history."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seqjax.report.style import BLUE, GREEN, GREY, ORANGE, figure, save

SHARES = (("exact_match", "exact match", GREEN), ("token_error_rate", "token error rate", ORANGE))


def learning_curves(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """Draws loss and validation scores against the step.

    Args:
      rows: Of `metrics.jsonl`; missing scores and NaN are left out of the picture.
      path: `.png` or `.svg`.
    """
    validations = [row for row in rows if row["event"] == "validation"]
    best = [row["step"] for row in validations if row.get("best")][-1:]
    fig, (left, right) = figure(1, 2)
    for event, colour, label in (("train", GREY, "training"), ("validation", BLUE, "validation")):
        _line(left, [row for row in rows if row["event"] == event], "loss", colour, label)
    left.set(xlabel="step", ylabel="loss (nats per token)", title="Loss")
    if left.get_lines():
        left.legend()
    for name, label, colour in SHARES:
        _line(right, validations, name, colour, label)
    right.set(
        xlabel="step", ylabel="share", title="Validation answers (greedy)", ylim=(-0.02, 1.02)
    )
    if right.get_lines():
        right.legend(loc="center right")
    else:
        _line(right, validations, "perplexity", BLUE, "perplexity")
        right.set(ylabel="perplexity", title="Validation perplexity", ylim=(None, None))
    for axes in (left, right):
        for step in best:
            axes.axvline(step, color=GREY, linestyle=":", linewidth=1)
            axes.annotate("best", (step, 0.02), xycoords=("data", "axes fraction"), fontsize=8)
    save(fig, path)


def _line(axes, rows, name: str, colour: str, label: str) -> None:
    points = [(row["step"], row[name]) for row in rows if math.isfinite(row.get(name, math.nan))]
    if points:
        marker = "o" if len(points) < 60 else None
        axes.plot(
            *zip(*points, strict=True), color=colour, label=label, marker=marker, markersize=3
        )

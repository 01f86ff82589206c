"""Lines with their spread over seeds, and tables."""

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

from seqjax.report.style import PALETTE, figure, save

Series = Mapping[str, Mapping[str, Sequence[float]]]
"""`{series: {position on the x axis: values of the seeds}}`."""


def line_figure(panels: Mapping[str, Series], path: Path, *, x_label: str, y_label: str) -> None:
    """Draws a panel for each entry: the mean over seeds, and the range from lowest to highest."""
    fig, axes = figure(1, len(panels), width=4.2)
    flat = [axes] if len(panels) == 1 else list(axes)
    for axis, (title, series) in zip(flat, panels.items(), strict=True):
        for colour, marker, (name, points) in zip(PALETTE, "osD^vP", series.items(), strict=False):
            means = [statistics.fmean(values) for values in points.values()]
            low = [mean - min(values) for mean, values in zip(means, points.values(), strict=True)]
            high = [max(values) - mean for mean, values in zip(means, points.values(), strict=True)]
            axis.errorbar(
                list(points), means, [low, high], color=colour, marker=marker, capsize=3, label=name
            )
        axis.set(title=title, xlabel=x_label, ylabel=y_label, ylim=(-0.03, 1.03))
        axis.legend()
    save(fig, path)


def markdown_table(rows: Sequence[Mapping[str, object]]) -> str:
    """Returns rows with the same keys as a Markdown table.

    >>> print(markdown_table([{"a": 1, "b": "x"}]))
    | a | b |
    |---|---|
    | 1 | x |
    """
    names = list(rows[0])
    lines = [names, ["---"] * len(names), *([str(row[name]) for name in names] for row in rows)]
    body = ["| " + " | ".join(line) + " |" for line in lines]
    return "\n".join([body[0], body[1].replace(" ", ""), *body[2:]])

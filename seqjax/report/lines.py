"""Lines with their spread over seeds, and tables: what experiments report with."""

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from seqjax.report.style import PALETTE, drawing

Points = Mapping[Any, Sequence[float]]
"""`{position on the x axis, a number or a name: values of the seeds}`."""
Series = Mapping[str, Points]
"""`{label: points}`."""
MARKERS = "osD^vP"
"""As many as there are colours, for those who print without them."""


def line_figure(panels: Mapping[str, Series], path: Path, *, x_label: str, y_label: str) -> None:
    """Draws a panel for each entry: the mean over seeds, and the range from lowest to highest.

    All panels share one y axis. Where every value is a share, it is the whole of 0 to 1, so that a
    small difference looks small.

    Args:
      panels: `{title: series}`; at least one. A label has the same look in every panel.
      path: `.png` or `.svg`; the same numbers give the same SVG, to the byte.
      x_label: What the positions are, with unit.
      y_label: What the values are, with unit.

    Raises:
      ValueError: If there are no panels, no values at a position, or more labels than can be told
        apart.
    """
    labels = list(dict.fromkeys(label for series in panels.values() for label in series))
    if not panels or len(labels) > len(PALETTE):
        raise ValueError(
            f"panels must be one or more, with at most {len(PALETTE)} labels, got {len(panels)} "
            f"panels with {len(labels)} labels"
        )
    looks = dict(zip(labels, zip(PALETTE, MARKERS, strict=True), strict=False))
    handles = {}
    values = []
    with drawing(path, 1, len(panels), width=4.0, height=3.2, share_y=True) as (figure, axes):
        for panel, (title, series) in zip(axes[0], panels.items(), strict=True):
            for label, points in series.items():
                handles[label] = _draw(panel, label, points, *looks[label])
                values += [value for seeds in points.values() for value in seeds]
            panel.set(title=title, xlabel=x_label)
            panel.grid(axis="y")
        axes[0, 0].set_ylabel(y_label)
        if all(0 <= value <= 1 for value in values):
            axes[0, 0].set_ylim(-0.03, 1.03)
        figure.legend(handles.values(), handles.keys(), loc="outside right upper")


def markdown_table(rows: Sequence[Mapping[str, object]]) -> str:
    """Returns rows with the same keys as a Markdown table; a bar within a value is escaped.

    >>> print(markdown_table([{"a": 1, "b": "x"}]))
    | a | b |
    |---|---|
    | 1 | x |

    Raises:
      ValueError: If there are no rows, or their keys differ.
    """
    if not rows:
        raise ValueError("rows must hold at least one row, got none")
    names = list(rows[0])
    for row in rows:
        if list(row) != names:
            raise ValueError(f"every row must have the keys {names}, got {list(row)}")
    body = [_table_line([row[name] for name in names]) for row in rows]
    return "\n".join([_table_line(names), "|" + "---|" * len(names), *body])


def _draw(panel: Any, label: str, points: Points, colour: str, marker: str) -> Any:
    for position, seeds in points.items():
        if not seeds:
            raise ValueError(f"{label} must have a value at {position!r}, got none")
    means = [statistics.fmean(seeds) for seeds in points.values()]
    lowest, highest = map(min, points.values()), map(max, points.values())
    # Of equal values, the mean may lie a rounding outside; a bar may not have a negative length.
    below = [max(mean - low, 0) for mean, low in zip(means, lowest, strict=True)]
    above = [max(high - mean, 0) for mean, high in zip(means, highest, strict=True)]
    return panel.errorbar(
        list(points), means, [below, above], color=colour, marker=marker, markersize=4, capsize=3
    )


def _table_line(cells: Sequence[object]) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"

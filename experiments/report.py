"""Rows of an experiment into its table and figure.

python -m experiments.report attention_and_length
"""

import argparse
import statistics
from pathlib import Path

from experiments.rows import HERE, read_rows
from experiments.run import EXPERIMENTS
from seqjax.report.lines import line_figure, markdown_table


def table(rows: list[dict[str, str]]) -> str:
    """Returns exact match, mean and range over seeds, for each run and group of lengths."""
    lines = []
    for kind in dict.fromkeys(row["run"] for row in rows):
        line = {"task": kind.split("-")[0], "attention": kind.split("-")[1]}
        for group in dict.fromkeys(row["group"] for row in rows):
            values = _values(rows, kind, group)
            line[f"{group} symbols"] = (
                f"{100 * statistics.fmean(values):.1f} "
                f"({100 * min(values):.1f}–{100 * max(values):.1f})"
            )
        line["seeds"] = str(len(values))
        lines.append(line)
    return markdown_table(lines)


def draw(rows: list[dict[str, str]], path: Path) -> None:
    """Draws exact match against source length, one panel for each task."""
    groups = list(dict.fromkeys(row["group"] for row in rows))
    tasks = dict.fromkeys(row["run"].split("-")[0] for row in rows)
    line_figure(
        {
            task: {
                label: {group: _values(rows, f"{task}-{kind}", group) for group in groups}
                for kind, label in (("general", "with attention"), ("none", "without"))
            }
            for task in tasks
        },
        path,
        x_label="source length (symbols)",
        y_label="exact match",
    )


def _values(rows: list[dict[str, str]], kind: str, group: str) -> list[float]:
    return [
        float(row["exact_match"]) for row in rows if row["run"] == kind and row["group"] == group
    ]


def main(argv: list[str] | None = None) -> None:
    """Writes `figure.svg` and prints the table."""
    parser = argparse.ArgumentParser(description="Table and figure of an experiment.")
    parser.add_argument("experiment", choices=EXPERIMENTS)
    folder = HERE / parser.parse_args(argv).experiment
    rows = read_rows(folder / "results.csv")
    draw(rows, folder / "figure.svg")
    print(table(rows))


if __name__ == "__main__":
    main()

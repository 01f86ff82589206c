"""Rows of `results/` into the tables of README and docs, so that no figure is typed by hand.

Where a document says `<!-- measured short: NAME NAME=BASELINE -->`, or `full: NAME NAME`, the table
of these measurements stands between this line and `<!-- end -->`; after `rows` it is a file as it
is.
"""

import re
import statistics
from collections.abc import Iterable
from pathlib import Path

from experiments.rows import RESULTS, read_rows
from experiments.tasks import MEASURED, PROBES
from seqjax.report.lines import markdown_table

ROOT = Path(__file__).parents[1]
SHOWN = MEASURED | PROBES
_SHARES = (
    *("accuracy", "macro_f1", "calibration_error", "exact_match", "token_accuracy"),
    *("token_error_rate", "character_error_rate", "span_f1", "frame_f1", "frame_accuracy"),
    *("response_accuracy", "dialogue_accuracy", "said_before"),
)
_DIGITS = {"loss": 3, "bits_per_token": 3, "loss_after_first": 3, "mean_squared_error": 6}
_NAMES = {"loss": "nats", "loss_after_first": "nats after the first step"} | {
    "bleu": "BLEU",
    "chrf": "chrF",
    "macro_f1": "macro F1",
    "frame_f1": "frame F1",
}
_TABLE = re.compile(r"(<!-- measured (short|full|rows): ([^>]*?) -->\n).*?(<!-- end -->)", re.S)


def short_table(names: Iterable[str]) -> str:
    """Returns a line for each measurement: its first metric, mean and range over seeds, beside that
    of a baseline where one is named after it (`sentiment=sentiment-bags`)."""
    pairs = (name.partition("=") for name in names)
    judged_by = {ours: baseline for ours, _, baseline in pairs}
    return _table(
        [
            {
                "data": SHOWN[name].data,
                "model": SHOWN[name].model,
                "test result": _score(rows, next(iter(SHOWN[name].metrics))),
                "baseline": _baseline(judged_by[name], next(iter(SHOWN[name].metrics))),
                "published": next(iter(SHOWN[name].metrics.values())),
                "minutes": _usual(rows, "minutes"),
            }
            for name, rows in _measured(judged_by)
        ]
    )


def full_table(names: Iterable[str]) -> str:
    """Returns a line for each measurement and metric, with what it took."""
    return _table(
        [
            {
                "name": f"`{name}`",
                "model": SHOWN[name].model,
                "test result": _score(rows, metric),
                "published": published,
                "parameters": f"{int(rows[0]['parameters']):,}" if rows[0]["parameters"] else "",
                "minutes": _usual(rows, "minutes"),
                "load": _usual(rows, "load"),
                "commit": ", ".join(dict.fromkeys(row["commit"] for row in rows)),
            }
            for name, rows in _measured(names)
            for metric, published in SHOWN[name].metrics.items()
        ]
    )


def rows_table(names: Iterable[str]) -> str:
    """Returns what files of rows hold, but for when and by which commit."""
    return _table(
        [
            {key: value for key, value in row.items() if key not in ("date", "commit")}
            for name in names
            for row in read_rows(RESULTS / f"{name}.csv")
        ]
    )


def write_tables(root: Path = ROOT) -> list[str]:
    """Puts the tables where documents have them; returns the documents that changed."""
    changed = []
    for path in (root / "README.md", *sorted((root / "docs").rglob("*.md"))):
        before = path.read_text(encoding="utf-8")
        after = _TABLE.sub(_filled, before)
        if after != before:
            path.write_text(after, encoding="utf-8")
            changed.append(str(path.relative_to(root)))
    return changed


def _table(rows: list[dict[str, str]]) -> str:
    return markdown_table(rows) if rows else "Not measured yet."


def _filled(found: re.Match[str]) -> str:
    head, kind, names, end = found.groups()
    tables = {"short": short_table, "full": full_table, "rows": rows_table}
    return f"{head}{tables[kind](names.split())}\n{end}"


def _measured(names: Iterable[str]) -> Iterable[tuple[str, list[dict[str, str]]]]:
    return ((name, rows) for name in names if (rows := _latest(read_rows(RESULTS / f"{name}.csv"))))


def _baseline(name: str, metric: str) -> str:
    """Returns what it is and has, or nothing where none is named or it was not measured."""
    found = [
        f"{_score(rows, metric, bare=True)}: {SHOWN[name].model}"
        for name, rows in _measured([name])
    ]
    return "".join(found)


def _latest(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """Those of the command that was measured last: other settings are no other seeds. Of a seed
    that was measured twice, the last."""
    found = {
        (row["seed"], row["metric"]): row for row in rows if row["command"] == rows[-1]["command"]
    }
    return list(found.values())


def _score(rows: list[dict[str, str]], metric: str, *, bare: bool = False) -> str:
    """Returns the mean over seeds, with its name and the range unless it is to be bare."""
    values = [float(row["value"]) for row in rows if row["metric"] == metric]
    share = metric in _SHARES
    mean, low, high = (
        _percent(value) if share else f"{value:.{_DIGITS.get(metric, 1)}f}"
        for value in (statistics.fmean(values), min(values), max(values))
    )
    if bare:
        return f"{mean}{' %' if share else ''}"
    said = f"{_NAMES.get(metric, metric.replace('_', ' '))} {mean}{' %' if share else ''}"
    return said if len(values) == 1 else f"{said} ({low}–{high}, {len(values)} seeds)"


def _percent(share: float) -> str:
    """Returns a share of a hundred: what is not all of it does not look like all of it."""
    said = f"{100 * share:.1f}"
    return f"{100 * share:.2f}" if said == "100.0" and share < 1 else said


def _usual(rows: list[dict[str, str]], column: str) -> str:
    """Returns the median of the runs: a machine that was shared makes some of them much longer."""
    values = [float(row[column]) for row in rows if row[column]]
    return f"{statistics.median(values):.1f}" if values else ""

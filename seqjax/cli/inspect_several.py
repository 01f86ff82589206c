"""`seqjax inspect RUN RUN ...`: several runs side by side."""

import dataclasses
import json
import os
from typing import Any

from seqjax.cli.inspect_runs import flat
from seqjax.cli.screen import PERCENT
from seqjax.rundir import open_run
from seqjax.rundir.weights import load_weights

SCORES = ("loss", "perplexity", "exact_match", "token_error_rate", "bleu")
WIDTH = 100
"""Characters of a line; runs that do not fit beside one another go into further tables."""
NOTHING = "-"


def run(paths: tuple[str, ...], *, as_json: bool) -> int:
    """Shows in what the runs differ, and what they have come to."""
    runs = [summary(path) for path in paths]
    if as_json:
        print(json.dumps({"runs": runs, "settings": differing(runs)}, ensure_ascii=False))
        return 0
    for line in table(runs):
        print(line)
    return 0


def summary(path: str) -> dict[str, Any]:
    """Returns what a run has come to, plain JSON: all of it stands in its files.

    `best` has the scores of the validation that the best weights are of, `last` those of the last
    one; `final_loss` is that of the last line of training.
    """
    found = open_run(path)
    rows = found.history.rows()
    validations = [row for row in rows if row["event"] == "validation"]
    trained = [row for row in rows if row["event"] == "train"]
    best = [row for row in validations if row.get("best")]
    params, _ = load_weights(found.best_weights)
    everything = [row for row in rows if "step" in row]
    return {
        "run": path,
        "parameters": _size(params),
        "steps": max((row["step"] for row in everything), default=0),
        "epochs": max((row.get("epoch", 0) for row in everything), default=0),
        "seconds": max((row.get("seconds", 0.0) for row in everything), default=0.0),
        "final_loss": trained[-1]["loss"] if trained else None,
        "best_step": best[-1]["step"] if best else None,
        "best": {name: best[-1][name] for name in SCORES if best and name in best[-1]},
        "last": {name: validations[-1].get(name) for name in SCORES if validations},
        "warnings": sorted({row["code"] for row in rows if row["event"] == "warning"}),
        "config": dataclasses.asdict(found.read_config()),
    }


def differing(runs: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """Returns the settings that are not the same in all runs, with the value of each run."""
    settings = [dict(flat(found["config"])) for found in runs]
    names = [name for name in settings[0] if name != "run_dir"]
    values = {name: [one.get(name) for one in settings] for name in names}
    return {name: row for name, row in values.items() if any(value != row[0] for value in row)}


def table(runs: list[dict[str, Any]]) -> list[str]:
    """Returns the lines of one table, or of several where runs do not fit beside one another."""
    rows: list[tuple[str, list[str]]] = [("run", _names(runs))]
    rows += [(name, [_said(value) for value in row]) for name, row in differing(runs).items()]
    rows.append(("parameters", [f"{found['parameters']:,}" for found in runs]))
    for name in SCORES:
        if any(name in found["best"] for found in runs):
            shown = [_score(name, found["best"].get(name)) for found in runs]
            rows.append((f"best {name}", shown))
    for name in ("best_step", "steps", "epochs", "seconds"):
        rows.append((name.replace("_", " "), [_number(found[name]) for found in runs]))
    rows.append(("final training loss", [_score("loss", found["final_loss"]) for found in runs]))
    rows.append(("warnings", [" ".join(found["warnings"]) or NOTHING for found in runs]))
    label = max(len(name) for name, _ in rows)
    room = WIDTH - label - 2
    widths = [min(max(len(row[i]) for _, row in rows), room - 2) for i in range(len(runs))]
    lines, first = [], 0
    while first < len(runs):
        last = first + 1
        while last < len(runs) and sum(widths[first : last + 1]) + 2 * (last + 1 - first) <= room:
            last += 1
        lines += [""] if lines else []
        for name, row in rows:
            cells = [_cut(row[i], widths[i]).rjust(widths[i]) for i in range(first, last)]
            lines.append(f"{name:<{label}}  " + "  ".join(cells))
        first = last
    return lines


def _names(runs: list[dict[str, Any]]) -> list[str]:
    """Paths without what all of them begin with."""
    paths = [os.path.normpath(found["run"]) for found in runs]
    parents = {os.path.dirname(path) for path in paths}
    return [os.path.basename(path) for path in paths] if len(parents) == 1 else paths


def _size(tree: Any) -> int:
    if isinstance(tree, dict):
        return sum(map(_size, tree.values()))
    return int(tree.size)


def _score(name: str, value: float | None) -> str:
    if value is None:
        return NOTHING
    return f"{100 * value:.2f} %" if name in PERCENT else f"{value:.4f}"


def _number(value: int | float | None) -> str:
    return NOTHING if value is None else f"{value:,.0f}"


def _said(value: Any) -> str:
    if isinstance(value, tuple | list):
        return " ".join(map(str, value)) or NOTHING
    return NOTHING if value is None else str(value)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"

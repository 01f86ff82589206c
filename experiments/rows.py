"""What was measured, as rows of a file: read, appended to, and by which commit."""

import csv
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
RESULTS = HERE.parent / "results"
"""Of tasks on real data, a file a measurement."""
RESULT_COLUMNS = (
    *("data", "seed", "metric", "value", "published", "examples", "parameters", "minutes"),
    *("load", "best_step", "command", "date", "commit"),
)


def read_rows(path: Path) -> list[dict[str, str]]:
    """Returns the rows of a results table; none if it is not there."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def append_rows(path: Path, columns: Sequence[str], rows: Sequence[dict[str, Any]]) -> None:
    """Adds rows to a results table, which is made where it is not there."""
    path.parent.mkdir(exist_ok=True)
    new = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        if new:
            writer.writeheader()
        writer.writerows(rows)


def commit() -> str:
    """Returns the commit that is checked out, or `unknown`."""
    words = ("git", "-C", str(HERE), "rev-parse", "--short", "HEAD")
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"

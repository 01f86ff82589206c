"""What was measured while a run trained: one JSON object a line, in the order of training."""

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

from seqjax.errors import InputError
from seqjax.files import parse_json, read_text, with_nulls, write_text, writing


@dataclasses.dataclass(frozen=True)
class History:
    """The rows of one run. Making one touches nothing on disk.

    Attributes:
      path: The file.
    """

    path: Path

    def append(self, row: dict[str, Any]) -> None:
        """Adds one line. Numbers that are not finite are stored as null."""
        with writing(self.path), self.path.open("a", encoding="utf-8", newline="\n") as file:
            file.write(_json_line(row))

    def rows(self) -> list[dict[str, Any]]:
        """Returns the rows, with NaN where null is stored; none without a file.

        A last line that was cut off, when the machine stopped, is left out.

        Raises:
          InputError: If any other line is not a JSON object with a number for `step` and a text for
            `event`, if it has them.
        """
        lines = read_text(self.path).split("\n") if self.path.exists() else []
        while lines and not lines[-1]:
            lines.pop()
        rows = []
        for number, line in enumerate(lines, start=1):
            row = _row(line)
            if row is not None:
                rows.append({key: math.nan if row[key] is None else row[key] for key in row})
            elif number < len(lines):
                raise InputError(f"{self.path}:{number}: not a row of a history; delete this line")
        return rows

    def keep_until(self, step: int, *, validated: int | None = None, rolled_back: int = 0) -> None:
        """Rewrites the file without what training that goes on from `step` writes again, and
        without a torn line. Rows that name no step stay.

        Args:
          step: The step that training goes on from.
          validated: When its last validation was; by default `step`.
          rolled_back: The step from which it has once gone back; 0 if it has not.
        """
        if not self.path.exists():
            return
        until = {"validation": step if validated is None else validated}

        def stays(row):
            if row.get("event") == "rollback" and row.get("from_step", 0) > rolled_back:
                return False
            return row.get("step", step) <= until.get(row.get("event"), step)

        text = "".join(_json_line(row) for row in self.rows() if stays(row))
        if text != read_text(self.path):
            write_text(self.path, text)


def _json_line(row: dict[str, Any]) -> str:
    return json.dumps(with_nulls(row), allow_nan=False) + "\n"


def _row(line: str) -> dict[str, Any] | None:
    """A line of the history; None if it is anything else."""
    try:
        row = parse_json(line)
    except ValueError:
        return None
    is_row = (
        isinstance(row, dict)
        and type(row.get("step", 0)) is int
        and type(row.get("event", "")) is str
    )
    return row if is_row else None

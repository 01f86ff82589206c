"""Experiments run: every grid, made small."""

import pytest

from experiments import report, run
from experiments.attention_and_length import grid

pytestmark = pytest.mark.standard_promotion


def test_every_grid_has_three_seeds_of_everything(capsys):
    run.main(["attention_and_length", "--dry-run"])
    names = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    kinds = [name.rsplit("-", 1)[0] for name in names]
    assert names == list(grid.grid()) and all(kinds.count(kind) >= 3 for kind in kinds)


@pytest.mark.parametrize(
    "name", ("copy-general-0", pytest.param("reverse-none-1", marks=pytest.mark.slow))
)
def test_a_run_of_the_grid_gives_its_rows(name):
    rows = run.run_one(name, grid.smoke(grid.grid()[name]), grid.LENGTH_GROUPS)
    assert [row["group"] for row in rows] == ["1-5", "6-10", "11-15", "16-20"]
    assert rows[0]["sentences"] + rows[1]["sentences"] > 0
    assert all(0 <= row["exact_match"] <= 1 for row in rows)


def test_rows_become_a_table_and_a_figure(tmp_path):
    rows = [
        {"run": f"copy-{kind}", "seed": seed, "group": group, "exact_match": value}
        for kind, value in (("general", "1.0"), ("none", "0.5"))
        for seed in "012"
        for group in ("1-5", "6-10")
    ]
    assert "| copy | none | 50.0 (50.0–50.0) | 50.0 (50.0–50.0) | 3 |" in report.table(rows)
    report.draw(rows, tmp_path / "figure.svg")
    assert (tmp_path / "figure.svg").read_text().startswith("<?xml")

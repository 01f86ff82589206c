"""Experiments run: every grid, made small."""

import functools
from types import SimpleNamespace

import numpy as np
import pytest

from experiments import measure, report, run, tables
from experiments.attention_and_length import grid
from experiments.rows import RESULT_COLUMNS, RESULTS, read_rows
from experiments.tasks import MEASURED, strings
from seqjax.build import splits
from seqjax.cli.flags import train_flags
from seqjax.train.loop import INTERRUPTED

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


def test_flags_of_measurements_are_flags_and_their_scores_are_named_once(capsys):
    for chosen in MEASURED.values():
        files = ["--train", "train.txt", "--valid", "valid.txt"] if chosen.prepare else []
        train_flags([*files, *chosen.flags.split()])
        assert chosen.metrics
    measure.main(["--list"])
    assert capsys.readouterr().out.count("\n") == len(MEASURED)


def test_the_last_rows_of_a_measurement_are_of_the_settings_that_are_named():
    last = {name: read_rows(RESULTS / f"{name}.csv")[-1:] for name in MEASURED}
    found = {name: row["command"] for name, rows in last.items() for row in rows}
    assert found == {name: f"seqjax train {MEASURED[name].flags}" for name in found} and found


def test_rows_of_measurements_become_a_mean_and_a_range(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "RESULTS", tmp_path)
    rows = "sentiment,{},accuracy,{},published,1821,1000,{},,7,seqjax train,2026-01-01,abc\n"
    lines = [rows.format(seed, value, 2 + seed) for seed, value in enumerate((0.8, 0.9, 0.7))]
    lines.insert(0, rows.format(3, 0.1, 9).replace("train", "train --epochs 1"))  # other settings
    lines.insert(1, rows.format(0, 0.2, 9))  # seed 0, measured once more below
    (tmp_path / "sentiment.csv").write_text(",".join(RESULT_COLUMNS) + "\n" + "".join(lines))
    short = tables.short_table(["sentiment", "digits"])
    assert "| accuracy 80.0 % (70.0–90.0, 3 seeds) |  | 84.9" in short and "spoken" not in short
    assert short.endswith("| 3.0 |")
    bags = rows.format(0, 0.5, 1).replace("sentiment", "sentiment-bags")
    (tmp_path / "sentiment-bags.csv").write_text(",".join(RESULT_COLUMNS) + "\n" + bags)
    both = tables.short_table(["sentiment=sentiment-bags"])
    assert "3 seeds) | 50.0 %: bags of words and characters, logistic regression | 84.9" in both
    page = tmp_path / "README.md"
    page.write_text("a\n<!-- measured short: sentiment -->\nold\n<!-- end -->\nb\n")
    (tmp_path / "docs").mkdir()
    assert tables.write_tables(tmp_path) == ["README.md"]
    assert page.read_text() == (
        f"a\n<!-- measured short: sentiment -->\n{short}\n<!-- end -->\nb\n"
    )
    assert tables.write_tables(tmp_path) == []


@pytest.mark.parametrize(("share", "said"), [(0.9936, "99.4"), (0.9995, "99.95"), (1.0, "100.0")])
def test_what_is_not_all_of_it_does_not_look_like_all_of_it(tmp_path, monkeypatch, share, said):
    monkeypatch.setattr(tables, "RESULTS", tmp_path)
    row = f"sentiment,0,accuracy,{share},,1821,1000,2,,7,seqjax train,2026-01-01,abc\n"
    (tmp_path / "sentiment.csv").write_text(",".join(RESULT_COLUMNS) + "\n" + row)
    assert f"| accuracy {said} % |" in tables.short_table(["sentiment"])


def test_tables_of_the_documentation_are_those_of_the_results(tmp_path):
    for path in (tables.ROOT / "README.md", *(tables.ROOT / "docs").rglob("*.md")):
        copy = tmp_path / path.relative_to(tables.ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    assert tables.write_tables(tmp_path) == []


def test_built_in_data_is_measured_on_its_own_test_split(tmp_path, monkeypatch):
    few = functools.partial(splits.make_numbers, held_out=15)
    monkeypatch.setattr(splits, "make_numbers", few)
    chosen = MEASURED["numbers-rules"]
    short = chosen._replace(flags=f"{chosen.flags} --data.examples 30")
    monkeypatch.setitem(MEASURED, "numbers-rules", short)
    (row,) = measure.measure("numbers-rules", 3, None, tmp_path)
    assert (row["metric"], row["value"], row["examples"], row["seed"]) == (
        "exact_match",
        1.0,
        15,
        3,
    )


def test_digits_are_joined_with_pauses_and_speakers_are_apart():
    names = [set(speakers) for speakers in strings.SPEAKERS.values()]
    assert sum(map(len, names)) == len(set.union(*names)) == 6
    tone = np.sin(np.arange(800) / 3)
    for varied in (False, True):
        made = strings.joined([tone, tone, tone], np.random.default_rng(0), varied=varied)
        loud = np.abs(made) > 0.05
        inner = np.flatnonzero(np.diff(np.flatnonzero(loud)) > strings.PAUSE[0] * strings.RATE / 2)
        assert len(inner) == 2 and np.abs(made).max() <= 1.0
        spoken = len(made) - 4 * strings.RATE * np.array(strings.PAUSE)[::-1]
        assert spoken[0] <= 3 * 800 / (strings.SPEED[0] if varied else 1) and spoken[1] > 0
    again = strings.joined([tone], np.random.default_rng(1), varied=False)
    np.testing.assert_array_equal(
        again, strings.joined([tone], np.random.default_rng(1), varied=False)
    )


def test_a_training_that_was_stopped_is_not_measured(tmp_path, monkeypatch):
    stopped = SimpleNamespace(reason=INTERRUPTED)
    monkeypatch.setattr(measure.road, "train", lambda config: stopped)
    chosen = MEASURED["sentiment"]._replace(prepare=lambda data, work: None)
    monkeypatch.setitem(MEASURED, "sentiment", chosen)
    with pytest.raises(SystemExit, match="sentiment: the training was stopped"):
        measure.measure("sentiment", 0, tmp_path, tmp_path)

"""Several runs side by side: what differs between them, and what they have come to."""

import json

import numpy as np
import pytest
from cli.commands import one_line_error, seqjax

from seqjax.config import Config, ModelConfig
from seqjax.rundir import create_run, save_weights


@pytest.fixture
def runs(tmp_path):
    """Three runs that differ in their width and their seed, as files; nothing is trained."""
    paths = []
    for number, width in enumerate((8, 16, 16)):
        run = create_run(tmp_path / f"width-{width}-{number}")
        config = Config(seed=number, model=ModelConfig(hidden_size=width), run_dir=str(run.path))
        run.write_config(config)
        save_weights(run.best_weights, {"encoder": {"kernel": np.zeros((width, 3))}}, {})
        for step, loss in ((20, 3.0), (40, 2.5)):
            row = {"epoch": step // 20, "seconds": step / 10 + number}
            run.history.append({"event": "train", "step": step, "loss": loss, **row})
            scores = {"loss": loss - number, "exact_match": 0.25 * number, "best": step == 20}
            run.history.append({"event": "validation", "step": step, **scores, **row})
        paths.append(run.path)
    warning = {"event": "warning", "step": 40, "epoch": 2, "code": "SJ-T04", "text": "clipped"}
    create_run(paths[1]).history.append(warning)
    return paths


def cells(line):
    return [cell.strip() for cell in line.split("  ") if cell.strip()]


def test_a_table_has_what_differs_and_what_runs_have_come_to(runs, capsys):
    assert seqjax("inspect", *runs) == 0
    shown = capsys.readouterr().out.splitlines()
    lines = {row[0]: row[1:] for row in map(cells, shown)}
    assert max(map(len, shown)) <= 100
    assert lines["run"] == ["width-8-0", "width-16-1", "width-16-2"]
    assert lines["model.hidden_size"] == ["8", "16", "16"] and lines["seed"] == ["0", "1", "2"]
    assert "model.cell" not in lines and "run_dir" not in lines
    assert lines["parameters"] == ["24", "48", "48"]
    assert lines["best loss"] == ["3.0000", "2.0000", "1.0000"]  # not the last, the best
    assert lines["best exact_match"] == ["0.00 %", "25.00 %", "50.00 %"]
    assert lines["best step"] == ["20", "20", "20"] and lines["steps"] == ["40", "40", "40"]
    assert lines["seconds"] == ["4", "5", "6"]
    assert lines["final training loss"] == ["2.5000", "2.5000", "2.5000"]
    assert lines["warnings"] == ["-", "SJ-T04", "-"]


def test_runs_that_do_not_fit_beside_one_another_go_below(runs, capsys):
    assert seqjax("inspect", *(runs * 4)) == 0
    shown = capsys.readouterr().out.splitlines()
    assert max(map(len, shown)) <= 100
    named = [row[1:] for row in map(cells, shown) if row[:1] == ["run"]]
    assert len(named) > 1
    assert [name for row in named for name in row] == [path.name for path in runs] * 4


def test_the_same_is_there_as_json(runs, capsys):
    assert seqjax("inspect", *runs, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["settings"] == {"seed": [0, 1, 2], "model.hidden_size": [8, 16, 16]}
    assert [run["best"]["loss"] for run in found["runs"]] == [3.0, 2.0, 1.0]
    assert found["runs"][1]["warnings"] == ["SJ-T04"]


def test_what_is_no_run_is_said_in_one_line(runs, tmp_path, capsys):
    assert "there is no such run" in one_line_error(capsys, "inspect", runs[0], tmp_path / "none")

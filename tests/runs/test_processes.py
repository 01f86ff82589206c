"""Several processes train as one does, stop together, and go on in any number."""

import signal

import numpy as np
import pytest
from runs import together

from seqjax.rundir import RunDir

SLOW = pytest.mark.slow


def assert_same(found, wanted, rtol=1e-6):
    np.testing.assert_allclose(found["losses"], wanted["losses"][-len(found["losses"]) :], rtol)
    for name, values in wanted["params"].items():
        np.testing.assert_allclose(found["params"][name], values, atol=1e-5, err_msg=name)


@SLOW
def test_two_processes_learn_what_one_does(tmp_path):
    one = together.train(1, tmp_path / "one", 7)
    two = together.train(2, tmp_path / "two", 7)
    assert len(two["losses"]) == 7
    assert_same(two, one)
    files = sorted(path.name for path in (tmp_path / "two" / "checkpoints" / "7").iterdir())
    assert [name for name in files if name.startswith("arrays")] == [
        "arrays-00000-of-00002.safetensors",
        "arrays-00001-of-00002.safetensors",
    ]


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    """What a single process learns in 17 steps."""
    return together.train(1, tmp_path_factory.mktemp("one") / "run", 17)


@SLOW
@pytest.mark.parametrize(
    ("count", "mesh"), ((2, {}), (4, {}), (2, {"model": 2}), (4, {"model": 2}))
)
def test_more_processes_learn_what_one_does(tmp_path, one, count, mesh):
    found = together.train(count, tmp_path / "run", 17, **mesh)
    assert bool(found["dealt"]) == bool(mesh)
    assert_same(found, one)


@SLOW
@pytest.mark.parametrize("count", (1, 4))
def test_what_two_have_saved_any_number_goes_on_from(tmp_path, one, count):
    together.train(2, tmp_path / "run", 7)
    gone_on = together.train(count, tmp_path / "run", 17)
    assert len(gone_on["losses"]) == 10
    assert_same(gone_on, one)


@SLOW
def test_the_first_one_decodes_for_all(tmp_path):
    alone = together.train(1, tmp_path / "alone", 13, task="pairs")
    assert_same(together.train(2, tmp_path / "two", 13, task="pairs"), alone)
    rows = [
        [row for row in RunDir(tmp_path / name).history.rows() if row["event"] == "validation"]
        for name in ("alone", "two")
    ]
    assert len(rows[0]) == len(rows[1]) == 3
    for ours, theirs in zip(*rows, strict=True):
        assert ours["token_error_rate"] == theirs["token_error_rate"]
        assert ours["loss"] == pytest.approx(theirs["loss"], rel=1e-6)


@SLOW
def test_one_that_is_asked_to_stop_stops_all_and_all_go_on(tmp_path, one):
    strikes = [(1, 7, signal.SIGTERM)]
    found = together.end(together.begin(2, tmp_path / "run", 17, strikes=strikes))
    assert [code for code, _, _ in found] == [75, 75], found
    assert 7 <= found[0][1]["step"] == found[1][1]["step"] < 17
    gone_on = together.train(2, tmp_path / "run", 17)
    assert len(gone_on["losses"]) == 17 - found[0][1]["step"]
    assert_same(gone_on, one)


@SLOW
@pytest.mark.parametrize("dies", (0, 1))
def test_one_that_is_killed_ends_all_with_one_line_and_all_go_on(tmp_path, one, dies):
    strikes = [(dies, 8, signal.SIGKILL)]
    found = together.end(together.begin(2, tmp_path / "run", 17, strikes=strikes), within=90)
    lives = found[1 - dies]
    assert found[dies][0] == -signal.SIGKILL
    assert lives[0] == 75, lives
    assert lives[2].count("\n") == 1
    assert lives[2].startswith("stopped  another process of this training has gone; start all of")
    gone_on = together.train(2, tmp_path / "run", 17)
    assert len(gone_on["losses"]) >= 17 - 8
    assert_same(gone_on, one)


@SLOW
def test_processes_that_read_different_data_are_refused(tmp_path):
    (tmp_path / "run.train").write_text(together.TEXT, encoding="utf-8")
    (tmp_path / "run.valid").write_text(together.TEXT, encoding="utf-8")
    (tmp_path / "other.txt").write_text(together.TEXT * 2, encoding="utf-8")
    train = {1: (str(tmp_path / "other.txt"),)}
    found = together.end(together.begin(2, tmp_path / "run", 3, train_of=train))
    assert [code for code, _, _ in found] == [2, 2], found
    for _, _, said in found:
        assert said.startswith("error: ") and "process 1 has read other training data" in said

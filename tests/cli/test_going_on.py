"""What `seqjax train` does in a directory that is used: goes on, does nothing, or says why not."""

import json
import shutil

import pytest
from cli.commands import SMALL, one_line_error, seqjax, train

from seqjax.rundir import locked

AGAIN = ("--steps", "12", "--validation.every", "6")


@pytest.fixture
def copy(run, tmp_path):
    shutil.copytree(run, tmp_path / "run")
    return tmp_path / "run"


def words(files, run, *more):
    data = ("--train", files / "pairs.tsv", "--valid", files / "valid.tsv")
    return ("train", *data, "--run-dir", run, *SMALL, *AGAIN, *more)


def contents(folder):
    return {
        path: (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_finished_run_is_not_touched(files, copy, capsys):
    before = contents(copy)
    assert train(files, copy, *AGAIN) == 0
    assert "done     already: 12 steps done at step 12; nothing was" in capsys.readouterr().err
    assert contents(copy) == before


def test_resume_must_and_never_are_held_to(files, copy, tmp_path, capsys):
    before = contents(copy)
    never = one_line_error(capsys, *words(files, copy, "--resume", "never"))
    assert f"{copy}: --resume never, but a run is there already" in never
    must = one_line_error(capsys, *words(files, tmp_path / "new", "--resume", "must"))
    assert f"{tmp_path / 'new'}: --resume must, but no checkpoint is there" in must
    both = one_line_error(capsys, *words(files, copy, "--resume", "must", "--overwrite"))
    assert "--overwrite leaves nothing to go on from" in both
    assert contents(copy) == before


def test_overwriting_waits_until_the_data_can_be_used(files, copy, tmp_path, capsys):
    before = contents(copy)
    (tmp_path / "bad.tsv").write_text("no tab\n")
    for bad, why in (("nowhere.tsv", "no such file"), ("bad.tsv", "bad.tsv:1:")):
        command = ("train", "--train", tmp_path / bad, "--run-dir", copy, "--overwrite")
        assert why in one_line_error(capsys, *command)
        assert contents(copy) == before


def test_a_finished_run_whose_checkpoints_are_gone_is_not_begun_anew(files, copy, capsys):
    shutil.rmtree(copy / "checkpoints")
    before = contents(copy)
    told = one_line_error(capsys, *words(files, copy))
    assert "no checkpoint is left of a training that has ended" in told
    assert contents(copy) == before


def test_a_second_trainer_is_refused_and_touches_nothing(files, copy, capsys):
    with locked(copy / "trainer.lock", print):
        before = contents(copy)
        for more in ((), ("--overwrite",)):
            error = one_line_error(capsys, *words(files, copy, *more))
            assert f"{copy}: another training is at work here (host " in error
        assert contents(copy) == before
        assert seqjax("inspect", copy, "--json") == 0  # reading needs no lock


def test_a_run_without_a_whole_checkpoint_is_not_begun_anew(files, copy, capsys):
    for path in (copy / "checkpoints").rglob("*.safetensors"):
        path.write_bytes(path.read_bytes()[:-1])
    error = one_line_error(capsys, *words(files, copy, "--steps", "18"))
    assert f"{copy}/checkpoints: no checkpoint is whole (steps 12, 6: arrays-" in error
    rows = (copy / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(row)["step"] for row in rows if "validation" in row] == [6, 12]


def test_a_run_of_format_1_is_refused_with_what_to_do(files, copy, capsys):
    document = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps({**document, "format_version": 1}))
    for command in (words(files, copy), ("decode", copy)):
        error = one_line_error(capsys, *command)
        assert "format_version must be 2, got 1; train again, or use the seqjax that" in error

"""Whatever call of a save is the last one, the step before it or the new one is there, whole."""

import subprocess
import sys

import pytest
from rundir import dying

from seqjax.rundir.steps import DamagedError, Steps

CALLS = 60
"""More than a save makes."""


def test_a_process_may_die_at_every_call_of_a_save(tmp_path):
    """Each time in a process of its own, which then makes no further call at all."""
    words = [sys.executable, dying.__file__, tmp_path]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    outcomes = done.stdout.split()
    assert outcomes[-1] == "done" and 20 < len(outcomes) < CALLS
    newest = [int(outcome.split(":")[0]) for outcome in outcomes[:-1]]
    assert newest == sorted(newest) and {2, 3} == set(newest)  # old, until the rename, then new


@pytest.mark.parametrize("wanted", ("rename", "fsync", "open", "mkdir"))
def test_a_call_that_fails_leaves_the_step_before_and_no_rubbish(tmp_path, monkeypatch, wanted):
    steps = Steps(tmp_path)
    dying.save(steps, 1)
    for number in range(1, 9):
        with monkeypatch.context() as patch:
            calls = dying.counted(patch.setattr, wanted, number, dying.fail)
            try:
                dying.save(steps, 2)
            except OSError as error:
                assert error.errno == 28
            else:
                assert len(calls) < number
                break
        steps.abandon(2)
        # The very last call, for the directory's names, may fail with the new step in its place.
        assert sorted(path.name for path in tmp_path.iterdir()) in (["1"], ["1", "2"])
        for step in steps.numbers():
            steps.verify(step)
    assert steps.numbers() == [1, 2]


def test_steps_are_pruned_only_below_the_one_that_is_whole(tmp_path):
    steps = Steps(tmp_path)
    for step in (8, 9, 10, 11):
        dying.save(steps, step, keep=9)
    (tmp_path / "note.txt").write_text("mine")
    steps.prune(10, keep=2)
    assert steps.numbers() == [9, 10] and (tmp_path / "note.txt").exists()


@pytest.mark.parametrize(
    "seal",
    (
        "[]",
        "{}",
        '{"format_version": 1, "step": 1, "files": []}',
        '{"format_version": 2, "step": 1, "files": {}}',
        '{"format_version": 1, "step": 2, "files": {}}',
        '{"format_version": 1, "step": 1, "files": {"../2/x": {"bytes": 1, "sha256": ""}}}',
        '{"format_version": 1, "step": 1, "files": {"/etc/passwd": {"bytes": 1, "sha256": ""}}}',
        '{"format_version": 1, "step": 1, "files": {".hidden": {"bytes": 1, "sha256": ""}}}',
        '{"format_version": 1, "step": 1, "files": {"x": {"bytes": "1", "sha256": ""}}}',
        '{"format_version": 1, "step": 1, "files": {"x": 3}}',
        '{"format_version": 1, "format_version": 1, "step": 1, "files": {}}',
        '{"files": ' + "[" * 100_000,
        '{"step": ' + "1" * 10_000 + "}",
        "NaN",
        "\x00",
    ),
)
def test_a_seal_that_says_anything_else_is_broken(tmp_path, seal):
    steps = Steps(tmp_path)
    dying.save(steps, 1)
    (tmp_path / "1" / "SEAL.json").write_text(seal)
    with pytest.raises(DamagedError, match="SEAL.json"):
        steps.verify(1)

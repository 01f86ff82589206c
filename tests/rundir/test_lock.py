"""One trainer a directory: who is refused is told by whom, and the dead hold nothing."""

import errno
import fcntl
import json
import os
import subprocess
import sys

import pytest

from seqjax.errors import InputError
from seqjax.rundir import locked
from seqjax.rundir.lock import _ourselves

HOLD = """
import sys
from pathlib import Path
from seqjax.rundir import locked
with locked(Path(sys.argv[1]), print):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    words = [sys.executable, "-c", HOLD, tmp_path / "lock"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as held:
        assert held.stdout is not None and held.stdout.readline() == "held\n"
        yield held
        held.kill()


def refuse(text):
    raise AssertionError(text)


def test_a_second_trainer_is_refused_and_a_killed_one_holds_nothing(tmp_path, holder):
    with (
        pytest.raises(InputError, match=rf"at work here \(host \S+, process {holder.pid}, since 2"),
        locked(tmp_path / "lock", refuse),
    ):
        pass
    holder.kill()
    holder.wait()
    assert json.loads((tmp_path / "lock").read_text())["pid"] == holder.pid  # left behind
    with locked(tmp_path / "lock", refuse):
        assert json.loads((tmp_path / "lock").read_text())["pid"] == os.getpid()
    assert not (tmp_path / "lock").exists()


def test_a_lock_that_was_removed_meanwhile_is_not_held(tmp_path, monkeypatch):
    """Its holder went between our opening the file and our locking it."""

    path, real, calls = tmp_path / "lock", fcntl.flock, []

    def flock(descriptor, how):
        calls.append(how)
        if len(calls) == 1:
            path.unlink()
        real(descriptor, how)

    monkeypatch.setattr("fcntl.flock", flock)
    with locked(path, refuse):
        assert len(calls) == 2 and json.loads(path.read_text())["pid"] == os.getpid()


@pytest.fixture
def no_locks(monkeypatch):
    def flock(descriptor, how):
        raise OSError(errno.ENOTSUP, "Operation not supported")

    monkeypatch.setattr("fcntl.flock", flock)


@pytest.mark.usefixtures("no_locks")
@pytest.mark.parametrize(
    ("changes", "taken"),
    (
        ({}, False),
        ({"pid": 2**22 + 1}, True),  # no system has so many
        ({"boot": "before"}, True),
        ({"host": "elsewhere"}, False),
        ({"pid": "1; rm"}, True),
        ({"pid": -1}, True),
    ),
)
def test_without_locks_what_the_file_says_decides(tmp_path, changes, taken):
    path = tmp_path / "lock"
    path.write_text(json.dumps({**_ourselves(), **changes}))
    notes = []
    if taken:
        with locked(path, notes.append):
            assert json.loads(path.read_text())["pid"] == os.getpid()
        assert len(notes) == 1 and "has no locks" in notes[0]
    else:
        with pytest.raises(InputError, match="another training is at work"), locked(path, refuse):
            pass


@pytest.mark.parametrize("content", (b"", b"\xff", b"[]", b"{" * 5_000, b'{"pid": 1e999}'))
def test_nonsense_in_a_lock_that_nobody_holds_is_no_hindrance(tmp_path, content):
    (tmp_path / "lock").write_bytes(content)
    with locked(tmp_path / "lock", refuse):
        pass


def test_a_link_or_a_pipe_is_no_lock(tmp_path):
    (tmp_path / "lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="cannot be written"), locked(tmp_path / "lock", refuse):
        pass
    assert not (tmp_path / "elsewhere").exists()

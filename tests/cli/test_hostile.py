"""Run directories of strangers: each is refused in one line, without memory, waiting or code."""

import json
import os
import pickle
import resource
import shutil
import zipfile

import numpy as np
import pytest
from cli.commands import SMALL, one_line_error

from seqjax.rundir.steps import SEAL, Steps
from seqjax.rundir.tensors import write_tensors

CANARY = "/tmp/seqjax-hostile-canary"


class Evil:
    """What runs when it is unpickled."""

    def __reduce__(self):
        return os.mkdir, (CANARY,)


def edited(name, edit):
    def change(run):
        document = json.loads((run / name).read_text())
        edit(document)
        (run / name).write_text(json.dumps(document))

    return change


def written(name, content):
    return lambda run: (run / name).write_bytes(content)


def put(name, make):
    def change(run):
        path = run / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        make(path)

    return change


def archive(path):
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("../../escaped", "x")
        file.writestr("encoder.npy", bytes(200))


def claimed(header):
    text = json.dumps(header).encode()
    return written("best.safetensors", len(text).to_bytes(8, "little") + text + bytes(64))


def doubled(name):
    def change(run):
        text = (run / name).read_text()
        first = next(iter(json.loads(text)))
        (run / name).write_text(f'{{"{first}": 2, ' + text.strip()[1:])

    return change


def wrong_dtype(run):
    write_tensors(run / "best.safetensors", {"x/y": np.zeros(3, np.int8)}, {})


HOSTILE = {
    "a link outwards": put("best.safetensors", lambda path: path.symlink_to("/etc/hostname")),
    "a link outwards, deep": lambda run: (run / "vocabulary" / "x").symlink_to("/etc/hostname"),
    "a link outwards in a step": lambda run: (run / "checkpoints" / "12" / "x").symlink_to("/etc"),
    "a link of dots": put("data.json", lambda path: path.symlink_to("../../../etc/hostname")),
    "a pipe for settings": put("config.json", os.mkfifo),
    "a pipe for weights": put("best.safetensors", os.mkfifo),
    "a pipe for a vocabulary": put("vocabulary/source.json", os.mkfifo),
    "a pipe for statistics": put("data.json", os.mkfifo),
    "a directory for weights": put("best.safetensors", lambda path: path.mkdir()),
    "a pickle for weights": written("best.safetensors", pickle.dumps(Evil())),
    "a pickle for settings": written("config.json", pickle.dumps(Evil())),
    "a pickle for statistics": written("data.json", pickle.dumps(Evil())),
    "an archive for weights": put("best.safetensors", archive),
    "objects for weights": written("best.safetensors", b"\x93NUMPY\x01\x00v\x00{'descr': '|O'}"),
    "a header beyond the file": written("best.safetensors", (2**40).to_bytes(8, "little") + b"{}"),
    "a claim of petabytes": claimed(
        {"x": {"dtype": "F32", "shape": [2**48], "data_offsets": [0, 2**50]}}
    ),
    "a shape that lies": claimed(
        {"x": {"dtype": "F32", "shape": [2**48], "data_offsets": [0, 64]}}
    ),
    "an empty shape that is huge": claimed(
        {"x": {"dtype": "F32", "shape": [2**61, 2**61, 0], "data_offsets": [0, 0]}}
    ),
    "an unknown dtype": claimed({"x": {"dtype": "os", "shape": [4], "data_offsets": [0, 64]}}),
    "weights of another kind": wrong_dtype,
    "nesting": written("config.json", b'{"config": ' * 50_000),
    "nesting in statistics": written("data.json", b"[" * 100_000),
    "nesting in a vocabulary": written("vocabulary/target.json", b"[" * 100_000),
    "a number of 10000 digits": written("config.json", b'{"format_version": ' + b"9" * 10_000),
    "NaN": edited("config.json", lambda d: d["config"]["model"].update(dropout=float("nan"))),
    "a name twice": doubled("config.json"),
    "a name twice in statistics": doubled("data.json"),
    "a module to import": edited("config.json", lambda d: d["config"].update(task="os.system")),
    "a class to make": edited(
        "config.json", lambda d: d["config"]["model"].update({"__class__": "subprocess.Popen"})
    ),
    "a model of petabytes": edited(
        "config.json",
        lambda d: d["config"]["model"].update(hidden_size=2**30, embedding_size=2**30),
    ),
    "batches of petabytes": edited("data.json", lambda d: d.update(shapes=[[2**40, 2**40, 4]])),
    "answers of petabytes": edited("data.json", lambda d: d.update(longest_target=2**40)),
    "shapes that are texts": edited("data.json", lambda d: d.update(shapes=["__import__"])),
    "statistics that are a list": written("data.json", b"[]"),
    "a vocabulary with a name twice": doubled("vocabulary/source.json"),
    "a version to come": edited("config.json", lambda d: d.update(format_version=99)),
    "the version before": edited("config.json", lambda d: d.update(format_version=1)),
    "a version that is true": edited("config.json", lambda d: d.update(format_version=True)),
}


@pytest.fixture(autouse=True)
def little_memory():
    """What a claim would take is not there to be taken."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (64 << 30, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_run_is_refused_in_one_line(run, tmp_path, capsys, name):
    hostile = tmp_path / "run"
    shutil.copytree(run, hostile)
    HOSTILE[name](hostile)
    before = sorted(path for path in tmp_path.rglob("*") if path.name != "trainer.lock")
    number = list(HOSTILE).index(name)
    error = one_line_error(capsys, ("evaluate", "decode", "inspect")[number % 3], hostile)
    assert str(hostile) in error and len(error) < 500
    assert sorted(path for path in tmp_path.rglob("*")) == before
    assert not os.path.exists(CANARY)


def resealed(run, name, change):
    """Changes a file of the newest step and seals it anew, as a stranger can."""
    steps = Steps(run / "checkpoints")
    newest = steps.numbers()[-1]
    for step in steps.numbers()[:-1]:
        steps.remove(step)
    hidden = run / "checkpoints" / f".{newest}.new"
    steps.path(newest).rename(hidden)
    (hidden / SEAL).unlink()
    change(hidden / name)
    steps.commit(newest)


ARRAYS = "arrays-00000-of-00001.safetensors"
SEALED = {
    "a pickle for arrays": (ARRAYS, lambda path: path.write_bytes(pickle.dumps(Evil()))),
    "an archive for arrays": (ARRAYS, archive),
    "nothing for arrays": (ARRAYS, lambda path: path.write_bytes(b"")),
    "arrays of another state": (ARRAYS, lambda path: write_tensors(path, {"x": np.ones(2)}, {})),
    "a tree that is deep": (
        ARRAYS,
        lambda path: write_tensors(path, {}, {"tree": "[" * 100_000}),
    ),
    "a tree that is huge": (
        ARRAYS,
        lambda path: write_tensors(path, {}, {"tree": '{"step": [[99999999], "int32"]}'}),
    ),
    "a pickle for progress": ("progress.json", lambda path: path.write_bytes(pickle.dumps(Evil()))),
    "progress of another kind": (
        "progress.json",
        lambda path: path.write_text('{"step": "os.system"}'),
    ),
    "progress with more": ("progress.json", lambda path: path.write_text('{"__class__": 1}')),
    "progress that is a list": ("progress.json", lambda path: path.write_text("[]")),
    "progress with NaN": ("progress.json", lambda path: path.write_text('{"seconds": NaN}')),
}


QUICK = ("a pickle for arrays", "progress of another kind")


@pytest.mark.parametrize(
    "name",
    [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in SEALED],
)
def test_a_hostile_checkpoint_is_refused_in_one_line(files, run, tmp_path, capsys, name):
    hostile = tmp_path / "run"
    shutil.copytree(run, hostile)
    resealed(hostile, *SEALED[name])
    error = one_line_error(
        *(capsys, "train", "--train", files / "pairs.tsv", "--valid", files / "valid.tsv"),
        *("--run-dir", hostile, *SMALL, "--steps", "14", "--validation.every", "6"),
        *("--resume", "must"),
    )
    assert str(hostile) in error and len(error) < 500
    assert not os.path.exists(CANARY) and not (hostile / "trainer.lock").exists()


@pytest.mark.parametrize("row", ('{"event": 3}', '{"step": "1"}', "[" * 10_000, "null"))
def test_a_hostile_history_is_refused_by_line(run, tmp_path, capsys, row):
    hostile = tmp_path / "run"
    shutil.copytree(run, hostile)
    lines = (hostile / "metrics.jsonl").read_text()
    (hostile / "metrics.jsonl").write_text(row + "\n" + lines)
    assert f"{hostile}/metrics.jsonl:1: not a row" in one_line_error(capsys, "inspect", hostile)


def test_a_pipe_that_a_run_names_as_its_data_is_not_waited_for(run, tmp_path, capsys):
    hostile = tmp_path / "run"
    shutil.copytree(run, hostile)
    os.mkfifo(tmp_path / "pipe")
    edited("config.json", lambda d: d["config"].update(valid=[str(tmp_path / "pipe")]))(hostile)
    error = one_line_error(capsys, "evaluate", hostile)
    assert f"{tmp_path / 'pipe'}: no regular file, and the run names it" in error

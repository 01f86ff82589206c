"""A run directory: what is written comes back, and what is broken is refused in one line."""

import dataclasses
import hashlib
import json
import math
import os

import jax.numpy as jnp
import numpy as np
import pytest
import safetensors.numpy

from seqjax.config import Config, ModelConfig
from seqjax.errors import InputError
from seqjax.files import write_text
from seqjax.presets import PRESETS
from seqjax.rundir import (
    RunDir,
    create_run,
    load_weights,
    open_run,
    parameters_sha256,
    save_weights,
)

WEIGHTS = {
    "encoder": {"kernel": np.arange(6, dtype=np.float32).reshape(2, 3), "bias": np.zeros(3)},
    "scale": np.float32(2.5),
}


def refusal(function, *arguments) -> str:
    """Returns the one line with which `function` refuses its arguments."""
    with pytest.raises(InputError) as caught:
        function(*arguments)
    message = str(caught.value)
    assert "\n" not in message
    return message


def trained(path) -> RunDir:
    """Makes a directory that looks like a run after its first validation."""
    run = create_run(path)
    run.write_config(Config())
    save_weights(run.best_weights, WEIGHTS, {})
    return run


# Configs


@pytest.mark.parametrize("name", PRESETS)
def test_a_config_survives_being_stored(tmp_path, name):
    run = create_run(tmp_path)
    run.write_config(
        dataclasses.replace(PRESETS[name], train=("a.en", "ü.de"), run_dir="elsewhere")
    )
    assert run.read_config() == dataclasses.replace(
        PRESETS[name], train=("a.en", "ü.de"), run_dir=str(tmp_path)
    )


def edited(*path, value):
    """Returns a function that puts `value` at `path` of a stored config."""

    def edit(document):
        inner = document
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = value

    return edit


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (edited("config", "steps", value=True), "steps must be an integer, got True"),
        (edited("config", "steps", value="3"), "steps must be an integer, got '3'"),
        (edited("config", "steps", value=3.0), "steps must be an integer, got 3.0"),
        (edited("config", "steps", value=0), "steps must be at least 1, got 0"),
        (edited("config", "seed", value=None), "seed must be an integer, got None"),
        (edited("config", "train", value="a"), "train must be a list, got 'a'"),
        (edited("config", "train", value=[1]), "train must be a text, got 1"),
        (edited("config", "task", value="x"), "task must be one of text-to-text, language-model"),
        (edited("config", "model", value=[]), "model must be an object, got []"),
        (edited("config", "model", "dropout", value="x"), "model.dropout must be a finite number"),
        (edited("config", "model", "dropout", value=True), "model.dropout must be a finite number"),
        (edited("config", "model", "dropout", value=1.5), "model.dropout must be in [0, 1), got 1"),
        (edited("config", "model", "dropout", value=10**400), "must be a finite number"),
        (edited("config", "model", "tied_embeddings", value=1), "must be true or false, got 1"),
        (edited("config", "model", "hiden_size", value=1), "did you mean model.hidden_size?"),
        (edited("config", "colour", value=1), "unknown setting colour"),
        (edited("config", value=None), "config must be an object, got None"),
        (edited("format_version", value=99), "must be 2, got 99; it was written by"),
        (lambda document: document["config"]["model"].pop("dropout"), "model.dropout is missing"),
        (lambda document: document.pop("format_version"), "not a config of seqjax"),
    ],
)
def test_a_config_that_was_tampered_with_is_refused_by_field(tmp_path, edit, message):
    run = create_run(tmp_path)
    run.write_config(Config())
    document = json.loads(run.config.read_text())
    edit(document)
    run.config.write_text(json.dumps(document))
    line = refusal(run.read_config)
    assert line.startswith(f"{run.config}: ")
    assert message in line


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "broken JSON"),
        (b"[1, 2", "broken JSON"),
        (b"[]", "not a config"),
        (b'{"format_version": NaN}', "NaN is not a number of JSON"),
        (b'{"seed": 1, "seed": 2}', "seed stands there twice"),
        (b"[" * 100_000, "broken JSON"),
        (b"\xff{}", "not UTF-8 at byte 0"),
    ],
)
def test_a_broken_config_file_is_refused(tmp_path, content, message):
    run = create_run(tmp_path)
    run.config.write_bytes(content)
    assert message in refusal(run.read_config)


def test_a_whole_number_is_a_number(tmp_path):
    run = create_run(tmp_path)
    run.write_config(Config(minutes=2.0))
    run.config.write_text(run.config.read_text().replace('"minutes": 2.0', '"minutes": 2'))
    minutes = run.read_config().minutes
    assert minutes == 2.0
    assert type(minutes) is float


# Opening and making


def test_a_trained_run_opens(tmp_path):
    run = trained(tmp_path / "deep" / "down")
    assert open_run(str(run.path)) == run


def test_a_run_that_is_not_there_names_the_nearest(tmp_path):
    trained(tmp_path / "dates")
    assert f"did you mean {tmp_path / 'dates'}?" in refusal(open_run, tmp_path / "date")
    assert "seqjax train makes one" in refusal(open_run, tmp_path / "zzz")
    assert "seqjax train makes one" in refusal(open_run, tmp_path / "no" / "where")


def test_what_is_no_run_is_told_apart(tmp_path):
    run = trained(tmp_path / "runs" / "dates")
    assert "not a run" in refusal(open_run, tmp_path / "runs")
    assert f"did you mean {run.path}?" in refusal(open_run, tmp_path / "runs")
    assert f"perhaps {run.path}" in refusal(open_run, run.config)
    run.best_weights.unlink()
    assert "has no best.safetensors yet" in refusal(open_run, run.path)
    run.results.write_text("{}")  # it came to its end
    assert "has lost its best.safetensors; restore it" in refusal(open_run, run.path)


def test_a_run_directory_is_not_made_where_a_file_is(tmp_path):
    (tmp_path / "file").write_text("")
    assert "a file is in the way" in refusal(create_run, tmp_path / "file")
    assert "a file is in the way" in refusal(create_run, tmp_path / "file" / "run")


def test_a_directory_that_takes_no_files_is_refused_at_once(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.touch", refuse)
    assert "cannot be written (Permission denied)" in refusal(create_run, tmp_path)


def test_making_a_run_leaves_nothing_but_the_directory(tmp_path):
    assert list(create_run(tmp_path / "run").path.iterdir()) == []


def test_links_out_of_the_directory_are_refused(tmp_path):
    run = trained(tmp_path / "run")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    run.checkpoints.symlink_to(elsewhere)
    assert "a link that leads out" in refusal(open_run, run.path)
    assert "a link that leads out" in refusal(create_run, run.path)


def test_links_within_the_directory_are_followed(tmp_path):
    run = trained(tmp_path / "run")
    os.rename(run.best_weights, run.path / "step_7")
    run.best_weights.symlink_to("step_7")
    assert open_run(run.path) == run


def test_clearing_removes_the_run_and_nothing_else(tmp_path):
    run = trained(tmp_path / "run")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_text("")
    (run.path / "notes.txt").write_text("mine")
    run.vocabulary.mkdir()
    (run.vocabulary / "source.json").write_text("")
    run.events.symlink_to(outside)
    run.clear()
    assert [path.name for path in run.path.iterdir()] == ["notes.txt"]
    assert (outside / "kept").exists()


# Whole files


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_text(path, "old")

    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", refuse)
    message = refusal(write_text, path, "new")
    assert message == f"{path}: cannot be written (No space left on device)"
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_is_never_seen_half_written(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_text(path, "old")
    seen = []
    replace = os.replace
    monkeypatch.setattr(
        "os.replace", lambda source, to: (seen.append(path.read_text()), replace(source, to))
    )
    write_text(path, "new")
    assert seen == ["old"]
    assert path.read_text() == "new"


# Metrics


def test_metrics_come_back_in_order(tmp_path):
    run = create_run(tmp_path)
    assert run.history.rows() == []
    run.history.append({"event": "train", "step": 1, "loss": 2.5})
    run.history.append({"event": "train", "step": 2, "loss": math.inf})
    first, second = run.history.rows()
    assert first == {"event": "train", "step": 1, "loss": 2.5}
    assert math.isnan(second["loss"])
    assert "Infinity" not in run.metrics.read_text()


def test_a_torn_last_line_is_left_out(tmp_path):
    run = create_run(tmp_path)
    run.history.append({"step": 1})
    with run.metrics.open("a") as file:
        file.write('{"step": 2, "lo')
    assert run.history.rows() == [{"step": 1}]


def test_a_broken_line_in_the_middle_is_named(tmp_path):
    run = create_run(tmp_path)
    run.metrics.write_text('{"step": 1}\n[]\n{"step": 3}\n')
    assert refusal(run.history.rows).startswith(f"{run.metrics}:2: ")


def test_going_on_from_a_step_forgets_what_came_after(tmp_path):
    run = create_run(tmp_path)
    run.history.keep_until(5)
    assert not run.metrics.exists()
    for step in range(1, 9):
        run.history.append({"step": step})
    run.history.append({"event": "start"})
    with run.metrics.open("a") as file:
        file.write('{"step"')
    run.history.keep_until(5)
    run.history.append({"step": 6})
    steps = [row.get("step") for row in run.history.rows()]
    assert steps == [1, 2, 3, 4, 5, None, 6]


# Weights


def test_weights_survive_being_stored_bit_for_bit(tmp_path):
    path = tmp_path / "weights"
    save_weights(path, {**WEIGHTS, "jax": jnp.ones((2, 0))}, {"step": "7"})
    params, metadata = load_weights(path)
    assert metadata["step"] == "7"
    assert set(params) == {"encoder", "scale", "jax"}
    for stored, given in [
        (params["encoder"]["kernel"], WEIGHTS["encoder"]["kernel"]),
        (params["encoder"]["bias"], WEIGHTS["encoder"]["bias"]),
        (params["scale"], np.asarray(WEIGHTS["scale"])),
        (params["jax"], np.ones((2, 0), np.float32)),
    ]:
        assert type(stored) is np.ndarray
        assert stored.dtype == given.dtype
        assert stored.shape == given.shape
        assert stored.tobytes() == given.tobytes()


def test_weights_in_another_memory_order_are_the_same_weights(tmp_path):
    matrix = np.arange(6.0).reshape(2, 3)
    save_weights(tmp_path / "weights", {"a": np.asfortranarray(matrix)}, {})
    np.testing.assert_array_equal(load_weights(tmp_path / "weights")[0]["a"], matrix)
    assert parameters_sha256({"a": np.asfortranarray(matrix)}) == parameters_sha256({"a": matrix})


def test_broken_weights_are_never_loaded(tmp_path):
    path = tmp_path / "weights"
    save_weights(path, WEIGHTS, {})
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[-5] ^= 1
    for content in (
        b"",
        whole[:4],
        whole[: len(whole) // 2],
        whole[:-1],
        bytes(flipped),
        b"PK" * 99,
    ):
        path.write_bytes(content)
        assert str(path) in refusal(load_weights, path)
    assert "cannot be read" in refusal(load_weights, tmp_path / "missing")
    assert "cannot be read" in refusal(load_weights, tmp_path)


def test_weights_of_another_program_are_read(tmp_path):
    path = tmp_path / "weights"
    safetensors.numpy.save_file({"a/b": np.ones(2, np.float16)}, path)
    params, metadata = load_weights(path)
    assert metadata == {}
    np.testing.assert_array_equal(params["a"]["b"], np.ones(2, np.float16))
    safetensors.numpy.save_file({"a": np.ones(2), "a/b": np.ones(2)}, path)
    assert "stands below another weight" in refusal(load_weights, path)


def test_names_and_dtypes_that_would_not_come_back_are_refused(tmp_path):
    path = tmp_path / "weights"
    with pytest.raises(ValueError, match="names in params must be"):
        save_weights(path, {"a/b": np.ones(2)}, {})
    with pytest.raises(ValueError, match="dtype of a must be"):
        save_weights(path, {"a": jnp.ones(2, jnp.bfloat16)}, {})
    assert not path.exists()


def test_the_checksum_sees_names_dtypes_shapes_and_bytes():
    base = {"a": np.zeros((2, 3), np.float32)}
    others = [
        {"b": np.zeros((2, 3), np.float32)},
        {"a": np.zeros((3, 2), np.float32)},
        {"a": np.zeros((2, 3), np.int32)},
        {"a": np.full((2, 3), -0.0, np.float32)},
        {"a": {"a": np.zeros((2, 3), np.float32)}},
    ]
    assert len({parameters_sha256(params) for params in [base, *others]}) == 6
    by_hand = hashlib.sha256(b'["a", "float32", [2, 3]]' + bytes(24)).hexdigest()
    assert parameters_sha256(base) == by_hand


def test_a_config_that_contradicts_itself_is_refused_like_any_other(tmp_path):
    run = create_run(tmp_path)
    run.write_config(Config(model=ModelConfig(hidden_size=6)))
    run.config.write_text(run.config.read_text().replace('"hidden_size": 6', '"hidden_size": 7'))
    assert "model.hidden_size must be even" in refusal(run.read_config)

"""Every command as a user types it, on a run that trains in seconds, and with what goes wrong."""

import json
import shutil
import signal
import subprocess
import sys
import time

import jax
import numpy as np
import pytest
from cli.commands import PAIRS, SMALL, fed, one_line_error, seqjax, train

pytestmark = pytest.mark.standard_promotion


def test_a_run_directory_explains_itself(run):
    names = {entry.name for entry in run.iterdir()}
    assert names >= {"config.json", "vocabulary", "data.json", "metrics.jsonl", "checkpoints"}
    assert names >= {"best.safetensors", "results.json", "pictures", "events", "answers"}
    assert len(names) <= 12
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows if row["event"] == "validation"] == [6, 12]
    assert {p.name for p in (run / "pictures").iterdir()} == {
        "learning_curves.png",
        "attention.png",
    }


def test_evaluate_prints_one_json_object_and_nothing_else(run, files, capsys):
    assert seqjax("evaluate", run, "--data", files / "valid.tsv", "--json") == 0
    out = capsys.readouterr().out
    scores = json.loads(out)
    assert out.count("\n") == 1
    assert scores.keys() >= {
        *("exact_match", "token_accuracy", "perplexity", "bleu", "chrf", "bleu_signature"),
        *("character_error_rate", "token_error_rate", "sentences", "ended", "length_ratio"),
    }
    assert scores["sentences"] == 20
    np.testing.assert_allclose(scores["perplexity"], np.exp(scores["loss"]))


def test_evaluate_needs_no_data_and_writes_answers(run, tmp_path, capsys):
    assert seqjax("evaluate", run, "--output", tmp_path / "out.txt", "--beam-size", "2") == 0
    assert "exact_match" in capsys.readouterr().out
    assert len((tmp_path / "out.txt").read_text().splitlines()) == 20


def test_decode_answers_every_line_in_order(run, monkeypatch, capsys):
    fed(monkeypatch, b"abc\n\nd\nabc\n\xe2\x82\xac\n" + b"ab" * 500 + b"\nlast")
    assert seqjax("decode", run) == 0
    captured = capsys.readouterr()
    lines = captured.out.split("\n")
    assert len(lines) == 8 and lines[7] == ""
    assert lines[1] == "" and lines[0] == lines[3]
    assert "1 of 7 lines are longer than --data.max-source" in captured.err


@pytest.mark.parametrize("count", (0, 1, pytest.param(64, marks=pytest.mark.slow), 65))
def test_decode_gives_as_many_lines_as_it_got(run, monkeypatch, capsys, count):
    fed(monkeypatch, b"abc\n" * count)
    assert seqjax("decode", run, "--n-best", "2", "--scores", "--beam-size", "2") == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 * count
    scores = [float(line.split("\t")[0]) for line in lines[:2]]
    assert scores == sorted(scores, reverse=True)


def test_what_decode_says_depends_on_no_other_line(run, monkeypatch, capsys):
    def answers(content, *more):
        fed(monkeypatch, content)
        assert seqjax("decode", run, "--output", "jsonl", *more) == 0
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    together = answers(b"abc\nbcdabcdabcdabcdabcd\nca\n")
    for number, line in enumerate((b"abc", b"bcdabcdabcdabcdabcd")):
        (alone,) = answers(line, "--batch-size", "3", "--stream")
        assert alone["answers"][0]["tokens"] == together[number]["answers"][0]["tokens"]
        np.testing.assert_allclose(
            alone["answers"][0]["score"], together[number]["answers"][0]["score"], rtol=1e-5
        )


def test_inspect_tells_what_a_run_is(run, capsys):
    assert seqjax("inspect", run, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["step"], found["config"]["model"]["hidden_size"]) == (12, 16)
    assert found["parameters"] == sum(found["parameters_by_module"].values())
    for name in ("parameters_sha256", "optimizer_sha256"):
        assert len(found[name]) == 64
    assert [row["step"] for row in found["history"]] == [6, 12]
    assert seqjax("inspect", run) == 0
    assert found["parameters_sha256"] in capsys.readouterr().out


def test_a_language_model_is_evaluated_and_goes_on(language_run, files, capsys):
    assert seqjax("evaluate", language_run, "--data", files / "text.txt", "--json") == 0
    scores = json.loads(capsys.readouterr().out)
    np.testing.assert_allclose(scores["perplexity"], np.exp(scores["loss"]))
    np.testing.assert_allclose(scores["bits_per_token"], scores["loss"] / np.log(2))
    assert scores["tokens"] == 60 * 14
    texts = []
    for method in ("greedy", "beam", "sample", "sample"):
        code = seqjax(
            *("generate", language_run, "--prompt", "the cat", "--method", method),
            *("--max-length", "6", "--no-repeat-ngram", "2", "--seed", "3"),
        )
        assert code == 0
        texts.append(capsys.readouterr().out)
        assert texts[-1].startswith("the cat")
    assert texts[2] == texts[3]


def test_each_command_refuses_the_other_kind_of_run(run, language_run, monkeypatch, capsys):
    fed(monkeypatch, b"a\n")
    assert seqjax("decode", language_run) == 2
    assert seqjax("generate", run, "--prompt", "a") == 2
    words = ("generate", language_run, "--prompt", "a", "--coverage-penalty", "1")
    assert seqjax(*words) == 2
    assert capsys.readouterr().err.count("error: ") == 3


@pytest.mark.parametrize(
    ("content", "message"),
    (
        ("", "is empty"),
        ("ab\n", ":1: has 0 tabs"),
        ("a\tb\n" * 3 + "\tb\n", ":4: the source is empty"),
        (b"a\tb\n\xff\tb\n", ":2: byte 1 of the line is not UTF-8"),
    ),
)
def test_training_refuses_files_that_cannot_be_meant(files, tmp_path, capsys, content, message):
    path = tmp_path / "bad.tsv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    error = one_line_error(capsys, "train", "--train", path, "--run-dir", tmp_path / "r")
    assert message in error and str(path) in error
    error = one_line_error(
        *(capsys, "train", "--train", files / "pairs.tsv", "--valid", path),
        *("--run-dir", tmp_path / "r"),
    )
    assert message in error


@pytest.mark.parametrize(
    ("more", "message"),
    (
        (("--data.min-count", "999"), "--data.min-count"),
        (("--data.max-source", "2"), "--data.max-source 2"),
        (("--model.dropout", "1.5"), "dropout must be in [0, 1), got 1.5"),
        (("--decode.beam-size", "0"), "beam_size must be at least 1, got 0"),
        (("--model.hidden-size", "0"), "hidden_size must be at least 1, got 0"),
        (("--model.hiden-size", "8"), "--model.hidden-size"),
        (("--model.hidden-size", "many"), "--model.hidden-size"),
    ),
)
def test_settings_that_cannot_work_are_refused(files, tmp_path, capsys, more, message):
    error = one_line_error(
        *(capsys, "train", "--train", files / "pairs.tsv", "--run-dir", tmp_path / "r", *more)
    )
    assert message in error


NO_GPU = pytest.mark.skipif(jax.default_backend() == "gpu", reason="there is a GPU")


@NO_GPU
def test_cudnn_is_refused_where_there_is_no_gpu_before_anything_is_written(files, tmp_path, capsys):
    error = one_line_error(
        *(capsys, "train", "--train", files / "pairs.tsv", "--run-dir", tmp_path / "r"),
        *("--model.unroll", "cudnn"),
    )
    assert "model.unroll cudnn needs a GPU, JAX has cpu" in error
    assert not (tmp_path / "r").exists()


@NO_GPU
def test_what_cudnn_trained_answers_without_a_gpu(run, tmp_path, capsys):
    copy = tmp_path / "copy"
    shutil.copytree(run, copy)
    config = json.loads((copy / "config.json").read_text())
    config["config"]["model"]["unroll"] = "cudnn"
    (copy / "config.json").write_text(json.dumps(config))
    (tmp_path / "in.txt").write_text("abc\n")
    said = []
    for path in (run, copy):
        assert seqjax("decode", path, "--input", tmp_path / "in.txt") == 0
        said.append(capsys.readouterr().out)
    assert said[0] == said[1]


def test_a_run_goes_on_and_refuses_other_settings_or_data(files, run, tmp_path, capsys):
    copy = tmp_path / "copy"
    shutil.copytree(run, copy)
    again = ("--steps", "12", "--validation.every", "6")
    before = (copy / "metrics.jsonl").read_text()
    assert train(files, copy, *again) == 0
    assert (copy / "metrics.jsonl").read_text() == before
    assert train(files, copy, *again, "--model.hidden-size", "32", "--seed", "1") == 2
    error = capsys.readouterr().err
    assert "model.hidden_size 16 -> 32" in error and "seed 0 -> 1" in error
    other = tmp_path / "other.tsv"
    other.write_text(PAIRS.replace("a", "b"))
    words = ("train", "--train", other, "--valid", files / "valid.tsv", "--run-dir", copy, *SMALL)
    assert "training data is not what" in one_line_error(capsys, *words, *again)
    assert train(files, copy, "--steps", "18", "--validation.every", "6") == 0
    rows = [json.loads(line) for line in (copy / "metrics.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows if row["event"] == "validation"] == [6, 12, 18]
    assert train(files, copy, *again, "--overwrite", "--seed", "1") == 0


@pytest.mark.parametrize("what", ("missing", "no run", "half", "weights", "vocabulary", "version"))
def test_runs_that_cannot_be_opened_are_refused(run, tmp_path, capsys, what):
    broken = tmp_path / "broken"
    match what:
        case "missing":
            pass
        case "no run":
            broken.mkdir()
        case _:
            shutil.copytree(run, broken)
    if what == "half":
        (broken / "best.safetensors").unlink()
    if what == "weights":
        content = (broken / "best.safetensors").read_bytes()
        (broken / "best.safetensors").write_bytes(content[: len(content) // 2])
    if what == "vocabulary":
        (broken / "vocabulary" / "source.json").unlink()
    if what == "version":
        config = json.loads((broken / "config.json").read_text())
        (broken / "config.json").write_text(json.dumps({**config, "format_version": 99}))
    for command in ("evaluate", "decode", "inspect"):
        assert str(broken) in one_line_error(capsys, command, broken)


def test_weights_of_another_model_are_refused(run, tmp_path, capsys):
    broken = tmp_path / "broken"
    shutil.copytree(run, broken)
    config = json.loads((broken / "config.json").read_text())
    config["config"]["model"]["hidden_size"] = 32
    (broken / "config.json").write_text(json.dumps(config))
    error = one_line_error(capsys, "decode", broken)
    assert "has shape" in error and "the run's config makes it" in error


@pytest.mark.parametrize("name", ("SIGTERM", pytest.param("SIGINT", marks=pytest.mark.slow)))
def test_a_signal_saves_and_leaves_and_the_same_command_goes_on(files, tmp_path, capsys, name):
    words = [
        *(sys.executable, "-m", "seqjax", "train", "--train", files / "pairs.tsv"),
        *("--valid", files / "valid.tsv", "--run-dir", tmp_path / "run", "--steps", "100000"),
        *SMALL,
    ]
    words = [str(word) for word in words]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("valid"):
                process.send_signal(getattr(signal, name))
                break
        rest = process.stderr.read()
        assert process.wait(timeout=60) == 75
    assert "the same command goes on" in rest and "Traceback" not in rest
    steps = sorted(int(p.name) for p in (tmp_path / "run" / "checkpoints").iterdir())
    words[words.index("100000")] = str(steps[-1] + 3)
    assert seqjax(*words[3:]) == 0
    assert f"from step {steps[-1]}" in capsys.readouterr().err


FULL = """
import resource, sys
from seqjax.cli.main import main
import seqjax.cli.train
resource.setrlimit(resource.RLIMIT_FSIZE, (8_000, resource.RLIM_INFINITY))
sys.exit(main())
"""
"""No file may grow beyond 8 kB: what a full disk looks like to the program."""


@pytest.mark.parametrize("more", (pytest.param((), marks=pytest.mark.slow), ("--save-every", "1")))
def test_a_full_disk_is_one_line_and_costs_no_earlier_checkpoint(
    files, run, tmp_path, capsys, more
):
    """A checkpoint that cannot be written is told once, and training goes on up to the next
    validation, whose best weights must be written."""
    copy = tmp_path / "copy"
    shutil.copytree(run, copy)
    assert seqjax("inspect", copy, "--json") == 0
    before = json.loads(capsys.readouterr().out)
    words = [
        *(sys.executable, "-c", FULL, "train", "--train", files / "pairs.tsv"),
        *("--valid", files / "valid.tsv", "--run-dir", copy, *SMALL, "--steps", "30"),
        *("--validation.every", "6", *more),
    ]
    words = [str(word) for word in words]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    warned = [line for line in done.stderr.splitlines() if "could not be saved" in line]
    assert len(warned) == len(more) // 2
    assert all("checkpoints: step 13 could not be saved" in line for line in warned)
    (error,) = (line for line in done.stderr.splitlines() if line.startswith("error: "))
    assert f"{copy}/best.safetensors: cannot be written (File too large)" in error
    assert [path.name for path in copy.rglob(".*")] == [] and not (copy / "trainer.lock").exists()
    assert seqjax("inspect", copy, "--json") == 0
    after = json.loads(capsys.readouterr().out)
    for name in ("step", "parameters_sha256", "optimizer_sha256", "best_sha256"):
        assert after[name] == before[name]
    if not more:
        assert seqjax(*words[3:]) == 0
        assert f"from step {before['step']}" in capsys.readouterr().err


def test_help_answers_at_once_and_without_jax():
    started = time.monotonic()
    code = (
        "import sys; from seqjax.cli.main import main; main(['--help']); "
        "print('jax' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.rstrip().endswith("False")
    assert time.monotonic() - started < 10

"""A run is watched: its warnings stand in its history once, and TensorBoard sees what it did."""

import contextlib
import io
import json
import struct
from pathlib import Path
from typing import Literal, NamedTuple

import jax.numpy as jnp
import numpy as np
import pytest
from cli.commands import seqjax
from tensorboardX.proto.event_pb2 import Event  # pyright: ignore[reportAttributeAccessIssue]

from seqjax.config import Config, DataConfig, ObjectiveConfig
from seqjax.data.readers import Pairs
from seqjax.losses.cross_entropy import cross_entropy
from seqjax.report.attention import AttentionExample
from seqjax.rundir import load_weights
from seqjax.runs.facts import build_facts
from seqjax.runs.record import attention_picture
from seqjax.tasks.choose import build_task
from seqjax.train.norms import NORMS, module_names
from seqjax.types import Padded

pytestmark = pytest.mark.standard_promotion

LITTLE = ("--model.embedding-size", "4", "--model.hidden-size", "4", "--validation.patience", "0")
HOPELESS = (
    *("train", "--task", "language-model", "--data.target-tokens", "words", "--data.min-count"),
    *("1", "--data.window", "8", "--data.batch-size", "4", "--model.decoder-layers", "1", *LITTLE),
    *("--optimizer.learning-rate", "1e-9", "--optimizer.clip-norm", "0.001"),
    *("--optimizer.warmup-steps", "2", "--validation.every", "170"),
)
"""A training that learns nothing, all of whose steps are clipped."""


class Hopeless(NamedTuple):
    """Such a run, in two parts, and what was said on the screen."""

    path: Path
    said: list[str]


@pytest.fixture(scope="module")
def hopeless(tmp_path_factory):
    folder, screen = tmp_path_factory.mktemp("watched"), io.StringIO()
    text = folder / "text.txt"
    text.write_text("the cat sat on the mat\nthe dog sat on the log\n" * 60)
    with contextlib.redirect_stderr(screen), contextlib.redirect_stdout(io.StringIO()):
        for steps in (315, 340):
            end = ("--train", text, "--steps", steps, "--run-dir", folder / "run")
            assert seqjax(*HOPELESS, *end) == 0
    return Hopeless(folder / "run", screen.getvalue().splitlines())


def rows_of(run, event):
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [row for row in rows if row["event"] == event]


def shown(run):
    """What TensorBoard shows: `(tag, step)`, without what a later file has purged."""
    found = []
    for path in sorted((run / "events").iterdir()):
        content, place = path.read_bytes(), 0
        while place < len(content):
            (size,) = struct.unpack("<Q", content[place : place + 8])
            event = Event.FromString(content[place + 12 : place + 12 + size])
            place += 16 + size
            if event.HasField("session_log"):
                found = [entry for entry in found if entry[1] < event.step]
            found += [(value.tag, event.step) for value in event.summary.value]
    return found


def test_warnings_are_found_once_and_stand_in_the_history(hopeless):
    found = {row["code"]: row for row in rows_of(hopeless.path, "warning")}
    assert len(found) == len(rows_of(hopeless.path, "warning"))
    assert {"SJ-T02", "SJ-T04"} <= found.keys()
    assert found["SJ-T02"]["step"] == 300
    assert "100% of the last steps were clipped to a norm of 0.001" in found["SJ-T04"]["text"]


def test_a_warning_is_one_line_on_the_screen(hopeless):
    for code in ("SJ-T02", "SJ-T04"):
        (line,) = [line for line in hopeless.said if code in line]
        assert line.startswith(f"warning  {code}  ")
        assert line.endswith(f"(seqjax explain {code})")
    assert sum(line.startswith("resume   from step 315") for line in hopeless.said) == 1


def test_tensorboard_has_every_point_once(hopeless):
    points = shown(hopeless.path)
    assert len(points) == len(set(points))
    tags = {tag for tag, _ in points}
    assert {"train/learning_rate", "train/tokens_per_second", "validation/loss"} <= tags
    assert "warning/SJ-T04/text_summary" in tags
    params, _ = load_weights(hopeless.path / "best.safetensors")
    for name in NORMS:
        assert {f"train/{name}/{module}" for module in module_names(params)} <= tags
    steps = [step for tag, step in points if tag == "train/loss"]
    assert steps == list(range(20, 341, 20))


def test_the_time_is_accounted_for(hopeless):
    (row,) = [row for row in rows_of(hopeless.path, "time") if row["step"] == 340]
    results = json.loads((hopeless.path / "results.json").read_text())
    assert results["spent"] == row["spent"]
    assert {"data", "compile", "step", "validate", "save", "other"} == row["spent"].keys()
    assert all(seconds >= 0 for seconds in row["spent"].values())
    assert sum(line.startswith("time     ") for line in hopeless.said) == 2
    seconds = rows_of(hopeless.path, "validation")[-1]["seconds"]
    assert sum(row["spent"].values()) == pytest.approx(seconds, rel=0.3, abs=2.0)


@pytest.mark.slow
def test_answers_and_attention_are_shown_at_each_validation(tmp_path):
    data = ("--data.embedded", "copy", "--data.examples", "300", "--data.max-length", "4")
    run = ("--steps", "20", "--validation.every", "10", "--data.buckets", "1")
    assert seqjax("train", *data, *LITTLE, *run, "--run-dir", tmp_path / "run") == 0
    points = shown(tmp_path / "run")
    for tag in ("answers/text_summary", "attention/0", "attention/1", "attention/0/text_summary"):
        assert [step for name, step in points if name == tag] == [10, 20]


def facts_of(smoothing=0.0, kind: Literal["uniform", "others"] = "uniform"):
    config = Config(
        data=DataConfig(embedded="copy", examples=300, max_length=4),
        objective=ObjectiveConfig(label_smoothing=smoothing, label_smoothing_kind=kind),
    )
    data = build_task(config).data()
    return build_facts(build_task(config), data), data


@pytest.mark.parametrize("kind", ("uniform", "others"))
def test_a_unigram_model_has_the_loss_that_facts_say(kind):
    """The loss itself, of a model that says the smoothed frequencies whatever it reads."""
    smoothing = 0.2
    facts, data = facts_of(smoothing, kind)
    classes = len(data.vocabularies["target"])
    counts = np.pad(data.target_counts, (0, classes - len(data.target_counts)))
    probs = counts / counts.sum()
    if kind == "uniform":
        said = (1 - smoothing) * probs + smoothing / classes
    else:
        said = (1 - smoothing) * probs + smoothing * (1 - probs) / (classes - 1)
    targets = np.repeat(np.arange(classes), counts)[None].astype(np.int32)
    logits = np.log(np.broadcast_to(said, (1, targets.shape[1], classes))).astype(np.float32)
    loss = cross_entropy(
        *(jnp.asarray(logits), Padded(jnp.asarray(targets), jnp.array([targets.shape[1]]))),
        label_smoothing=smoothing,
        others_only=kind == "others",
    )
    np.testing.assert_allclose(facts.unigram_loss, loss.value(), rtol=1e-4)
    assert facts.smoothing_loss > 0.0


def test_baselines_are_the_most_frequent_answer_and_the_source_itself():
    task = build_task(Config(data=DataConfig(embedded="copy", examples=300, max_length=4)))
    valid = Pairs(["ab", "b", "c"], ["ab", "a", "ab"])
    found = build_facts(task, task.data()._replace(valid=valid)).baselines
    assert found == {
        "always answering 'ab'": {"exact_match": 2 / 3, "token_error_rate": 1 / 5},
        "giving back the source": {"exact_match": 1 / 3, "token_error_rate": 3 / 5},
    }


def test_a_picture_of_attention_is_dark_where_the_model_looked():
    weights = np.array([[1.0, 0.0], [0.25, 0.75]])
    picture = attention_picture(AttentionExample(["a", "b"], ["c", "EOS"], weights))
    assert picture.dtype == np.uint8 and picture.shape == (24, 24)
    assert picture[0, 0] == 0 and picture[0, 23] == 255 and picture[23, 0] == 255 - 64

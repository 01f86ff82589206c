"""A run is watched: its warnings stand in its history once, and TensorBoard sees what it did."""

import json
import struct
from typing import Literal

import jax.numpy as jnp
import numpy as np
import pytest
from cli.commands import seqjax
from tensorboardX.proto.event_pb2 import Event  # pyright: ignore[reportAttributeAccessIssue]

from seqjax.build.data import build_data
from seqjax.config import Config, DataConfig, ObjectiveConfig
from seqjax.data.readers import Pairs
from seqjax.losses.cross_entropy import cross_entropy
from seqjax.report.attention import AttentionExample
from seqjax.runs.facts import build_facts
from seqjax.runs.record import attention_picture
from seqjax.types import Padded

pytestmark = pytest.mark.standard_promotion

HOPELESS = (
    *("train", "--data.embedded", "copy", "--data.examples", "300", "--data.max-length", "4"),
    *("--data.batch-size", "16", "--data.buckets", "1", "--model.embedding-size", "4"),
    *("--model.hidden-size", "4", "--optimizer.learning-rate", "1e-9", "--optimizer.clip-norm"),
    *("0.001", "--optimizer.warmup-steps", "2", "--validation.every", "170"),
    *("--validation.examples", "8", "--validation.patience", "0"),
)
"""A training that learns nothing, all of whose steps are clipped."""


@pytest.fixture(scope="module")
def hopeless(tmp_path_factory):
    """The directory of such a run, which was left in between."""
    run = tmp_path_factory.mktemp("watched") / "run"
    for steps in (315, 340):
        assert seqjax(*HOPELESS, "--steps", steps, "--run-dir", run) == 0
    return run


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
    found = {row["code"]: row for row in rows_of(hopeless, "warning")}
    assert len(found) == len(rows_of(hopeless, "warning"))
    assert {"SJ-T02", "SJ-T04"} <= found.keys()
    assert found["SJ-T02"]["step"] == 300
    assert "100% of the last steps were clipped to a norm of 0.001" in found["SJ-T04"]["text"]


def test_a_warning_is_one_line_on_the_screen(hopeless, capsys):
    run = hopeless.parent / "another"
    assert seqjax(*HOPELESS, "--steps", 305, "--run-dir", run) == 0
    lines = [line for line in capsys.readouterr().err.splitlines() if "SJ-T04" in line]
    assert len(lines) == 1 and lines[0].startswith("warning  SJ-T04  100% of the last steps")
    assert lines[0].endswith("(seqjax explain SJ-T04)")


def test_tensorboard_has_every_point_once(hopeless):
    points = shown(hopeless)
    assert len(points) == len(set(points))
    tags = {tag for tag, _ in points}
    assert {"train/learning_rate", "train/tokens_per_second"} <= tags
    assert {"train/gradient_norm/encoder/layers_0", "train/update_norm/encoder/layers_0"} <= tags
    assert {"train/update_norm/decoder/reader", "train/weight_norm/decoder/reader"} <= tags
    assert {"answers/text_summary", "attention/0", "warning/SJ-T04/text_summary"} <= tags
    steps = [step for tag, step in points if tag == "train/loss"]
    assert steps == list(range(20, 341, 20))


def test_the_time_is_accounted_for(hopeless):
    (row,) = [row for row in rows_of(hopeless, "time") if row["step"] == 340]
    results = json.loads((hopeless / "results.json").read_text())
    assert results["spent"] == row["spent"]
    assert {"data", "compile", "step", "validate", "save", "other"} == row["spent"].keys()
    assert all(seconds >= 0 for seconds in row["spent"].values())
    seconds = rows_of(hopeless, "validation")[-1]["seconds"]
    assert sum(row["spent"].values()) == pytest.approx(seconds, rel=0.3, abs=2.0)


def facts_of(smoothing=0.0, kind: Literal["uniform", "others"] = "uniform"):
    config = Config(
        data=DataConfig(embedded="copy", examples=300, max_length=4),
        objective=ObjectiveConfig(label_smoothing=smoothing, label_smoothing_kind=kind),
    )
    return build_facts(config, build_data(config)), build_data(config)


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
    assert facts_of()[0].smoothing_loss == 0.0 < facts.smoothing_loss


def test_baselines_are_the_most_frequent_answer_and_the_source_itself():
    config = Config()
    data = build_data(Config(data=DataConfig(embedded="copy", examples=300, max_length=4)))
    valid = Pairs(["ab", "b", "c"], ["ab", "a", "ab"])
    found = build_facts(config, data._replace(valid=valid)).baselines
    assert found == {
        "always answering 'ab'": {"exact_match": 2 / 3, "token_error_rate": 1 / 5},
        "giving back the source": {"exact_match": 1 / 3, "token_error_rate": 3 / 5},
    }


def test_a_picture_of_attention_is_dark_where_the_model_looked():
    weights = np.array([[1.0, 0.0], [0.25, 0.75]])
    picture = attention_picture(AttentionExample(["a", "b"], ["c", "EOS"], weights))
    assert picture.dtype == np.uint8 and picture.shape == (24, 24)
    assert picture[0, 0] == 0 and picture[0, 23] == 255 and picture[23, 0] == 255 - 64

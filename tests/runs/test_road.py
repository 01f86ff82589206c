"""The straight road: a run that was left is gone on with, bit for bit; what it may start from."""

import dataclasses

import jax
import numpy as np
import pytest

from seqjax.build.vectors import started_table
from seqjax.config import Config, DataConfig, ModelConfig, OptimizerConfig, ValidationConfig
from seqjax.data.vectors import Vectors
from seqjax.errors import InputError
from seqjax.rundir import load_weights
from seqjax.runs import road
from seqjax.runs.trained import load
from seqjax.tasks.choose import build_task
from seqjax.tasks.task import sizes_of
from seqjax.train.paths import map_with_paths

pytestmark = pytest.mark.standard_promotion


def settings(run_dir, steps):
    """Five batches an epoch, dropout, a moving average; validated and saved in between."""
    return Config(
        run_dir=str(run_dir),
        steps=steps,
        save_every=5,
        data=DataConfig(embedded="copy", examples=70, max_length=5, batch_size=16, buckets=1),
        model=ModelConfig(embedding_size=8, hidden_size=8, dropout=0.5),
        optimizer=OptimizerConfig(warmup_steps=2, average_decay=0.9),
        validation=ValidationConfig(every=6, examples=4),
    )


def everything(outcome):
    """All that a run keeps, as plain values."""
    found = road.Checkpoints(outcome.run.checkpoints)
    steps = found.steps()
    history = [
        {name: value for name, value in row.items() if name != "seconds"}
        for row in outcome.run.history.rows()
    ]
    weights, _ = load_weights(outcome.run.best_weights)
    return steps[-1], history, jax.tree.leaves(weights), jax.tree.leaves(outcome.state)


class Listener(road.Silent):
    def __init__(self):
        self.heard, self.losses = [], []

    def note(self, text):
        self.heard.append(text)

    def stepped(self, progress, metrics, seconds):
        self.losses.append(float(metrics.loss.value()))


@pytest.fixture(scope="module")
def listened(tmp_path_factory):
    """What a run keeps that was never left, and its losses."""
    listener = Listener()
    folder = tmp_path_factory.mktemp("whole") / "one"
    return everything(road.train(settings(folder, 23), listener)), listener.losses


@pytest.fixture(scope="module")
def whole(listened):
    return listened[0]


FIRST_LOSSES = (3.4038630, 3.4032156, 3.4010499)
"""Of the first three updates, in nats per token, on CPU. They are other ones only if what is
computed is: initial weights, order of the data, dropout, or how a loss is divided."""


def test_the_first_losses_are_what_they_were(listened):
    np.testing.assert_allclose(listened[1][:3], FIRST_LOSSES, rtol=1e-5)


@pytest.mark.parametrize("cut", (pytest.param(7, marks=pytest.mark.slow), 12))
def test_a_run_in_two_parts_is_the_run_in_one(tmp_path, whole, cut):
    road.train(settings(tmp_path / "two", cut))
    parts = everything(road.train(settings(tmp_path / "two", 23)))
    assert whole[0] == parts[0] == 23
    for one, other in zip(whole[2] + whole[3], parts[2] + parts[3], strict=True):
        np.testing.assert_array_equal(one, other)
    # The first part ends with a validation of its own, and some warnings wait for the third one.
    histories = [
        [
            (row["event"], row["step"], row.get("loss"))
            for row in run[1]
            if row["step"] != cut and row["event"] != "warning"
        ]
        for run in (whole, parts)
    ]
    assert histories[0] == histories[1]


@pytest.fixture
def vectors(tmp_path):
    """A file of vectors for some characters of the copy task, and what it holds."""
    values = np.random.default_rng(0).normal(size=(3, 8)).astype(np.float32)
    named = dict(zip("abc", values, strict=True))
    path = tmp_path / "vectors.txt"
    lines = [" ".join((token, *map(repr, row.tolist()))) for token, row in named.items()]
    path.write_text("\n".join(["3 8", *lines]) + "\n")
    return path, named


def with_vectors(run_dir, steps, path, **more):
    config = settings(run_dir, steps)
    model = dataclasses.replace(
        config.model, source_vectors=str(path), target_vectors=str(path), **more
    )
    return dataclasses.replace(config, model=model)


@pytest.mark.slow
@pytest.mark.parametrize("frozen", (False, True))
def test_found_rows_start_from_the_file_which_a_run_that_goes_on_does_not_need(
    tmp_path, vectors, frozen
):
    path, named = vectors
    config = with_vectors(tmp_path / "run", 1, path, freeze_vectors=frozen)
    # The first update has a learning rate of 0: after it the weights are where they started.
    listener = Listener()
    first = road.train(config, listener)
    lines = [line for line in listener.heard if line.startswith("vectors")]
    assert len(lines) == 2 and f"3 of 26 source tokens have one in {path}" in lines[0]
    path.unlink()
    after = road.train(dataclasses.replace(config, steps=9))
    for side, room in (("source", "encoder"), ("target", "decoder")):
        vocabulary = first.data.vocabularies[side]
        before, now = (
            np.asarray(outcome.state.params[room]["embedding"]["embedding"])
            for outcome in (first, after)
        )
        found = [vocabulary.ids[token] for token in named]
        others = [row for row in range(len(before)) if row not in found]
        np.testing.assert_array_equal(before[found], list(named.values()))
        assert (before[found] == now[found]).all() == frozen
        assert (before[others] != now[others]).any()
    assert load(str(after.run.path)).decode(["abc"])


def test_rows_that_are_not_found_are_as_far_spread_as_those_that_are():
    table = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)
    vectors = Vectors(np.array([7, 3]), np.arange(8, dtype=np.float32).reshape(2, 4))
    started = np.asarray(started_table(jax.numpy.asarray(table), vectors))
    np.testing.assert_array_equal(started[[7, 3]], vectors.values)
    rest = np.delete(np.arange(50), [3, 7])
    expected = table[rest] / table.std() * vectors.values.std()
    np.testing.assert_allclose(started[rest], expected, rtol=1e-5)


def test_vectors_that_do_not_fit_leave_no_run_behind(tmp_path, vectors):
    config = with_vectors(tmp_path / "run", 1, vectors[0], embedding_size=16)
    with pytest.raises(InputError, match="vectors.txt:1: has vectors of width 8, model.embedding"):
        road.train(config)
    assert not (tmp_path / "run" / "config.json").exists()


def test_a_language_model_starts_from_vectors_too(tmp_path):
    text, path = tmp_path / "text.txt", tmp_path / "vectors.txt"
    text.write_text("the cat sat on the mat\n" * 40)
    path.write_text("cat" + " 0.5" * 8 + "\n")
    config = Config(
        task="language-model",
        train=(str(text),),
        run_dir=str(tmp_path / "run"),
        steps=3,
        data=DataConfig(target_tokens="words", batch_size=2, window=8),
        model=ModelConfig(
            embedding_size=8, hidden_size=8, target_vectors=str(path), freeze_vectors=True
        ),
    )
    outcome = road.train(config)
    row = outcome.data.vocabularies["text"].ids["cat"]
    table = np.asarray(outcome.state.params["embedding"]["embedding"])
    np.testing.assert_array_equal(table[row], 0.5)


@pytest.mark.slow
def test_frozen_parts_stay_to_the_last_bit_also_in_a_run_that_was_left(tmp_path):
    """And in its moving average, which is what is kept."""
    frozen = OptimizerConfig(
        warmup_steps=2, average_decay=0.9, freeze=("encoder/embedding", "decoder/*_kernel")
    )
    config = dataclasses.replace(settings(tmp_path / "one", 6), optimizer=frozen)
    notes = []

    class Listening(road.Silent):
        def note(self, text):
            notes.append(text)

    road.train(config, Listening())
    outcome = road.train(dataclasses.replace(config, steps=13), Listening())
    data = outcome.data
    learner = build_task(config).learner(sizes_of(data.vocabularies))
    start = jax.jit(learner.init)(data.example, jax.random.key(config.seed))
    kept, _ = load_weights(outcome.run.best_weights)
    for after in (outcome.state.params, outcome.state.average, kept):
        same = map_with_paths(
            lambda path, one, other: path if np.array_equal(one, other) else "", start, after
        )
        still = [path for path in jax.tree.leaves(same) if path]
        assert still == [
            "decoder/cells_0/input_kernel",
            "decoder/cells_0/recurrent_kernel",
            "encoder/embedding/embedding",
        ]
    learnt = sum(leaf.size for leaf in jax.tree.leaves(start)) - sum(
        start[room][cell][name].size for room, cell, name in (path.split("/") for path in still)
    )
    assert sum(f"parameters, {learnt:,} of them learnt" in note for note in notes) == 2


def test_a_pattern_that_names_nothing_is_refused_before_anything_is_written(tmp_path):
    wrong = OptimizerConfig(freeze=("encoder/embeding",))
    config = dataclasses.replace(settings(tmp_path / "one", 6), optimizer=wrong)
    said = "optimizer.freeze must name weights, 'encoder/embeding' is none: encoder/embedding is"
    with pytest.raises(InputError, match=said):
        road.train(config)
    assert not (tmp_path / "one" / "config.json").exists()


@pytest.mark.slow
def test_a_run_starts_from_another_which_it_does_not_need_when_it_goes_on(tmp_path):
    first = road.train(settings(tmp_path / "one", 6))
    config = dataclasses.replace(settings(tmp_path / "two", 1), start_from=str(first.run.path))
    begun = road.train(dataclasses.replace(config, steps=1))  # the rate of the first step is 0
    best, _ = load_weights(first.run.best_weights)
    for one, other in zip(jax.tree.leaves(best), jax.tree.leaves(begun.state.params), strict=True):
        np.testing.assert_array_equal(one, other)
    first.run.clear()
    assert road.train(dataclasses.replace(config, steps=3)).progress.step == 3
    assert begun.run.read_config().start_from == str(first.run.path)

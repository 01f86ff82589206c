"""From files to batches: a store on disk gives what memory gives, and is told of what changed."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from seqjax.build import coded
from seqjax.config import Config, DataConfig, ModelConfig
from seqjax.errors import InputError
from seqjax.tasks.choose import build_task


@pytest.fixture
def pairs(tmp_path):
    """Files of training and validation pairs, words on both sides, and one line without a tab."""
    rng = np.random.default_rng(0)
    words = np.array(["ab", "cd", "ef", "gh", "ij", "kl"])
    lines = [
        f"{' '.join(rng.choice(words, rng.integers(1, 9)))}\t{' '.join(rng.choice(words, 3))}"
        for _ in range(60)
    ]
    train, valid = tmp_path / "train.tsv", tmp_path / "valid.tsv"
    train.write_text("\n".join([*lines[:50], "no tab"]) + "\n")
    valid.write_text("\n".join(lines[50:]) + "\n")
    return Config(
        train=(str(train),),
        valid=(str(valid),),
        data=DataConfig(
            source_tokens="words",
            target_tokens="words",
            max_source=7,
            batch_size=4,
            buckets=3,
            on_bad_line="skip",
        ),
    )


@pytest.fixture
def text(tmp_path):
    rng = np.random.default_rng(0)
    lines = [" ".join(rng.choice(["Ab", "cd", "ef", "g"], rng.integers(0, 9))) for _ in range(80)]
    train, valid = tmp_path / "train.txt", tmp_path / "valid.txt"
    train.write_text("\n".join(lines) + "\n")
    valid.write_text("Ab g\n\ncd")
    return Config(
        task="language-model",
        train=(str(train),),
        valid=(str(valid),),
        data=DataConfig(target_tokens="words", batch_size=3, window=5),
    )


def changed(config, **data):
    return dataclasses.replace(config, data=dataclasses.replace(config.data, **data))


def assert_same(one, other):
    assert one.statistics == other.statistics and one.summary == other.summary
    np.testing.assert_array_equal(one.target_counts, other.target_counts)
    for epoch in range(2):
        batches = one.feed.batches(epoch, 0), other.feed.batches(epoch, 0)
        for ours, theirs in zip(*batches, strict=True):
            for side in range(2):
                for field in range(2):
                    np.testing.assert_array_equal(ours[side][field], theirs[side][field])


@pytest.mark.parametrize("kind", ("words", "chars", "subwords"))
@pytest.mark.parametrize("task", ("pairs", "text"))
def test_a_store_gives_what_memory_gives(request, tmp_path, monkeypatch, task, kind):
    config = request.getfixturevalue(task)
    settings = {"source_tokens": kind, "target_tokens": kind, "subword_vocab": 24, "max_source": 20}
    config = changed(config, **settings, lowercase=True)
    in_store = changed(config, store=str(tmp_path / "store"))
    memory = build_task(config).data()
    assert_same(memory, build_task(in_store).data())
    for name in ("_write_pairs", "_write_text"):  # the second time nothing is made
        monkeypatch.setattr(coded, name, pytest.fail)
    assert_same(memory, build_task(in_store).data())
    if task == "pairs":
        assert memory.statistics["skipped_lines"] == 1
        assert isinstance(build_task(in_store).data().feed.examples.sources.values, np.memmap)


def test_two_ids_a_position_are_kept_too(tmp_path, pairs):
    config = dataclasses.replace(pairs, model=ModelConfig(copying=True))
    in_store = changed(config, store=str(tmp_path / "store"))
    assert_same(build_task(config).data(), build_task(in_store).data())
    assert build_task(in_store).data().example.inputs.values.shape[2] == 2


def test_a_file_that_grew_is_read_anew(tmp_path, pairs):
    config = changed(pairs, store=str(tmp_path / "store"))
    before = build_task(config).data()
    with open(pairs.train[0], "a") as file:
        file.write("new words\tthat came later\n")
    after = build_task(config).data()
    assert after.statistics["train"] == before.statistics["train"] + 1
    assert after.statistics["fingerprint"] != before.statistics["fingerprint"]
    assert_same(after, build_task(pairs).data())


def test_pairs_that_are_too_long_are_left_out_and_counted(pairs):
    data = build_task(pairs).data()
    lines = Path(pairs.train[0]).read_text().splitlines()
    long = sum(len(line.split("\t")[0].split()) > 7 for line in lines)
    assert 0 < long == data.statistics["too_long"] == 50 - data.statistics["train"]
    with pytest.raises(InputError, match="all 50 training pairs are longer than"):
        build_task(changed(pairs, max_target=2)).data()


@pytest.mark.parametrize("copying", (False, True))
def test_sources_that_are_too_long_may_be_cut(pairs, copying):
    """What is cut off is neither read nor copied."""
    config = dataclasses.replace(
        changed(pairs, max_source=2, long_sources="cut", min_count=25),
        model=ModelConfig(copying=copying),
    )
    data = build_task(config).data()
    assert data.statistics["too_long"] == 0 and data.statistics["train"] == 50
    assert data.statistics["longest_source"] == 2
    known = len(data.vocabularies["target"])
    for batch in (*data.feed.batches(0), *data.valid_batches()):
        assert batch.inputs.lengths.max() <= 2
        assert batch.targets.values.max() < known + (2 if copying else 0)


def test_sources_that_are_not_learnt_are_cut_where_answers_cut_them(pairs):
    """So a loss is that of what is answered."""
    task = build_task(changed(pairs, max_source=3))
    data = task.data()
    assert max(len(source.split()) for source in data.valid.sources) > 3
    assert max(batch.inputs.lengths.max() for batch in data.valid_batches()) == 3
    long = sum(len(source.split()) > 3 for source in data.valid.sources)
    assert f"{long} of 10 valid sources are longer than --data.max-source 3, cut" in data.summary[2]
    examples, coder = data.valid, task.coder(data.vocabularies)
    read = task.batches(examples, data.vocabularies, data.statistics)
    assert sum(batch.inputs.lengths.sum() for batch in read) == sum(
        len(coder.source_ids(source)) for source in examples.sources
    )


def test_a_store_needs_validation_data(pairs, tmp_path):
    with pytest.raises(ValueError, match="data.store must be None without files"):
        dataclasses.replace(changed(pairs, store=str(tmp_path)), valid=())


def test_the_plan_is_told_and_kept(pairs):
    data = build_task(changed(pairs, batch_tokens=96)).data()
    shapes = data.statistics["shapes"]
    assert all(rows % 8 == 0 and rows * (s + t) <= 96 for s, t, rows in shapes)
    assert data.statistics["compilations"] == len(shapes) <= 3
    assert f"in {len(shapes)} shapes" in data.summary[1] and "filling rows" in data.summary[1]

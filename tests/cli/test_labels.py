"""Classifiers and taggers, as a user meets them."""

import json

import numpy as np
import pytest
from cli.commands import fed, one_line_error, seqjax

from seqjax.runs.trained import load

SMALL = (
    *("--model.embedding-size", "8", "--model.hidden-size", "8", "--data.batch-size", "16"),
    *("--data.buckets", "1", "--optimizer.warmup-steps", "2", "--data.source-tokens", "words"),
    *("--optimizer.learning-rate", "0.02", "--epochs", "40", "--optimizer.average-decay", "0.5"),
    *("--validation.every", "50"),
)
SAID = [
    f"{start} {word} {end}\t{label}\n"
    for label, words in (("good", ("fine", "great", "nice")), ("bad", ("poor", "dull", "weak")))
    for word in words
    for start in ("a", "the", "one")
    for end in ("film", "play", "book")
]
TAGGED = [
    f"{start} {name} {end}\tO B-NAME I-NAME O\n"
    for start in ("see", "meet", "call")
    for name in ("Ann Lee", "Bob Ray", "Zoe Fox")
    for end in ("now", "soon", "here")
]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A classifier and a tagger that have learnt what there is to learn."""
    folder = tmp_path_factory.mktemp("labels")
    for task, lines in (("classify", SAID), ("tag", TAGGED)):
        (folder / f"{task}.tsv").write_text("".join(lines))
        code = seqjax(
            *("train", "--task", task, "--train", folder / f"{task}.tsv"),
            *("--valid", folder / f"{task}.tsv", "--run-dir", folder / task, *SMALL),
        )
        assert code == 0
    return folder


def test_both_are_learnt_and_measured(trained, capsys):
    for task, name, worth in (("classify", "macro_f1", 1.0), ("tag", "span_f1", 1.0)):
        assert seqjax("evaluate", trained / task, "--json") == 0
        scores = json.loads(capsys.readouterr().out)
        assert scores["accuracy"] == 1.0 and scores[name] == worth
        assert scores["loss"] < 0.3


def test_a_line_in_is_a_line_out(trained, monkeypatch, capsys):
    fed(monkeypatch, b"a great film\n\nthe dull book\n")
    assert seqjax("predict", trained / "classify") == 0
    assert capsys.readouterr().out == "good\n\nbad\n"
    fed(monkeypatch, b"meet Zoe Fox now\n")
    assert seqjax("predict", trained / "tag", "--json") == 0
    (found,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert found["labels"][0]["label"] == "O B-NAME I-NAME O"
    assert 0.5 < found["labels"][0]["prob"] <= 1


def test_a_line_that_is_too_long_is_cut_aloud_and_one_with_tags_is_not(
    trained, tmp_path, monkeypatch, capsys
):
    line = b"meet Zoe Fox now " * 60  # 240 words, where 200 are read
    for task, more, count in (("classify", b"", 1), ("classify", line, 1), ("tag", b"", 0)):
        fed(monkeypatch, line + more + b"\nsee Ann\n")
        assert seqjax("predict", trained / task) == 0
        out, told = capsys.readouterr()
        note = f"{count} of 2 lines are longer than --data.max-source 200, cut"
        assert (note in told) == bool(count) and "cut" not in told.replace(note, "")
        if task == "tag":
            assert [len(tags.split()) for tags in out.splitlines()] == [240, 2]
    fed(monkeypatch, line + b"\n")
    written = tmp_path / "found.npz"
    assert seqjax("features", trained / "classify", "--pool", "steps", "--output", written) == 0
    assert "1 of 1 lines are longer than --data.max-source 200, cut" in capsys.readouterr().err
    (tmp_path / "long.tsv").write_text(f"{line.decode().strip()}\tgood\na fine film\tgood\n")
    assert seqjax("evaluate", trained / "classify", "--data", tmp_path / "long.tsv") == 0
    assert "1 of 2 lines are longer than --data.max-source 200, cut" in capsys.readouterr().err


def test_probabilities_of_all_labels_add_up_to_one(trained, monkeypatch, capsys):
    fed(monkeypatch, b"a great film\n")
    assert seqjax("predict", trained / "classify", "--n-best", "9", "--probs") == 0
    pairs = [one.split(" ") for one in capsys.readouterr().out.strip().split("\t")]
    assert [name for name, _ in pairs] == ["good", "bad"]
    assert sum(float(prob) for _, prob in pairs) == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize(
    ("task", "line", "message"),
    [
        ("classify", "a fine film\tsplendid\n", ":1: training has no label 'splendid'"),
        ("classify", "a fine film\t\n", ":1: the target is empty"),
        ("tag", "see Ann Lee\tO B-NAME\n", ":1: has 3 words and 2 tags"),
        ("tag", "see Ann\tO B-PLACE\n", ":1: training has no tag 'B-PLACE'"),
    ],
)
def test_what_does_not_fit_is_told_with_its_line(trained, tmp_path, capsys, task, line, message):
    (tmp_path / "odd.tsv").write_text(line)
    told = one_line_error(capsys, "evaluate", trained / task, "--data", tmp_path / "odd.tsv")
    assert message in told
    told = one_line_error(
        capsys,
        *("train", "--task", task, "--train", trained / f"{task}.tsv", "--valid"),
        *(tmp_path / "odd.tsv", "--run-dir", tmp_path / "run", *SMALL),
    )
    assert message in told


@pytest.mark.parametrize("kind", ("network", "bag_of_words", "majority"))
def test_there_is_nothing_to_learn_where_all_labels_are_the_same(tmp_path, capsys, kind):
    (tmp_path / "one.tsv").write_text("a fine film\tgood\na bad one\tgood\n")
    files = ("--train", tmp_path / "one.tsv", "--valid", tmp_path / "one.tsv")
    told = one_line_error(
        capsys,
        *("train", "--task", "classify", "--model.kind", kind, *files),
        *("--run-dir", tmp_path / "run", *(SMALL if kind == "network" else ())),
    )
    assert "training labels: all are 'good'; give texts of two labels" in told


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("decode", "classify"), "only encoder-decoders answer together"),
        (("generate", "tag", "--prompt", "a"), "is a tag run, which does not go on from a text"),
        (("evaluate", "classify", "--report"), "--report is of encoder-decoders"),
    ],
)
def test_other_commands_say_which_one_is_meant(trained, capsys, words, message):
    command, run, *more = words
    assert message in one_line_error(capsys, command, trained / run, *more)


def test_settings_that_a_task_has_no_use_for_are_refused(tmp_path, capsys):
    for setting in (
        "--model.attention=dot",
        "--decode.length-penalty=2",
        "--objective.risk-weight=1",
    ):
        told = one_line_error(capsys, "train", "--task", "classify", setting)
        assert "for classify, which has no use for it" in told


def test_features_are_what_the_output_layer_reads(trained, tmp_path, monkeypatch, capsys):
    """Of the highest outputs of each unit, the output layer makes the probabilities."""
    run = load(str(trained / "classify"))
    fed(monkeypatch, b"a great film\n\nthe dull book\n")
    written = tmp_path / "found.npy"
    assert seqjax("features", trained / "classify", "--pool", "max", "--output", written) == 0
    found = np.load(written)
    assert found.shape == (3, 8) and not found[1].any()
    weights = run.params["label_map"]
    logits = found @ np.asarray(weights["kernel"]) + np.asarray(weights["bias"])
    answers = run.answer_fn()(run.weights, ["a great film", "the dull book"])
    for row, said in zip((0, 2), answers, strict=True):
        shares = np.exp(logits[row]) / np.exp(logits[row]).sum()
        names = run.vocabularies["target"].tokens
        for answer in said:
            share = shares[names.index(answer.text)]
            assert np.exp(answer.log_prob) == pytest.approx(share, abs=1e-5)


def test_features_of_steps_are_as_many_as_the_text_has_tokens(trained, tmp_path, monkeypatch):
    fed(monkeypatch, b"meet Zoe Fox now\n\nsee Ann\n")
    written = tmp_path / "found.npz"
    assert seqjax("features", trained / "tag", "--pool", "steps", "--output", written) == 0
    with np.load(written) as found:
        assert [found[name].shape for name in ("0", "1", "2")] == [(4, 8), (0, 8), (2, 8)]
    fed(monkeypatch, b"meet Zoe Fox now\n")
    listed = tmp_path / "found.jsonl"
    assert seqjax("features", trained / "tag", "--pool", "last", "--output", listed) == 0
    with np.load(written) as found:
        last = json.loads(listed.read_text())
        np.testing.assert_allclose(last, found["0"][-1], atol=1e-6)

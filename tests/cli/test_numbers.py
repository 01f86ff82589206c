"""Numbers for texts and for vectors, as a user meets them."""

import json

import numpy as np
import pytest
from cli.commands import fed, one_line_error, seqjax

from seqjax.runs.trained import load

SMALL = (
    *("--model.embedding-size", "8", "--model.hidden-size", "8", "--model.pooling", "mean"),
    *("--model.direction", "forward", "--model.dropout", "0", "--data.batch-size", "8"),
    *("--data.buckets", "1", "--optimizer.warmup-steps", "2", "--optimizer.schedule", "constant"),
    *("--optimizer.learning-rate", "0.02", "--epochs", "60", "--validation.every", "120"),
)
WORTH = {"poor": 100.0, "fair": 250.0, "good": 400.0}
LINES = [
    f"{start} {word} {end}\t{worth}\n"
    for word, worth in WORTH.items()
    for start in ("a", "the")
    for end in ("film", "play")
]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Networks of texts and of arrays, and the mean."""
    folder = tmp_path_factory.mktemp("numbers")
    (folder / "texts.tsv").write_text("".join(LINES))
    names = []
    for number in range(16):
        np.save(folder / f"{number}.npy", np.full((3, 2), [number, 1.0]))
        names.append(f"{number}.npy\t{1000 * number}\n")
    (folder / "arrays.tsv").write_text("".join(names))
    words = ("--data.source-tokens", "words")
    for name, file, more in (
        ("texts", "texts.tsv", words),
        ("mean", "texts.tsv", (*words, "--model.kind", "usual")),
        ("arrays", "arrays.tsv", ("--data.source-kind", "arrays")),
    ):
        code = seqjax(
            *("train", "--task", "regress", "--train", folder / file, "--valid", folder / file),
            *("--run-dir", folder / name, *SMALL, *more),
        )
        assert code == 0
    return folder


def scores_of(capsys, run, *words):
    capsys.readouterr()
    assert seqjax("evaluate", run, "--json", *words) == 0
    return json.loads(capsys.readouterr().out)


def test_numbers_are_learnt_and_measured_in_the_units_of_the_file(trained, capsys):
    spread = np.std(list(WORTH.values()))
    for run, unit in (("texts", spread), ("arrays", np.std(1000.0 * np.arange(16)))):
        scores = scores_of(capsys, trained / run)
        assert scores["r2"] > 0.9
        assert scores["loss"] == pytest.approx(scores["mean_squared_error"] / unit**2, rel=1e-3)
        assert scores["r2"] == pytest.approx(1 - scores["loss"], abs=1e-4)
        assert "perplexity" not in scores
    scores = scores_of(capsys, trained / "mean")
    assert scores["mean_squared_error"] == pytest.approx(spread**2, rel=1e-6)
    assert scores["mean_absolute_error"] == pytest.approx(100.0, rel=1e-6)
    assert scores["loss"] == pytest.approx(1.0) and scores["r2"] == pytest.approx(0.0, abs=1e-9)


def test_a_line_in_is_a_number_out(trained, monkeypatch, capsys):
    content = b"a good film\n\nthe poor play\n"
    fed(monkeypatch, content)
    assert seqjax("predict", trained / "texts") == 0
    good, empty, poor = capsys.readouterr().out.split("\n")[:3]
    assert empty == "" and abs(float(good) - 400) < 60 and abs(float(poor) - 100) < 60
    fed(monkeypatch, content)
    assert seqjax("predict", trained / "mean", "--json") == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["number"] for row in rows] == [250.0, None, 250.0]
    fed(monkeypatch, b"a good film\n")
    told = one_line_error(capsys, "predict", trained / "texts", "--probs")
    assert "a number has no probability; leave --probs out" in told


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a film\tgood\n", ":1: the target 'good' is not a number"),
        ("a film\tnan\n", ":1: the target 'nan' is not finite"),
        ("a film\t1e999\n", ":1: the target '1e999' is not finite"),
        ("a film\t1_000\n", ":1: the target '1_000' is not a number"),
        ("a film\t\n", ":1: the target is empty"),
    ],
)
def test_what_is_no_number_is_told_with_its_line(trained, tmp_path, capsys, line, message):
    (tmp_path / "odd.tsv").write_text(line)
    told = one_line_error(capsys, "evaluate", trained / "texts", "--data", tmp_path / "odd.tsv")
    assert message in told
    told = one_line_error(
        *(capsys, "train", "--task", "regress", "--train", tmp_path / "odd.tsv"),
        *("--run-dir", tmp_path / "run", *SMALL),
    )
    assert message in told


def test_settings_that_numbers_have_no_use_for_are_refused(tmp_path, capsys):
    for setting in ("--model.attention=dot", "--objective.label-smoothing=0.1", "--model.crf"):
        told = one_line_error(capsys, "train", "--task", "regress", "--train", "x", setting)
        assert "for regress, which has no use for it" in told
    told = one_line_error(capsys, "train", "--data.source-kind", "arrays")
    assert "data.source_kind must be left at texts for text-to-text" in told
    told = one_line_error(capsys, "train", "--task", "regress", "--data.embedded", "adding")
    assert "data.source_kind must be arrays for the built-in adding problem" in told


def test_how_numbers_are_read_is_kept_and_held_against_what_it_must_be(trained, tmp_path, capsys):
    path = trained / "mean" / "vocabulary" / "target.json"
    whole = path.read_text()
    try:
        for change in ('"spread": 0.0', '"spread": -1.0', '"spread": 1', '"spread": null'):
            path.write_text(whole.split('"spread"')[0] + change + "}")
            assert "not how numbers are read" in one_line_error(capsys, "evaluate", path.parents[1])
    finally:
        path.write_text(whole)
    figures = load(str(trained / "texts")).vocabularies["target"]
    assert (figures.mean, figures.spread) == (250.0, np.std(list(WORTH.values())))
    assert float(figures.decode(figures.encode("317.5").item())) == pytest.approx(317.5, rel=1e-6)

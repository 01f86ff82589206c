"""Scores of texts that are told if they are asked for, of the usual answer to each source."""

import json

import pytest
from cli.commands import one_line_error, seqjax

LINES = (
    "hi\thello\n"
    "hi | hello | a table\tfor how many people\n"
    "hi | hello | a table | for how many people | two\tlet me look\n"
    "hi\tgood day\n"
    "hi | good day | bye\tbye\n"
    "hi\thello\n"
)


@pytest.fixture(scope="module")
def usual(tmp_path_factory):
    folder = tmp_path_factory.mktemp("usual")
    (folder / "lines.tsv").write_text(LINES)
    code = seqjax(
        *("train", "--model.kind", "usual", "--train", folder / "lines.tsv"),
        *("--valid", folder / "lines.tsv", "--run-dir", folder / "run"),
        *("--data.source-tokens", "words", "--data.target-tokens", "words"),
        "--validation.dialogues",
    )
    assert code == 0
    return folder / "run"


def test_every_line_of_a_dialogue_counts(usual, capsys):
    """The usual answer to `hi` is hello, which is wrong once: a dialogue of two lines fails."""
    scores = json.loads((usual / "results.json").read_text())
    assert scores["responses"] == 6 and scores["dialogues"] == 3
    assert scores["response_accuracy"] == pytest.approx(5 / 6)
    assert scores["dialogue_accuracy"] == pytest.approx(2 / 3)
    assert scores["exact_match"] == 1.0  # of distinct sources, of which one has two answers
    assert "rouge_1" not in scores


def test_rouge_is_told_if_it_is_asked_for(usual, capsys):
    pytest.importorskip("rouge_score")
    assert seqjax("evaluate", usual, "--rouge", "--json") == 0
    scores = json.loads(capsys.readouterr().out)
    assert scores["rouge_1"] == scores["rouge_l"] == 100.0
    assert scores["rouge_2"] == pytest.approx(100 * 2 / 4)  # two answers are of one word
    assert scores["said_before"] == 0.0


def test_they_are_of_tasks_that_have_them(capsys):
    for words in ("--task classify --validation.rouge", "--task describe --validation.dialogues"):
        assert "which has no use for it" in one_line_error(capsys, "train", *words.split())

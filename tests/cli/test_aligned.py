"""Text to text from aligned pairs, as a user meets it."""

import itertools
import json

import numpy as np
import pytest
from cli.commands import fed, one_line_error, seqjax

from seqjax.predict.answer import Answer
from seqjax.predict.labels import joined
from seqjax.runs.trained import load

SPELT = {"x": "K S", "h": "", "a": "A", "b": "B", "c": "K"}
WORDS = ["".join(word) for size in (3, 4) for word in itertools.product(SPELT, repeat=size)]
SAID = [
    (word, " ".join(filter(None, (SPELT[letter] for letter in word))))
    for word in WORDS
    if set(word) != {"h"}
]
SMALL = (
    *("--model.decoder", "aligned", "--data.target-tokens", "words", "--data.buckets", "1"),
    *("--model.embedding-size", "8", "--model.hidden-size", "16", "--data.batch-size", "32"),
    *("--optimizer.learning-rate", "0.03", "--optimizer.warmup-steps", "2", "--epochs", "8"),
    *("--model.dropout", "0", "--validation.every", "90", "--validation.metric", "exact_match"),
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("aligned")
    lines = [f"{word}\t{said}\n" for word, said in SAID]
    (folder / "train.tsv").write_text("".join(lines[::2]) + "a\tA K S\n")
    (folder / "valid.tsv").write_text("".join(lines[1::10]) + "ah\tK S K S A\n")
    code = seqjax(
        *("train", "--train", folder / "train.tsv", "--valid", folder / "valid.tsv"),
        *("--run-dir", folder / "run", *SMALL),
    )
    assert code == 0
    return folder


def test_letters_and_what_they_stand_for_are_learnt(trained, capsys):
    assert seqjax("evaluate", trained / "run", "--json") == 0
    scores = json.loads(capsys.readouterr().out)
    count = len(SAID[1::10])
    assert scores["exact_match"] == pytest.approx(count / (count + 1))
    assert scores["token_error_rate"] < 0.02 and scores["loss"] < 0.2
    assert scores["unaligned"] == 1
    steps = sum(len(word) for word, _ in SAID[1::10])
    assert scores["tokens"] == steps  # one chunk for each letter of what can be aligned


def test_what_could_not_be_aligned_is_counted_and_told(trained):
    statistics = json.loads((trained / "run" / "data.json").read_text())
    assert statistics["unaligned"] == 1 and statistics["train"] == len(SAID[::2])
    vocabulary = json.loads((trained / "run" / "vocabulary" / "target.json").read_text())
    assert sorted(vocabulary["chunks"]) == [[], ["A"], ["B"], ["K"], ["K", "S"]]


def test_a_line_in_is_n_answers_out(trained, monkeypatch, capsys):
    fed(monkeypatch, b"xab\n\nbhz\n")  # the last letter was never seen
    assert seqjax("decode", trained / "run", "--n-best", "2", "--output", "jsonl") == 0
    found = [json.loads(line)["answers"] for line in capsys.readouterr().out.splitlines()]
    assert found[0][0]["text"] == "K S A B" and found[0][0]["tokens"] == ["K", "S", "A", "B"]
    assert found[0][0]["score"] > found[0][1]["score"]
    assert len({answer["text"] for answer in found[0]}) == 2
    assert found[1][0]["text"] == "" and found[2][0]["tokens"][0] == "B"


def test_an_answer_is_all_ways_to_say_it():
    answers = [
        Answer(text, (text,), float(np.log(prob)), float(np.log(prob)), True)
        for text, prob in (("a b", 0.3), ("a", 0.25), ("a", 0.2))
    ]
    first, second = joined(answers)
    assert (first.text, second.text) == ("a", "a b")
    assert np.exp(first.log_prob) == pytest.approx(0.45) and first.score == first.log_prob


@pytest.mark.slow
@pytest.mark.standard_promotion
def test_a_chain_of_chunks_is_learnt_too(trained, tmp_path):
    code = seqjax(
        *("train", "--train", trained / "train.tsv", "--valid", trained / "valid.tsv"),
        *("--run-dir", tmp_path / "run", *SMALL, "--model.crf", "--epochs", "3"),
    )
    assert code == 0
    run = load(str(tmp_path / "run"))
    assert "transitions" in run.params and run.decode(["xab"]) == ["K S A B"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("--model.decoder=aligned --model.attention=dot", "with model.decoder aligned, which has"),
        ("--model.decoder=aligned --model.pyramid", "model.pyramid must be left at False"),
        ("--model.decoder=aligned --objective.risk-weight=1", "objective.risk_weight must be left"),
        ("--model.decoder=aligned --decode.length-penalty=2", "decode.length_penalty must be left"),
        ("--model.decoder=aligned --decode.method=sample", "decode.method must be beam or greedy"),
        ("--model.decoder=aligned --model.kind=lexicon", "model.kind must be network when"),
        ("--model.decoder=aligned --data.target-tokens=subwords", "must be chars or words when"),
        ("--model.decoder=aligned --validation.metric=token_accuracy", "another than token_accu"),
        ("--model.decoder=ctc", "model.decoder must be one of attention, aligned for text-to-text"),
        ("--task=describe --model.decoder=aligned", "must be one of attention, ctc for describe"),
        ("--task=tag --model.decoder=aligned", "model.decoder must be left at attention"),
        ("--data.max-chunk=3", "data.max_chunk must be left at 2"),
        ("--model.decoder=aligned --data.max-chunk=0", "data.max_chunk must be in [1, 8]"),
        ("--model.crf", "model.crf must be left at False"),
    ],
)
def test_settings_that_have_no_use_are_refused(capsys, settings, message):
    assert message in one_line_error(capsys, "train", *settings.split())


def test_nothing_else_has_a_say_in_its_answers(trained, monkeypatch, capsys):
    fed(monkeypatch, b"xab\n")
    told = one_line_error(capsys, "decode", trained / "run", "--prefix", trained / "train.tsv")
    assert "a model of aligned pairs knows no --prefix" in told
    told = one_line_error(capsys, "decode", trained / "run", "--consensus", "bleu")
    assert "beside a model of aligned pairs nothing has a say" in told
    told = one_line_error(capsys, "decode", trained / "run", trained / "run")
    assert "only encoder-decoders answer together" in told

"""Running texts: what they repeat, and what their vocabulary lacks."""

import dataclasses
import math

import pytest
from survey.made import WORDS, found_in_text, lines, splits, where, write

from seqjax.config import Config
from seqjax.survey.corpus import read_text_split
from seqjax.survey.running import cut_text, survey_text
from seqjax.tasks.choose import build_task

LONG = "one two three four five six seven eight"
TRAIN = ["a b", LONG, "", "x y z", LONG, "a b"]
VALID = ["a b", "", "new words", LONG]


def text(*texts, **more):
    return splits(*texts, **more, make=lines)


def test_lines_in_both_texts_are_counted_and_long_ones_apart():
    (finding,) = found_in_text(text(TRAIN, VALID), "SJ-D30")
    assert dict(finding.numbers) == {"split": "valid", "lines": 2, "long": 1, "of": 3}
    assert where(finding) == [("valid.txt", 4), ("valid.txt", 1)]
    assert finding.kind == "warning"


def test_long_lines_that_come_again_are_counted_after_the_first():
    (finding,) = found_in_text(text(TRAIN), "SJ-D31")
    assert (finding.count, where(finding)) == (1, [("train.txt", 5)])


def test_a_copied_document_is_found_whatever_its_line_breaks():
    words = [f"w{n}" for n in range(60)]
    train = [" ".join(words[at : at + 10]) for at in range(0, 60, 10)]
    valid = ["other text", " ".join(words[5:20]), " ".join(words[20:42]), "the end"]
    corpus = text(train, valid)
    (finding,) = found_in_text(corpus, "SJ-D32")
    assert finding.numbers["longest"] == finding.count == 37
    assert where(finding) == [("valid.txt", 2)]
    assert found_in_text(corpus, "SJ-D30")[0].kind == "ok"


@pytest.mark.parametrize("kind", ["words", "chars"])
def test_unknown_tokens_are_those_that_training_counts(tmp_path, kind):
    train, valid = "a b c\n\na b d é\n" * 2 + "rare\n", "a q\nc rare é ü\n"
    paths = [write(tmp_path / "a.txt", train), write(tmp_path / "b.txt", valid)]
    data = dataclasses.replace(WORDS, target_tokens=kind, min_count=2, batch_size=1)
    config = Config(task="language-model", train=(paths[0],), valid=(paths[1],), data=data)
    corpus = {n: read_text_split(n, [p]) for n, p in zip(("train", "valid"), paths, strict=True)}
    (finding,) = found_in_text(corpus, "SJ-D33", data)
    built = build_task(config).data()
    assert round(finding.numbers["share"], 4) == built.statistics["unknown_share"]
    side = cut_text(corpus, kind, 0)
    assert len(side.rows["train"].values) == built.statistics["train"]


def test_frequencies_alone_have_the_perplexity_of_a_table():
    corpus = text(["a a b", "a"], ["a b", "c"])
    (finding,) = found_in_text(corpus, "SJ-D20")
    # Of train: a 3, b 1, line feed 2, and the unknown one that is given 1; 7 together.
    valid = -(math.log(3 / 7) + math.log(1 / 7) + 2 * math.log(2 / 7) + math.log(1 / 7)) / 5
    assert finding.numbers["nats_per_token"]["valid"] == pytest.approx(valid)


def test_a_text_without_others_is_looked_at_alone():
    codes = [finding.code for finding in survey_text(text(TRAIN), WORDS).findings]
    assert "SJ-D30" not in codes and "SJ-D31" in codes

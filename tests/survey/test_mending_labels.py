"""What is mended in files of labels and tags is gone, once and for all."""

import random

import pytest
from survey.made import CHARS, findings, splits

from seqjax.config import Config, DataConfig
from seqjax.errors import InputError
from seqjax.survey.choose import survey_of, usable
from seqjax.survey.codes import FIXABLE
from seqjax.survey.mending import mend, mendable

READ = DataConfig(source_tokens="words", buckets=1)
LABELS, TAGS = Config(task="classify", data=READ), Config(task="tag", data=READ)
TRAIN = (
    *(f"text number {n} of {n % 7} and more|{'neg' if n % 2 else 'pos'}" for n in range(60)),
    "leaks to the test data|neg",
    "stands in valid too, yes|neg",
    "has another label there|neg",
    "this is nearly in the valid data|pos",
    "cafe\u0301 au lait|pos",
    "zero\u200bwidth space|pos",
    "naÃ¯ve text|neg",
    "lost\ufffd text|neg",
    "some русский текст здесь|pos",
    "spelt otherwise|Pos",
    "text number 1 of 1 and more|neg",
)
VALID = (
    "stands in valid too, yes|neg",
    "has another label there|pos",
    "this is nearly in the train data|pos",
    "stands in both|pos",
)
TEST = ("leaks to the test data|neg", "stands in both|pos")
CODES = [code for code in mendable("classify") if code not in ("SJ-D01", "SJ-D11")]


def of_labels():
    return splits(TRAIN, VALID, TEST)


def of_tags():
    """The same texts, each word with a tag that is the label."""

    def tagged(pair):
        text, label = pair.split("|")
        return f"{text}|{' '.join([label] * len(text.split()))}"

    return splits(*([tagged(pair) for pair in pairs] for pairs in (TRAIN, VALID, TEST)))


def left(corpus, config, codes):
    survey = survey_of(corpus, config)
    return [code for code in codes if {f.kind for f in findings(survey, code)} != {"ok"}]


@pytest.mark.parametrize("make, config", [(of_labels, LABELS), (of_tags, TAGS)])
def test_every_fault_is_there_is_mended_and_mending_again_changes_nothing(make, config):
    corpus = make()
    assert left(corpus, config, CODES) == CODES
    for codes in ([code] for code in CODES):
        once, repairs = mend(corpus, codes, config)
        assert {repair.code for repair in repairs} == set(codes)
        assert left(once, config, codes) == []
        assert mend(once, codes, config) == (once, [])
    once, _ = mend(corpus, CODES, config)
    assert left(once, config, CODES) == []
    assert mend(once, CODES, config) == (once, [])


def test_labels_and_tags_are_written_as_they_usually_are():
    once, _ = mend(splits(["a b|X x", "a|X", "b  c|x  Y"]), ["SJ-D37"], TAGS)
    assert once["train"].targets == ["X X", "X", "X  Y"]
    once, _ = mend(splits(["a|pos", "b|pos", "c|Pos "]), ["SJ-D37"], LABELS)
    assert once["train"].targets == ["pos", "pos", "pos"]


def test_where_a_change_of_text_leaves_a_tag_without_token_the_line_goes():
    corpus = splits(["a \u200b b|X Y Z", "c\u200b d|X Y"])
    once, repairs = mend(corpus, ["SJ-D12"], TAGS)
    assert (once["train"].sources, once["train"].targets) == (["c d"], ["X Y"])
    assert repairs == [("SJ-D12", "train", 2, 1)]
    letters = Config(task="tag", data=CHARS)
    once, repairs = mend(splits(["e\u0301|X Y", "e|X"]), ["SJ-D10"], letters)
    assert once["train"].sources == ["e"]


@pytest.mark.parametrize("seed", range(4))
def test_random_files_are_mended_once_and_for_all(seed):
    generator = random.Random(seed)
    letters = ["a", "b", "e\u0301", "\u200b", " ", "\u00a0", "Ã©", "ж"]
    words = ["X", "x", "Y", "B-x"]

    def pair():
        text = "".join(generator.choices(letters, k=generator.randint(1, 7)))
        text = text if text.strip() else "a"
        if config is LABELS:
            return f"{text}|{generator.choice(words)}{generator.choice(['', ' '])}"
        return f"{text}|{' '.join(generator.choices(words, k=len(text.split()))) or 'X'}"

    config = (LABELS, TAGS)[seed % 2]
    corpus = usable(splits(*([pair() for _ in range(n)] for n in (60, 10, 10))), config)
    codes = mendable(config.task) if seed < 2 else generator.sample(mendable(config.task), 4)
    once, _ = mend(corpus, codes, config)
    assert mend(once, codes, config) == (once, [])
    assert left(once, config, codes) == []


def test_what_another_task_has_is_refused_and_files_of_names_are():
    for task, code in (("classify", "SJ-D06"), ("tag", "SJ-D15"), ("text-to-text", "SJ-D37")):
        with pytest.raises(InputError, match=f"{code} is a finding of --task (text|classify, tag)"):
            mend(splits(["a|b"]), [code], Config(task=task))
    with pytest.raises(InputError, match="files of --task describe name others beside them"):
        mend(splits(["a|b"]), ["SJ-D02"], Config(task="describe"))
    assert "SJ-D37" in FIXABLE

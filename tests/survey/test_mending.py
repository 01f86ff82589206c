"""What is mended is gone, once and for all, and the files that were given are as they were."""

import gzip
import json
import random
import shutil
from pathlib import Path

import pytest
from survey.made import CHARS, WORDS, findings, lines, split, splits, write

from seqjax.config import Config, DataConfig
from seqjax.errors import InputError
from seqjax.survey.codes import BY_NAME, FIXABLE
from seqjax.survey.copies import write_copy
from seqjax.survey.corpus import read_pair_split, read_text_split
from seqjax.survey.mending import ORDER, mend, mendable
from seqjax.survey.pairs import survey_pairs
from seqjax.survey.running import survey_text

PAIR_CODES, TEXT_CODES = mendable("text-to-text"), mendable("language-model")
SHORT = DataConfig(target_tokens="words", buckets=1)
PAIRS, LETTERS = Config(data=SHORT), Config(data=CHARS)
TEXT = Config(task="language-model", data=WORDS)
TRAIN = (
    *(f"word{n}|W {n % 7} R D{n % 50} X" for n in range(60)),
    "leak|L IY K",  # stands in test
    "both|B OW TH",  # stands in valid
    "bow|B AW",  # valid says B OW
    "walking|W AO K IH NG",  # near walked
    "cafe\u0301|K A F E",
    "zero\u200bwidth|Z E R O",
    " outer|O U T ER ",
    "naÃ¯ve|N AA IY V",
    "lost\ufffd|L O S T",
    "same|same",
    "word1|W 1 R D1 X",
    "слово|S L O V O",
    "loops|A B A B A B A B A B",
    f"long|{' '.join('LMNO'[n % 4] + str(n) for n in range(60))}",
)
VALID = ("both|B OW TH", "bow|B OW", "shared|SH", "walked|W AO K T")
TEST = ("leak|L IY K", "shared|SH")
BAD = "no tab\n\ttarget alone\na\tb\tc\n"


def files(directory):
    """The planted faults as files; returns their paths by split."""
    directory.mkdir()
    contents = {"train": TRAIN, "valid": VALID, "test": TEST}
    paths = {}
    for name, pairs in contents.items():
        text = "".join(pair.replace("|", "\t") + "\n" for pair in pairs)
        text = BAD + text.replace("\n", "\r\n") if name == "train" else text
        suffix = ".tsv.gz" if name == "train" else ".tsv"
        paths[name] = write(directory / f"{name}{suffix}", text)
    return paths


def read(paths):
    return {name: read_pair_split(name, [path]) for name, path in paths.items()}


def moved(paths, directory):
    return {name: str(directory / path.rsplit("/", 1)[-1]) for name, path in paths.items()}


def kinds(survey, code):
    return {finding.kind for finding in findings(survey, code)}


def test_every_fault_that_can_be_mended_is_there_at_first(tmp_path):
    survey = survey_pairs(read(files(tmp_path / "given")), SHORT)
    assert [code for code in PAIR_CODES if kinds(survey, code) == {"ok"}] == []


@pytest.mark.parametrize("code", PAIR_CODES)
def test_what_is_mended_is_gone_and_mending_again_changes_nothing(tmp_path, code):
    paths = files(tmp_path / "given")
    before = {path: Path(path).read_bytes() for path in paths.values()}
    corpus = read(paths)
    once, repairs = mend(corpus, [code], PAIRS)
    assert any(repair.code == code for repair in repairs)
    write_copy(once, tmp_path / "once")
    copied = read(moved(paths, tmp_path / "once"))
    assert kinds(survey_pairs(copied, SHORT), code) == {"ok"}
    twice, again = mend(copied, [code], PAIRS)
    assert again == []
    write_copy(twice, tmp_path / "twice")
    for path in (tmp_path / "once").iterdir():
        assert (tmp_path / "twice" / path.name).read_bytes() == path.read_bytes()
    assert before == {path: Path(path).read_bytes() for path in paths.values()}


def test_everything_is_mended_at_once_and_told(tmp_path):
    corpus = read(files(tmp_path / "given"))
    mended, repairs = mend(corpus, PAIR_CODES, PAIRS)
    told = {(repair.code, repair.split): (repair.changed, repair.removed) for repair in repairs}
    assert told["SJ-D01", "train"] == (0, 3)
    assert told["SJ-D02", "train"] == told["SJ-D03", "train"] == told["SJ-D05", "train"] == (0, 1)
    assert told["SJ-D26", "valid"] == (0, 1)
    assert told["SJ-D10", "train"] == (1, 0)
    assert told["SJ-D11", "train"] == (len(TRAIN), 0)
    assert told["SJ-D12", "train"] == (3, 0)
    assert told["SJ-D27", "train"] == (1, 1)
    train = mended["train"]
    assert {"café", "naïve", "outer", "zerowidth"} <= set(train.sources)
    gone = {"leak", "both", "bow", "walking", "lost\ufffd", "same", "слово", "loops", "long"}
    assert not gone & set(train.sources)
    assert (mended["test"].sources, mended["valid"].sources) == (
        ["leak", "shared"],
        ["both", "bow", "walked"],
    )
    survey = survey_pairs(mended, SHORT)
    for code in PAIR_CODES:
        assert {finding.kind for finding in findings(survey, code)} == {"ok"}


@pytest.mark.parametrize("seed", range(6))
def test_random_data_is_mended_once_and_for_all(seed):
    generator = random.Random(seed)
    letters = ["a", "b", "e\u0301", "\u0301", "\u200b", " ", "\u00a0", "Ã©", "ж"]

    def text():
        made = "".join(generator.choices(letters, k=generator.randint(1, 7)))
        return made if made.strip() else "a"

    corpus = splits(
        *([f"{text()}|{text()}" for _ in range(count)] for count in (60, 10, 10)),
    )
    codes = PAIR_CODES if seed % 2 else generator.sample(PAIR_CODES, 4)
    once, _ = mend(corpus, codes, LETTERS)
    assert mend(once, codes, LETTERS) == (once, [])
    survey = survey_pairs(once, CHARS)
    assert [code for code in codes if kinds(survey, code) != {"ok"}] == []


LONG = "one two three four five six seven eight nine"


def test_a_running_text_is_mended_once_and_for_all(tmp_path):
    train = ["short", LONG, "", "e\u0301\u200b", f"{LONG} ten", "short", f"{LONG} ten", "naÃ¯ve"]
    corpus = splits(train, ["short", LONG], make=lines)
    once, repairs = mend(corpus, TEXT_CODES, TEXT)
    assert once["train"].targets == ["short", "", "é", f"{LONG} ten", "short", "naïve"]
    assert {(repair.code, repair.removed) for repair in repairs} >= {("SJ-D30", 1), ("SJ-D31", 1)}
    assert mend(once, TEXT_CODES, TEXT) == (once, [])
    survey = survey_text(once, WORDS)
    assert {finding.kind for finding in findings(survey, "SJ-D31")} == {"ok"}
    (shared,) = findings(survey, "SJ-D30")
    assert shared.numbers["long"] == 0
    (path, _) = write_copy(once, tmp_path / "copy")
    assert read_text_split("train", [str(path)]).targets == once["train"].targets


def test_a_copy_has_the_form_of_its_files(tmp_path):
    (tmp_path / "in").mkdir()
    one = write(tmp_path / "in" / "a.jsonl", '{"id": 7, "source": " é", "target": "b"}\r\nno\n')
    two = [write(tmp_path / "in" / "a.en.gz", "a\nb\n"), write(tmp_path / "in" / "a.de", "A\n\n")]
    corpus = {"train": read_pair_split("train", [one]), "valid": read_pair_split("valid", two)}
    mended, _ = mend(corpus, ["SJ-D12"], LETTERS)
    write_copy(mended, tmp_path / "out")
    assert json.loads((tmp_path / "out" / "a.jsonl").read_bytes()) == {
        "id": 7,
        "source": "é",
        "target": "b",
    }
    assert gzip.decompress((tmp_path / "out" / "a.en.gz").read_bytes()) == b"a\n"
    assert (tmp_path / "out" / "a.de").read_bytes() == b"A\n"


def test_a_copy_is_read_as_it_was_written(tmp_path):
    (tmp_path / "in").mkdir()
    odd = b"\xef\xbb\xbf\xef\xbb\xbfa\tb\r\r\n\xef\xbb\xbf\tgone\nc\r\td\n"
    corpus = {"train": read_pair_split("train", [write(tmp_path / "in" / "t.tsv", odd)])}
    mended, _ = mend(corpus, ["SJ-D14"], LETTERS)
    assert (mended["train"].sources, mended["train"].targets) == (["a", "c"], ["b", "d"])
    (path,) = write_copy(mended, tmp_path / "out")
    again = read_pair_split("train", [str(path)])
    assert (again.sources, again.targets) == (mended["train"].sources, mended["train"].targets)


def test_nothing_is_written_over_and_no_two_files_become_one(tmp_path):
    corpus = {"train": split("train", "a|b"), "valid": split("train", "c|d")}
    with pytest.raises(InputError, match="two of the files are named train.tsv"):
        write_copy(corpus, tmp_path / "out")
    full = tmp_path / "full"
    full.mkdir()
    (full / "train.tsv").write_text("mine")
    with pytest.raises(InputError, match="is not a new or empty directory"):
        write_copy({"train": corpus["train"]}, full)
    assert (full / "train.tsv").read_text() == "mine"
    shutil.rmtree(full)
    assert write_copy({"train": corpus["train"]}, full) == [full / "train.tsv"]


def test_what_cannot_be_mended_is_refused(tmp_path):
    paths = [write(tmp_path / "a.en", "a\nb\n"), write(tmp_path / "a.de", "A\n")]
    with pytest.raises(InputError, match="differ in their number of lines"):
        mend({"train": read_pair_split("train", paths)}, ["SJ-D14"], LETTERS)
    with pytest.raises(InputError, match="SJ-D30 is a finding of --task language-model"):
        mend(splits(["a|b"]), ["SJ-D30"], LETTERS)
    with pytest.raises(InputError, match="SJ-D02 is a finding of --task text-to-text"):
        mend(splits(["a"], make=lines), ["SJ-D02"], TEXT)
    with pytest.raises(InputError, match="nothing of it is left after SJ-D15"):
        mend(splits(["a|a"]), ["SJ-D15"], LETTERS)


def test_every_code_that_can_be_mended_is_one_and_has_its_turn():
    assert set(FIXABLE) <= set(BY_NAME)
    assert set(ORDER) == set(FIXABLE) - {"SJ-D01"}
    tasks = ("text-to-text", "language-model", "classify", "tag")
    assert {code for task in tasks for code in mendable(task)} == set(FIXABLE)

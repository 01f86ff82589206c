"""Files are read to their end, and what is kept is what training would keep."""

import json

import pytest
from survey.made import write

from seqjax.data.readers import read_pairs
from seqjax.errors import InputError
from seqjax.survey.corpus import read_pair_split, read_text_split
from seqjax.survey.form import line_counts, line_ends, unusable_lines

BROKEN = (
    b"\xef\xbb\xbfa\tb\r\n"  # 1: usable
    b"\r\n"  # 2: empty
    b"c d\n"  # 3: no tab
    b"e\tf\tg\n"  # 4: two tabs
    b"h\t \n"  # 5: empty target
    b"\ti\n"  # 6: empty source
    b"j\xff\tk\n"  # 7: not UTF-8
    b"l\0\tm\n"  # 8: NUL
    b"n\to"  # 9: usable, without a line feed
)


@pytest.mark.parametrize("name", ["a.tsv", "a.tsv.gz"])
def test_every_bad_line_is_told_with_its_number_and_reason(tmp_path, name):
    path = write(tmp_path / name, BROKEN)
    split = read_pair_split("train", [path])
    assert (split.sources, split.targets, split.numbers) == (["a", "n"], ["b", "o"], [1, 9])
    assert [(line.place.path, line.place.line, line.why) for line in split.bad] == [
        (path, 2, "is empty"),
        (path, 3, "has no tab"),
        (path, 4, "has 2 tabs"),
        (path, 5, "has an empty target"),
        (path, 6, "has an empty source"),
        (path, 7, "is not UTF-8"),
        (path, 8, "holds a NUL character"),
    ]
    finding = unusable_lines({"train": split}, skipped=False)
    assert (finding.kind, finding.count) == ("error", 7)
    assert unusable_lines({"train": split}, skipped=True).kind == "warning"
    ends = line_ends({"train": split})
    assert dict(ends.numbers) == {"carriage_returns": 2, "marks": 1, "mixed": 1}


JSON_LINES = [
    '{"source": "a", "target": "b", "more": 1}',
    "nothing",
    '["source"]',
    '{"source": "a"}',
    '{"source": "\\ud800", "target": "b"}',
    '{"source": "a\\nb", "target": "b"}',
    '{"source": " ", "target": "b"}',
    '{"source": "c\\td", "target": "d"}',
]


def test_jsonl_is_read_as_training_reads_it(tmp_path):
    path = write(tmp_path / "a.jsonl", "\n".join(JSON_LINES) + "\n")
    split = read_pair_split("train", [path])
    theirs = read_pairs([path], on_bad_line="skip")
    assert (split.sources, split.targets) == (theirs.sources, theirs.targets)
    assert len(split.bad) == theirs.skipped == 6
    assert split.numbers == [1, 8]
    assert split.records[0] == json.loads(JSON_LINES[0])


def test_tabbed_lines_are_read_as_training_reads_them(tmp_path):
    content = "a\tb\r\n\nno tab\n one \t two \n\u2028x\ty\x0bz\nq\tr\ts\nu\t\n"
    path = write(tmp_path / "a.tsv", content)
    split, theirs = read_pair_split("train", [path]), read_pairs([path], on_bad_line="skip")
    assert (split.sources, split.targets) == (theirs.sources, theirs.targets)
    assert len(split.bad) == theirs.skipped == 4


def test_two_files_go_together_line_by_line(tmp_path):
    paths = [write(tmp_path / "a.en", "a\n\nc\nd\n"), write(tmp_path / "a.de.gz", "A\nB\n \nD\n")]
    split = read_pair_split("train", paths)
    assert (split.sources, split.targets, split.numbers) == (["a", "d"], ["A", "D"], [1, 4])
    assert [(line.place.path, line.place.line) for line in split.bad] == [
        (paths[0], 2),
        (paths[1], 3),
    ]
    assert split.place(1, 0) == (paths[0], 4, "d")
    assert split.place(1, 1) == (paths[1], 4, "D")


def test_files_of_different_length_are_an_error_and_no_end(tmp_path):
    paths = [write(tmp_path / "a.en", "a\nb\nc\n"), write(tmp_path / "a.de", "A\nB\n")]
    split = read_pair_split("train", paths)
    assert len(split.targets) == 2
    finding = line_counts({"train": split})
    assert finding is not None and finding.kind == "error"
    assert [place.text for place in finding.places] == ["3 lines", "2 lines"]


def test_a_running_text_keeps_its_empty_lines(tmp_path):
    path = write(tmp_path / "a.txt", b"one\r\n\nbad\xff\ntwo")
    split = read_text_split("train", [path])
    assert (split.targets, split.numbers) == (["one", "", "two"], [1, 2, 4])
    assert [line.place.line for line in split.bad] == [3]


@pytest.mark.parametrize("content", ["", "\ufeff", "\n\n", "a\nb\n"])
def test_where_nothing_is_left_there_is_nothing_to_look_at(tmp_path, content):
    path = write(tmp_path / "a.tsv", content)
    with pytest.raises(InputError, match="a.tsv: (is empty|no line of it is a pair)"):
        read_pair_split("train", [path])

"""Files as people have them: what can be meant is read, what cannot is refused in one line."""

import gzip
import io
import json

import pytest

from seqjax.data.lines import read_line_stream, read_lines, read_text
from seqjax.data.readers import read_pairs
from seqjax.errors import InputError


def write(tmp_path, content, name="a.tsv"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


GOOD = "a\tb\nc d\te f\n"


@pytest.mark.parametrize(
    "content",
    (
        GOOD,
        GOOD.removesuffix("\n"),
        GOOD.replace("\n", "\r\n"),
        "\ufeff" + GOOD,
        gzip.compress(GOOD.encode(), mtime=0),
    ),
)
def test_line_ends_marks_and_gzip_change_nothing(tmp_path, content):
    name = "a.tsv.gz" if isinstance(content, bytes) else "a.tsv"
    pairs = read_pairs([write(tmp_path, content, name)])
    assert pairs == (["a", "c d"], ["b", "e f"], 0)


def test_only_a_line_feed_ends_a_line(tmp_path):
    text = "a\u2028b\x0bc\x85d\x0ce\rf\x1cg"
    path = write(tmp_path, f"{text}\tx\n")
    assert read_pairs([path]).sources == [text]


def test_jsonl_is_read(tmp_path):
    rows = [{"source": "ä", "target": "b", "more": 1}, {"target": "d", "source": "c"}]
    path = write(tmp_path, "\n".join(map(json.dumps, rows)), "a.jsonl")
    assert read_pairs([path]) == (["ä", "c"], ["b", "d"], 0)


def test_two_files_go_together_and_an_empty_line_drops_both_sides(tmp_path):
    one, two = write(tmp_path, "a\n\nc\n", "a.en"), write(tmp_path, "x\ny\nz\n", "a.de")
    assert read_pairs([one, two], on_bad_line="skip") == (["a", "c"], ["x", "z"], 1)
    with pytest.raises(InputError, match=r"a\.en:2: the source is empty"):
        read_pairs([one, two])


def test_lowercase_is_for_both_sides(tmp_path):
    assert read_pairs([write(tmp_path, "Ä B\tC\n")], lowercase=True)[:2] == (["ä b"], ["c"])


@pytest.mark.parametrize(
    ("content", "message"),
    (
        ("", "is empty"),
        ("a b\n", r":1: has 0 tabs, expected 1"),
        ("a\tb\na\tb\tc\n", r":2: has 2 tabs"),
        ("a\tb\n\tb\n", r":2: the source is empty"),
        ("a\tb\na\t \n", r":2: the target is empty"),
        (b"a\tb\na\t\xff\n", r":2: byte 3 of the line is not UTF-8"),
        ("a\tb\n".encode("utf-16"), r":1: (byte 1|holds a NUL)"),
        ("a\tb\0\n", r":1: holds a NUL"),
    ),
)
def test_what_cannot_be_meant_is_refused_with_file_and_line(tmp_path, content, message):
    path = write(tmp_path, content)
    with pytest.raises(InputError, match=message) as refusal:
        read_pairs([path])
    assert str(path) in str(refusal.value) and "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("line", "message"),
    (
        ("[1]", "not a JSON object"),
        ("{", "not a JSON object"),
        ('{"source": "a"}', "'target' must be a text, got null"),
        ('{"source": 3, "target": "b"}', "'source' must be a text, got 3"),
        (r'{"source": "\ud800", "target": "b"}', "half of a surrogate pair"),
        (r'{"source": "a\u0000", "target": "b"}', "NUL"),
    ),
)
def test_json_lines_that_cannot_be_used_are_refused(tmp_path, line, message):
    path = write(tmp_path, '{"source": "a", "target": "b"}\n' + line, "a.jsonl")
    with pytest.raises(InputError, match=f":2: .*{message}"):
        read_pairs([path])
    assert read_pairs([path], on_bad_line="skip").skipped == 1


def test_bad_lines_are_counted_when_they_are_skipped(tmp_path):
    path = write(tmp_path, "a\tb\nno tab\n\tx\ny\t\nc\td\n")
    assert read_pairs([path], on_bad_line="skip") == (["a", "c"], ["b", "d"], 3)
    with pytest.raises(InputError, match="no line of it can be used .2 left out."):
        read_pairs([write(tmp_path, "x\ny\n")], on_bad_line="skip")


def test_files_of_different_length_are_refused_with_both_counts(tmp_path):
    one, two = write(tmp_path, "a\nb\n", "a.en"), write(tmp_path, "x\n", "a.de")
    with pytest.raises(InputError, match=r"a\.en has 2 lines, .*a\.de has 1"):
        read_pairs([one, two])


def test_a_missing_file_names_its_neighbour(tmp_path):
    write(tmp_path, GOOD, "train.tsv")
    with pytest.raises(InputError, match=r"trian\.tsv: no such file; did you mean .*train\.tsv"):
        read_pairs([tmp_path / "trian.tsv"])


def test_a_directory_and_a_torn_gzip_are_refused(tmp_path):
    with pytest.raises(InputError, match="is a directory"):
        read_pairs([tmp_path])
    torn = write(tmp_path, gzip.compress(GOOD.encode(), mtime=0)[:-9], "a.tsv.gz")
    with pytest.raises(InputError, match="not a whole gzip file"):
        read_pairs([torn])


def test_a_megabyte_is_a_line_like_any_other(tmp_path):
    path = write(tmp_path, "a" * 1_000_000 + "\tb\n")
    assert len(read_pairs([path]).sources[0]) == 1_000_000


def test_a_running_text_keeps_its_empty_lines(tmp_path):
    assert read_text(write(tmp_path, "a\r\n\r\nb")) == "a\n\nb\n"
    with pytest.raises(InputError, match="nothing but white space"):
        read_text(write(tmp_path, " \n\n"))


def test_a_stream_yields_one_text_for_every_line():
    lines = read_line_stream(io.BytesIO(b"\xef\xbb\xbfa\r\n\n b\nlast"))
    assert list(lines) == ["a", "", " b", "last"]
    with pytest.raises(InputError, match=r"stdin:2: byte 1"):
        list(read_line_stream(io.BytesIO(b"a\n\xff\n")))


def test_a_final_line_feed_begins_no_line(tmp_path):
    assert read_lines(write(tmp_path, "a\n\n")) == ["a", ""]

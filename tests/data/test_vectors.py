"""Vectors as GloVe and word2vec write them; what is no vector is refused with file and line."""

import gzip

import numpy as np
import pytest

from seqjax.data.vectors import read_vectors
from seqjax.errors import InputError

ROWS = {"cat": 4, "dog": 5, "the": 6}
GLOVE = "the 1 2 -0.5\nof 0 0 0\ncat .25 1e-3 3\n"


def write(tmp_path, content, name="vectors.txt"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    "content",
    (
        GLOVE,
        "3 3\n" + GLOVE,
        GLOVE.replace("\n", " \r\n"),
        "\ufeff" + GLOVE.removesuffix("\n"),
        GLOVE + "of the 1 2 3\n. . . 4 5 6\nthe 7 8 9\n",  # blanks in a token; a token twice
        gzip.compress(GLOVE.encode(), mtime=0),
    ),
)
def test_both_forms_are_read_and_only_what_is_wanted_is_kept(tmp_path, content):
    name = "vectors.gz" if isinstance(content, bytes) else "vectors.txt"
    vectors = read_vectors(write(tmp_path, content, name), ROWS, 3)
    assert vectors.rows.tolist() == [6, 4] and vectors.values.dtype == np.float32
    np.testing.assert_array_equal(
        vectors.values, np.array([[1, 2, -0.5], [0.25, 1e-3, 3]], np.float32)
    )


def test_a_token_may_be_a_number(tmp_path):
    vectors = read_vectors(write(tmp_path, "7 3\n7 1 2 3\n3 4 5 6\n"), {"3": 0, "7": 1}, 3)
    assert vectors.rows.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("content", "message"),
    (
        ("", r"vectors.txt: is empty"),
        ("the 1 2\n", r":1: has vectors of width 2, .*is 3; give --model.embedding-size 2 or"),
        ("9 300\nthe 1 2 3\n", r":1: has vectors of width 300, .*give --model.embedding-size 300"),
        ("the cat sat\n", r":1: is not a token and numbers"),
        ("the\n", r":1: is not a token and numbers"),
        (GLOVE + "dog 1 2\n", r":4: has 2 numbers after its token, expected 3"),
        (GLOVE + "dog 1 2 3 4\n", r":4: has 4 numbers after its token, expected 3"),
        (GLOVE + "of 1 2 3 4\n", r":4: has 4 numbers after its token, expected 3"),
        (GLOVE + "\n", r":4: has 0 numbers after its token, expected 3"),
        (GLOVE + "dog 1 x 3\n", r":4: 'x' is no number"),
        (GLOVE + "dog 1 nan 3\n", r":4: holds a number that is not finite"),
        (GLOVE + "dog 1 1e99 3\n", r":4: holds a number that is not finite"),
        (GLOVE.encode() + b"d\xffg 1 2 3\n", r":4: byte 2 of the line is not UTF-8"),
        ("3 3\n", r"holds none of the vocabulary's 3 tokens; .*--data.lowercase"),
        ("The 1 2 3\n", r"holds none of the vocabulary's 3 tokens"),
    ),
)
def test_what_is_no_vector_is_refused(tmp_path, content, message):
    with pytest.raises(InputError, match=message) as caught:
        read_vectors(write(tmp_path, content), ROWS, 3)
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_torn_gzip_are_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_vectors(tmp_path / "nowhere", ROWS, 3)
    torn = write(tmp_path, gzip.compress(GLOVE.encode(), mtime=0)[:-9], "vectors.gz")
    with pytest.raises(InputError, match="not a whole gzip file"):
        read_vectors(torn, ROWS, 3)

"""Vectors that are made by name: what they promise."""

import numpy as np
import pytest

from seqjax.data.embedded.images import DIGITS, HELD_OUT, describe, make_images
from seqjax.data.embedded.morse import CODE, RATE, make_morse, morse_recording
from seqjax.data.frames import Frames, Likeness
from seqjax.data.readers import read_pairs

TREE = "  ETIANMSURWDKGOHVF L PJBXCYZQ"
"""Letters by how they are sent: from place n a dot leads to 2 n, a dash to 2 n + 1, from 1 on."""


def runs(recording):
    """Returns whether the tone is on, and for how many samples, from its beginning to its end."""
    samples, window = recording.samples.astype(float), int(0.01 * recording.rate)
    pitch = np.argmax(np.abs(np.fft.rfft(samples))) * recording.rate / len(samples)
    turned = samples * np.exp(-2j * np.pi * pitch * np.arange(len(samples)) / recording.rate)
    loudness = np.abs(np.convolve(turned, np.ones(window) / window, mode="same"))
    on = loudness > 0.5 * np.quantile(loudness, 0.95)
    changes = np.flatnonzero(np.diff(on.astype(int))) + 1
    return list(zip(on[changes[:-1]].tolist(), np.diff(changes).tolist(), strict=True))


def heard(recording):
    """Returns dots, dashes and `/` between letters."""
    found = runs(recording)
    shortest = min(length for _, length in found)
    unit = np.median([length for _, length in found if length < 2 * shortest])
    signs = {True: (".", "-"), False: ("", "/")}
    return "".join(signs[state][int(length > 2 * unit)] for state, length in found)


def test_what_is_sent_can_be_read_by_the_length_of_its_tones():
    for text in ("SOS#1", "PARIS#2", "NET#3", "QUIZ#4", "JACKDAWS#5", "FLYGHMBXV#6"):
        letters = []
        for marks in heard(morse_recording(text)).split("/"):
            place = 1
            for mark in marks:
                place = 2 * place + (mark == "-")
            letters.append(TREE[place])
        assert "".join(letters) == text.split("#")[0]


def test_figures_are_sent_in_five_marks_that_count():
    for figure in range(10):
        first, rest = (".", "-") if figure <= 5 else ("-", ".")
        count = figure if figure <= 5 else figure - 5
        assert CODE[str(figure)] == count * first + (5 - count) * rest


def test_a_recording_is_a_function_of_its_name():
    one, again, other = map(morse_recording, ("SOS#1", "sos#1", "SOS#2"))
    np.testing.assert_array_equal(one.samples, again.samples)
    assert len(one.samples) != len(other.samples) and one.rate == RATE
    assert one.samples.dtype == np.float32 and np.abs(one.samples).max() <= 1.0


def test_a_dash_is_three_dots_and_a_pause_between_words_seven():
    (_, dot), (_, pause), (_, dash) = runs(morse_recording("E T#1"))
    assert 2.4 < dash / dot < 3.6 and 5.6 < pause / dot < 8.4


def test_no_text_that_is_sent_is_in_two_splits():
    settings = {"min_length": 2, "max_length": 5, "held_out": 40}
    parts = make_morse(100, seed=1, **settings)
    assert parts == make_morse(100, seed=1, **settings) != make_morse(100, seed=2, **settings)
    names = [name for part in parts for name in part.sources]
    assert len(set(names)) == len(names) == 180
    for part in parts:
        for name, text in part.both():
            assert name.startswith(f"morse:{text}#") and 2 <= len(text) <= 5
    long = [{text for text in part.targets if len(text) > 3} for part in parts]
    assert not long[0] & long[1] and not long[0] & long[2] and not long[1] & long[2]


def test_pictures_are_those_of_scikit_learn_row_by_row():
    datasets = pytest.importorskip("sklearn.datasets")
    frames = Frames.build(["image:0", "image:17"], "arrays", bands=40)
    steps = frames.encode("image:17") * frames.spread + frames.mean
    np.testing.assert_allclose(16 * steps, datasets.load_digits().images[17], atol=1e-4)


def test_every_picture_is_in_one_split_and_is_called_by_its_digit():
    datasets = pytest.importorskip("sklearn.datasets")
    parts = make_images(2_000, seed=3)
    names = [name for part in parts for name in part.sources]
    assert sorted(names) == sorted(f"image:{number}" for number in range(1_797))
    assert [len(part.sources) for part in parts[1:]] == list(HELD_OUT.values())
    labels = datasets.load_digits().target
    for part in parts:
        for name, text in part.both():
            assert DIGITS[labels[int(name.removeprefix("image:"))]] in text.split()
    assert make_images(10, seed=3).train.sources == parts.train.sources[:10]
    assert make_images(10, seed=4).test != parts.test


@pytest.mark.parametrize("columns", [-2, 0, 2])
def test_a_description_says_what_was_drawn(columns):
    """A stroke three columns wide whose top is moved to one side."""
    ink = np.zeros((8, 8))
    for row in range(8):
        left = 2 + round(columns * (3.5 - row) / 7)
        ink[row, left : left + 3] = 1.0
    side = {-2: " leaning left", 0: "", 2: " leaning right"}[columns]
    assert describe(ink, 1) == f"a bold one{side}"
    assert describe(0.3 / ink.mean() * ink, 8) == f"an eight{side}"
    assert describe(0.2 * ink, 8) == f"a thin eight{side}"


def test_what_is_made_stands_beside_no_file(tmp_path):
    (tmp_path / "index.tsv").write_text("morse:SOS\tSOS\n./morse:A\tA\nimage:1\tone\nb.npy\tb\n")
    found = read_pairs([tmp_path / "index.tsv"], names=True).sources
    assert found == ["morse:SOS", f"{tmp_path}/morse:A", "image:1", f"{tmp_path}/b.npy"]


@pytest.mark.parametrize(
    ("name", "kind", "why"),
    [
        ("morse:é", "sound", "'É' has no code"),
        ("morse:", "sound", "names no text"),
        ("morse: #3", "sound", "names no text"),
        ("morse:SOS", "arrays", "is a recording; --task transcribe"),
        ("image:3", "sound", "is no recording; --task describe"),
        ("image:1797", "arrays", "there are image:0 to image:1796"),
        ("image:-1", "arrays", "there are image:0 to image:1796"),
        ("mors:SOS", "sound", "no such file"),
    ],
)
def test_what_cannot_be_made_is_told(name, kind, why):
    told = Likeness(kind).trouble(name)
    assert told is not None and told.startswith(name) and why in told and "\n" not in told

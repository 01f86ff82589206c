"""Pieces of music: what they are, how they are read, and what is refused."""

import gzip
import json

import numpy as np
import pytest

from seqjax.data.chords import (
    HIGHEST,
    KEYS,
    LOWEST,
    from_roll,
    heard_before,
    read_piece,
    to_roll,
    written,
)
from seqjax.data.embedded.progressions import DOMINANT, FOLLOWS, SCALE, make_progressions
from seqjax.data.music import read_music
from seqjax.errors import InputError


def test_a_piece_is_what_is_written_and_what_sounds():
    piece = read_piece("67+60+64  - 72+72 21+108")
    assert piece == ((60, 64, 67), (), (72,), (LOWEST, HIGHEST))
    assert read_piece(written(piece)) == piece == from_roll(to_roll(piece))
    roll = to_roll(piece)
    assert roll.shape == (4, KEYS) and roll.sum(axis=1).tolist() == [3, 0, 1, 2]
    assert roll[3, 0] == roll[3, -1] == 1 and roll[2, 72 - 21] == 1
    heard = heard_before(roll)
    assert not heard[0].any() and (heard[1:] == roll[:-1]).all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("60+64 20", "chord 2: 20 is no pitch of a piano, 21 to 108"),
        ("109", "chord 1: 109 is no pitch of a piano, 21 to 108"),
        ("60+x", "chord 1: 'x' is not a whole number"),
        ("60 60+", "chord 2: '' is not a whole number"),
        ("60.5", "chord 1: '60.5' is not a whole number"),
        ("-60", "chord 1: '-60' is not a whole number"),
        ("60+-", "chord 1: '-' is not a whole number"),
        ("٦٠", "chord 1: '٦٠' is not a whole number"),
        ("9" * 5000, "is not a whole number"),
        ("60\n\n61", ":2: the piece is empty"),
        ("", "is empty"),
    ],
)
def test_a_text_that_is_no_music_is_told_with_its_line(tmp_path, text, message):
    path = tmp_path / "odd.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as told:
        read_music(path)
    assert message in str(told.value) and str(path) in str(told.value)
    assert len(str(told.value)) < 300


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([[[60], [20]]], ": piece 1: step 2: 20 is no pitch"),
        ([[[60, 64.0]]], ": piece 1: step 1: '64.0' is not a whole number"),
        ([[[True]]], "'True' is not a whole number"),
        ([[[60]], []], ": piece 2: the piece is empty"),
        ([[60, 64]], ": piece 1: step 1 must be a list of pitches"),
        ([60], ": piece 1: must be a list of steps"),
        ({"train": [[[60]]], "valid": [[[200]]]}, ": valid, piece 1: step 1: 200 is no pitch"),
        ({"train": [[[60]]], "valid": []}, ": valid: no piece of it can be used"),
        ({"valid": [[[60]]]}, "must be a list of pieces, or an object with such lists"),
        ({"train": [[[60]]], "dev": [[[60]]]}, "must be a list of pieces, or an object"),
        ({"train": 3}, "must be a list of pieces, or an object"),
        ("60", "must be a list of pieces, or an object"),
    ],
)
def test_json_of_another_form_is_told_with_its_place(tmp_path, document, message):
    path = tmp_path / "odd.json"
    path.write_text(json.dumps(document))
    with pytest.raises(InputError) as told:
        read_music(path)
    assert message in str(told.value) and str(path) in str(told.value)


def test_what_is_no_json_is_told(tmp_path):
    path = tmp_path / "odd.json"
    for text in ("[[[60]]", "[[[NaN]]]", '{"train": [], "train": []}', "[" * 100_000):
        path.write_text(text)
        with pytest.raises(InputError, match="is not JSON"):
            read_music(path)


def test_one_json_may_hold_all_sets_and_voices_that_rest(tmp_path):
    path = tmp_path / "all.json.gz"
    sets = {"train": [[[64, 60, -1, -1], []]], "valid": [[[61]]], "test": [[[62]], [[63]]]}
    path.write_bytes(gzip.compress(json.dumps(sets).encode()))
    found = read_music(path)
    assert [one.pieces for one in found] == [[((60, 64), ())], [((61,),)], [((62,),), ((63,),)]]
    alone = tmp_path / "alone.json"
    alone.write_text(json.dumps(sets["test"]))
    assert read_music(alone).train.pieces == found.test.pieces
    assert read_music(alone)[1:] == (None, None)


def test_bad_pieces_may_be_left_out_and_are_counted(tmp_path):
    path = tmp_path / "some.txt"
    path.write_text("60 61\n\nx\n62\n")
    found = read_music(path, on_bad_line="skip").train
    assert (found.pieces, found.skipped) == ([((60,), (61,)), ((62,),)], 2)


def test_progressions_are_of_the_seed_and_follow_their_grammar():
    splits = make_progressions(40, seed=3, held_out=5)
    assert splits == make_progressions(40, seed=3, held_out=5)
    assert splits != make_progressions(40, seed=4, held_out=5)
    assert [len(one.pieces) for one in splits] == [40, 5, 5]
    np.testing.assert_allclose(FOLLOWS.sum(axis=1), 1)
    for piece in splits.train.pieces:
        assert all(len(chord) == 4 for chord in piece)
        tonic, before = piece[0][0] % 12, 0
        for chord in piece[1:-2]:
            degree = SCALE.index((chord[0] - tonic) % 12)
            assert FOLLOWS[before, degree] > 0
            triad = {(tonic + SCALE[(degree + third) % 7]) % 12 for third in (0, 2, 4)}
            assert {pitch % 12 for pitch in chord} == triad
            before = degree
        assert [(chord[0] - tonic) % 12 for chord in piece[-2:]] == [SCALE[DOMINANT], 0]

"""Music as chords: what a piece is, how it is written down, and as the roll of a piano.

A piece is a line of chords with blanks between them. A chord is its pitches, joined by `+`, as MIDI
numbers them: 60 is middle C. `-` is a step in which nothing sounds.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from seqjax.errors import InputError

LOWEST, HIGHEST = 21, 108
"""Pitches of a piano's 88 keys."""
KEYS = HIGHEST - LOWEST + 1
SILENCE = "-"

Chord = tuple[int, ...]
"""Pitches, ascending, none twice; `()` is silence."""
Piece = tuple[Chord, ...]
"""The chords of a piece, one a step."""


class Pieces(NamedTuple):
    """A set of pieces.

    Attributes:
      pieces: In the order of their file.
      skipped: Pieces of the file that were left out because they could not be used.
    """

    pieces: list[Piece]
    skipped: int = 0


def chord_of(pitches: Iterable[Any]) -> Chord:
    """Returns the chord of pitches in any order; one that comes twice is one key.

    Raises:
      ValueError: If one is no whole number, or no key of a piano.
    """
    found = set()
    for pitch in pitches:
        if type(pitch) is not int:
            raise ValueError(f"{str(pitch)[:20]!r} is not a whole number")
        if not LOWEST <= pitch <= HIGHEST:
            raise ValueError(f"{pitch} is no pitch of a piano, {LOWEST} to {HIGHEST}")
        found.add(pitch)
    return tuple(sorted(found))


def read_piece(text: str) -> Piece:
    """Returns the piece that is written in a line; of an empty one it is `()`.

    Raises:
      ValueError: If something in it is no chord.

    >>> read_piece("60+64+67 - 72")
    ((60, 64, 67), (), (72,))
    """
    chords = []
    for number, word in enumerate(text.split(), start=1):
        try:
            pitches = [] if word == SILENCE else [_whole(part) for part in word.split("+")]
            chords.append(chord_of(pitches))
        except ValueError as error:
            raise ValueError(f"chord {number}: {error}") from None
    return tuple(chords)


def _whole(text: str) -> Any:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else text


def written(piece: Iterable[Chord]) -> str:
    """Returns a piece as a line.

    >>> written(((60, 64, 67), (), (72,)))
    '60+64+67 - 72'
    """
    return " ".join("+".join(map(str, chord)) or SILENCE for chord in piece)


def to_roll(piece: Piece) -> np.ndarray:
    """Returns `[time, keys]` float32, 1 where a key sounds."""
    roll = np.zeros((len(piece), KEYS), np.float32)
    for step, chord in enumerate(piece):
        roll[step, np.array(chord, np.int64) - LOWEST] = 1.0
    return roll


def from_roll(roll: np.ndarray) -> Piece:
    """Returns the piece of a roll: what is not 0 sounds."""
    return tuple(tuple((np.flatnonzero(step) + LOWEST).tolist()) for step in roll)


class Keyboard:
    """Reads a written piece as a roll; see `Source`.

    Attributes:
      pad_id: What padding is filled with.
    """

    pad_id = 0

    def encode(self, text: str) -> np.ndarray:
        """Returns `[time, keys]` of what is written.

        Raises:
          InputError: If it is no piece.
        """
        try:
            return to_roll(read_piece(text))
        except ValueError as error:
            raise InputError(str(error)) from None

    def length(self, text: str) -> int:
        """Returns how many chords a piece has."""
        return len(self.cut(text))

    def cut(self, text: str) -> list[str]:
        """Returns the chords of a piece."""
        return text.split()

    def join(self, tokens: Sequence[str]) -> str:
        """Returns the piece of some chords."""
        return " ".join(tokens)


def heard_before(roll: np.ndarray) -> np.ndarray:
    """Returns what has just been heard at each step, `[time, keys]`: nothing before the first."""
    return np.concatenate([np.zeros_like(roll[:1]), roll[:-1]])

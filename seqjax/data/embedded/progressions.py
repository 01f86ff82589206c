"""Made music: harmonies that follow each other by chance, in four voices that move little."""

import numpy as np

from seqjax.data.chords import Chord, Piece, Pieces, chord_of
from seqjax.data.readers import Splits

FOLLOWS = np.array(
    [  # of degrees I to VI, rows what is left, columns what comes
        [0.0, 0.1, 0.0, 0.4, 0.3, 0.2],
        [0.0, 0.0, 0.0, 0.0, 0.9, 0.1],
        [0.0, 0.0, 0.0, 0.2, 0.0, 0.8],
        [0.2, 0.2, 0.0, 0.0, 0.6, 0.0],
        [0.7, 0.0, 0.1, 0.0, 0.0, 0.2],
        [0.0, 0.5, 0.0, 0.5, 0.0, 0.0],
    ]
)
"""How likely a degree is after another one."""
TONIC, DOMINANT = 0, 4
SCALE = (0, 2, 4, 5, 7, 9, 11)
"""Semitones above the tonic, in major."""
BASS, TOP = 36, (64, 79)
"""Lowest pitch of the bass, which has an octave; what the highest voice may sing."""
SHORTEST, LONGEST = 16, 48
"""Chords of a piece."""


def make_progressions(examples: int, *, seed: int, held_out: int = 200) -> Splits:
    """Returns pieces in all keys, a function of the arguments alone.

    A piece has one of 12 keys, which nothing names: it must be heard. It begins with the tonic,
    goes on as `FOLLOWS` says, and ends with dominant and tonic. The bass sings the root; the three
    upper voices take the close position that is nearest to where they are. Given the key, all but
    the degrees is certain. A last chord alone does not tell the key.

    Args:
      examples: Training pieces.
      seed: Of the draw.
      held_out: Pieces of validation and of test.
    """
    generator = np.random.default_rng(seed)

    def draw(count: int) -> Pieces:
        return Pieces([_piece(generator) for _ in range(count)])

    valid, test = draw(held_out), draw(held_out)
    return Splits(draw(examples), valid, test)


def _piece(generator: np.random.Generator) -> Piece:
    tonic = int(generator.integers(12))
    degrees = [TONIC]
    for _ in range(int(generator.integers(SHORTEST, LONGEST + 1)) - 3):
        degrees.append(int(generator.choice(6, p=FOLLOWS[degrees[-1]])))
    upper, chords = (60, 64, 67), []
    for degree in (*degrees, DOMINANT, TONIC):
        triad = tuple((tonic + SCALE[(degree + third) % 7]) % 12 for third in (0, 2, 4))
        upper = _nearest(upper, triad)
        chords.append(chord_of((BASS + (triad[0] - BASS) % 12, *upper)))
    return tuple(chords)


def _nearest(voices: Chord, triad: tuple[int, ...]) -> Chord:
    """Returns the three neighbouring tones of a triad to which as many voices have least to move;
    of equals the lowest."""
    tones = [pitch for pitch in range(TOP[0] - 11, TOP[1] + 1) if pitch % 12 in triad]
    places = [number for number, pitch in enumerate(tones) if pitch >= TOP[0]]
    positions = [tuple(tones[number - 2 : number + 1]) for number in places]
    moves = lambda position: sum(abs(a - b) for a, b in zip(position, voices, strict=True))
    return min(positions, key=lambda position: (moves(position), position))

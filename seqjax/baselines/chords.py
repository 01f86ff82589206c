"""What sounds next in a piece, by counts: of each key, after the same key, after the last chord.

A roll is `[time, keys]`, 1 where a key sounds. Keys are independent of each other, given what was
heard, as they are to a network.
"""

from collections.abc import Sequence

import numpy as np

UNSEEN = 0.5
"""How often each key is taken to have sounded, and to have rested, before anything is counted."""
PRIOR = 1.0
"""Steps that a key's share weighs where the same key of the last chord is looked at."""
STRENGTHS = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
"""Steps that this weighs where the whole last chord is known, of which validation chooses."""


class ChordCounts:
    """How likely each key is to sound, given the last chord.

    Attributes:
      first: `[keys]` in the first chord of a piece.
      own: `[2, keys]` after a chord in which the same key rests (0), or sounds (1).
      chords: `[chords, keys]` of 0 and 1, uint8: what is known as a whole.
      after: `[chords, keys]` after these.
    """

    def __init__(self, first: np.ndarray, own: np.ndarray, chords: np.ndarray, after: np.ndarray):
        self.first, self.own, self.chords, self.after = first, own, chords, after
        self._places = {chord.tobytes(): place for place, chord in enumerate(chords)}

    def probs_after(self, chord: np.ndarray) -> np.ndarray:
        """Returns `[keys]` after one chord."""
        place = self._places.get(chord.astype(np.uint8).tobytes())
        if place is not None:
            return self.after[place]
        return np.where(chord > 0, self.own[1], self.own[0])

    def probs(self, roll: np.ndarray) -> np.ndarray:
        """Returns `[time, keys]` of the chords of a piece, each given the one before it."""
        return np.stack([self.first, *map(self.probs_after, roll[:-1])])

    def cost(self, rolls: Sequence[np.ndarray]) -> float:
        """Returns the nats of a step, summed over keys, averaged over all steps of some pieces."""
        total = sum(
            -np.log(np.where(roll > 0, probs, 1 - probs)).sum()
            for roll, probs in ((roll, self.probs(roll)) for roll in rolls)
        )
        return float(total) / sum(map(len, rolls))


def train_usual_keys(rolls: Sequence[np.ndarray]) -> ChordCounts:
    """Returns how often each key sounds, whatever was heard: `(n_k + 1/2) / (n + 1)`.

    Raises:
      ValueError: If there are no pieces.
    """
    if not rolls:
        raise ValueError("rolls must not be empty")
    everything = np.concatenate(rolls).astype(np.float64)
    share = (everything.sum(axis=0) + UNSEEN) / (len(everything) + 2 * UNSEEN)
    nothing = np.zeros((0, rolls[0].shape[1]))
    return ChordCounts(share, np.stack([share, share]), nothing.astype(np.uint8), nothing)


def train_chord_chain(
    rolls: Sequence[np.ndarray], valid_rolls: Sequence[np.ndarray]
) -> ChordCounts:
    r"""Returns a first-order chain: what sounds depends on the last chord alone.

    .. math::
        p(k) = (n_k + 1/2) / (n + 1), \quad
        p(k | b) = \frac{n(k, b) + p(k)}{n(b) + 1}, \quad
        p(k | c) = \frac{n(k, c) + m \, p(k | c_k)}{n(c) + m}

    with b whether key k sounded in the last chord, and c the whole of that chord; a chord that
    training has not is known by its keys alone. m is that of `STRENGTHS` which validation likes
    best.

    Args:
      rolls: Of training.
      valid_rolls: Of validation.

    Raises:
      ValueError: If either are none.
    """
    if not valid_rolls:
        raise ValueError("valid_rolls must not be empty")
    share = train_usual_keys(rolls).first
    starts = np.stack([roll[0] for roll in rolls]).astype(np.float64)
    first = (starts.sum(axis=0) + PRIOR * share) / (len(starts) + PRIOR)
    before = np.concatenate([roll[:-1] for roll in rolls])
    here = np.concatenate([roll[1:] for roll in rolls]).astype(np.float64)
    own = np.stack(
        [
            (((before > 0) == sounded) * here).sum(axis=0) + PRIOR * share
            for sounded in (False, True)
        ]
    )
    own /= np.stack([((before > 0) == sounded).sum(axis=0) for sounded in (False, True)]) + PRIOR
    chords, places = np.unique(before.astype(np.uint8), axis=0, return_inverse=True)
    counts = np.bincount(places.reshape(-1), minlength=len(chords))[:, None]
    sounded = np.zeros(chords.shape, np.float64)
    np.add.at(sounded, places.reshape(-1), here)
    alone = np.where(chords > 0, own[1], own[0])
    found = [
        ChordCounts(first, own, chords, (sounded + strength * alone) / (counts + strength))
        for strength in STRENGTHS
    ]
    return min(found, key=lambda model: model.cost(valid_rolls))

"""Counts of what sounds, and how likely they make a piece."""

import numpy as np
import pytest

from seqjax.baselines import chords
from seqjax.baselines.chords import train_chord_chain, train_usual_keys

ROLLS = [
    np.array([[1, 0, 1], [1, 1, 0], [1, 0, 1], [0, 0, 0]]),
    np.array([[0, 1, 0], [1, 1, 0], [1, 1, 1]]),
    np.array([[1, 0, 1]]),
]


def test_usual_keys_are_their_shares():
    model = train_usual_keys(ROLLS)
    wanted = (np.array([6, 4, 4]) + 0.5) / (8 + 1)
    np.testing.assert_allclose(model.probs(ROLLS[0]), np.tile(wanted, (4, 1)), rtol=1e-12)


def test_the_chain_is_its_equations(monkeypatch):
    """Counted by hand, step by step and key by key."""
    monkeypatch.setattr(chords, "STRENGTHS", (2.0,))
    model = train_chord_chain(ROLLS, ROLLS)
    share = train_usual_keys(ROLLS).first
    steps = [(roll[t - 1], roll[t]) for roll in ROLLS for t in range(1, len(roll))]
    for key in range(3):
        starts = sum(roll[0][key] for roll in ROLLS)
        assert model.first[key] == pytest.approx((starts + share[key]) / 4)
        for before in (0, 1):
            after = [here[key] for last, here in steps if last[key] == before]
            wanted = (sum(after) + share[key]) / (len(after) + 1)
            assert model.own[before][key] == pytest.approx(wanted)
        for last in ([1, 0, 1], [1, 1, 0], [0, 1, 0]):
            after = [here[key] for one, here in steps if one.tolist() == last]
            alone = model.own[last[key]][key]
            wanted = (sum(after) + 2.0 * alone) / (len(after) + 2.0)
            assert model.probs_after(np.array(last))[key] == pytest.approx(wanted)
    unknown = np.array([0, 0, 1])
    wanted = np.where(unknown, model.own[1], model.own[0])
    np.testing.assert_array_equal(model.probs_after(unknown), wanted)


def test_the_cost_is_that_of_every_key_of_every_step():
    model = train_chord_chain(ROLLS, ROLLS)
    total = 0.0
    for roll in ROLLS:
        for time, chord in enumerate(roll):
            probs = model.probs_after(roll[time - 1]) if time else model.first
            for p, sounds in zip(probs, chord, strict=True):
                total -= np.log(p if sounds else 1 - p)
    assert model.cost(ROLLS) == pytest.approx(total / 8, rel=1e-12)


def test_validation_chooses_how_much_a_whole_chord_is_trusted():
    generator = np.random.default_rng(0)
    chance = [(generator.random((40, 6)) < 0.5).astype(int) for _ in range(6)]
    certain = [np.array([[1, 0], [0, 1]] * 10)]
    costs = []
    for rolls in (chance, certain):
        model = train_chord_chain(rolls[:3], rolls[-3:])
        costs.append(model.cost(rolls[-3:]))
    assert costs[0] < 6 * np.log(2) + 0.2 and costs[1] < 0.3


def test_there_must_be_pieces():
    with pytest.raises(ValueError, match="rolls must not be empty"):
        train_usual_keys([])
    with pytest.raises(ValueError, match="valid_rolls must not be empty"):
        train_chord_chain(ROLLS, [])

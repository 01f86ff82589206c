"""The adding problem, and numbers as targets."""

import numpy as np
import pytest

from seqjax.data.embedded.adding import adding, make_adding
from seqjax.data.figures import Figures
from seqjax.data.frames import read_array
from seqjax.errors import InputError


def test_a_name_is_two_marked_numbers_of_many():
    for name in ("20#1", "21#x", "2"):
        numbers, marks = adding(name).T
        steps = len(numbers)
        first, second = np.flatnonzero(marks)
        assert first < steps // 2 <= second and marks.sum() == 2
        assert ((numbers >= 0) & (numbers < 1)).all()
        np.testing.assert_array_equal(adding(name), read_array(f"adding:{name}"))
    assert not np.array_equal(adding("20#1"), adding("20#2"))
    for name in ("", "1", "x", "20.5", "9" * 30, "-5"):
        with pytest.raises(InputError, match="names no length"):
            adding(name)


def test_sums_are_those_of_what_the_names_stand_for():
    splits = make_adding(400, min_length=5, max_length=9, seed=1, held_out=20)
    assert splits == make_adding(400, min_length=5, max_length=9, seed=1, held_out=20)
    assert [len(split.sources) for split in splits] == [400, 20, 20]
    assert len({name for split in splits for name in split.sources}) == 440
    found = []
    for name, total in splits.train.both():
        numbers, marks = read_array(name).T
        assert 5 <= len(numbers) <= 9
        assert float(total) == pytest.approx(float(numbers @ marks), abs=1e-6)
        found.append(float(total))
    assert np.mean(found) == pytest.approx(1.0, abs=0.1)
    assert np.var(found) == pytest.approx(1 / 6, rel=0.2)


def test_numbers_are_normalised_by_mean_and_spread_of_training():
    texts = ["1", "2.5", "-3e1"]
    figures = Figures.build(texts)
    found = np.array([figures.encode(text).item() for text in texts])
    assert found.mean() == pytest.approx(0, abs=1e-6) and found.std() == pytest.approx(1)
    assert Figures.build(["7", "7"]).spread == 1.0
    with pytest.raises(InputError, match="too large to be added"):
        Figures.build(["1e308", "1e308", "1e308"])

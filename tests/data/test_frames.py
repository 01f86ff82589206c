"""Names into vectors."""

import json
import zipfile

import numpy as np
import pytest

from seqjax.data.frames import Frames, Likeness
from seqjax.errors import InputError


@pytest.fixture
def arrays(tmp_path):
    generator = np.random.default_rng(0)
    made = {name: generator.normal(3.0, 2.0, (length, 3)) for name, length in (("a", 5), ("b", 2))}
    for found in made.values():
        found[:, 2] = 7.0  # never changes
    np.savez(tmp_path / "both.npz", **made)
    np.save(tmp_path / "a.npy", made["a"])
    return tmp_path, made


def test_training_is_normalised_by_its_own_mean_and_spread(arrays):
    folder, made = arrays
    names = [f"{folder}/both.npz#{name}" for name in made]
    frames = Frames.build(names, "arrays", bands=40)
    steps = np.concatenate([frames.encode(name) for name in names])
    np.testing.assert_allclose(steps.mean(axis=0), 0.0, atol=1e-6)
    np.testing.assert_allclose(steps.std(axis=0), [1.0, 1.0, 0.0], atol=1e-6)
    assert steps.dtype == np.float32 and len(frames) == 3
    np.testing.assert_array_equal(frames.encode(f"{folder}/a.npy"), steps[:5])


def test_what_is_saved_is_what_is_read(arrays):
    folder, _ = arrays
    frames = Frames.build([f"{folder}/a.npy"], "arrays", bands=40)
    frames.save(folder, "source")
    again = Frames.load(folder, "source")
    assert again.fingerprint() == frames.fingerprint()
    np.testing.assert_array_equal(again.encode(f"{folder}/a.npy"), frames.encode(f"{folder}/a.npy"))


@pytest.mark.parametrize(
    "changed",
    [
        {"spread": [1.0]},
        {"spread": [0.0, 1.0, 1.0]},
        {"mean": ["x", 1.0, 1.0]},
        {"kind": "video"},
        {"rate": None},
        {"format_version": 2},
    ],
)
def test_what_was_changed_by_hand_is_refused(arrays, changed):
    folder, _ = arrays
    Frames.build([f"{folder}/a.npy"], "arrays", bands=40).save(folder, "source")
    document = json.loads((folder / "source.json").read_text()) | changed
    (folder / "source.json").write_text(json.dumps(document))
    with pytest.raises(InputError, match="not how vectors are read"):
        Frames.load(folder, "source")


def test_what_is_no_array_of_steps_is_told(arrays):
    folder, _ = arrays
    np.save(folder / "flat.npy", np.zeros(3))
    np.save(folder / "texts.npy", np.array([["a", "b"]]))
    np.save(folder / "object.npy", np.array([[{}]], dtype=object), allow_pickle=True)
    np.save(folder / "none.npy", np.full((2, 3), np.nan))
    (folder / "text.npy").write_text("hello")
    claims = b"{'descr': '<f4', 'fortran_order': False, 'shape': (100000000000, 30), }"
    for name, header in (("huge.npy", claims), ("open.npy", claims[:-3])):
        (folder / name).write_bytes(
            b"\x93NUMPY\x01\x00" + bytes([118, 0]) + header.ljust(117) + b"\n"
        )
    with zipfile.ZipFile(folder / "other.npz", "w") as archive:
        archive.writestr("a", b"no array")
    for name, why in (
        ("flat.npy", "must be numbers"),
        ("texts.npy", "must be numbers"),
        ("object.npy", "is not an array of NumPy"),
        ("none.npy", "not finite"),
        ("text.npy", "is not an array of NumPy"),
        ("huge.npy", "is not an array of NumPy"),
        ("open.npy", "is not an array of NumPy"),
        ("other.npz#a", "is not an array of NumPy"),
        ("gone.npy", "no such file"),
        ("both.npz#c", "has no array 'c' \\(it has a, b\\)"),
    ):
        told = Likeness("arrays").trouble(f"{folder}/{name}")
        assert told is not None
        with pytest.raises(InputError, match=why):
            raise InputError(told)
    assert Likeness("arrays").trouble(f"{folder}/both.npz#a") is None


def test_a_tone_is_loudest_in_its_own_band():
    pytest.importorskip("kaldi_native_fbank")
    from seqjax.data.sound import Recording, log_mel

    rate, time = 8_000, np.arange(4_000) / 8_000
    mel = lambda hertz: 1127.0 * np.log1p(hertz / 700.0)
    low, high = mel(20.0), mel(rate / 2)
    for hertz in (300.0, 1_000.0, 2_500.0):
        features = log_mel(Recording(np.sin(2 * np.pi * hertz * time), rate), 20)
        assert features.shape == (50, 20)
        # Triangles overlap: centres are evenly spaced from the lowest to the highest frequency.
        wanted = (mel(hertz) - low) / (high - low) * 21 - 1
        assert abs(np.argmax(features[10:40].mean(axis=0)) - wanted) <= 0.6

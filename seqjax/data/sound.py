"""Recordings into log-mel features; of the extra `sound`."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from seqjax.errors import InputError

FRAME_SHIFT, FRAME_LENGTH = 10.0, 25.0
"""Milliseconds from one frame to the next, and that each looks at."""
LEAST_RATE = 1_000
"""Samples a second; with fewer there are no mel bands to be told apart."""
FLOOR = 1e-10
"""Energy of silence, so that its logarithm is finite."""


class Recording(NamedTuple):
    """A recording, its channels averaged.

    Attributes:
      samples: `[samples]` in [-1, 1].
      rate: Samples a second.
    """

    samples: np.ndarray
    rate: int


def read_recording(path: Path) -> Recording:
    """Reads a file of any format that libsndfile knows (WAV, FLAC, Ogg, MP3).

    Raises:
      InputError: If it is missing, no recording, empty, not finite, of a rate below `LEAST_RATE`,
        or `soundfile` is not installed.
    """
    try:
        import soundfile
    except ImportError:
        raise InputError(
            f"{path}: reading sound needs soundfile; pip install 'seqjax[sound]'"
        ) from None
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, RuntimeError):
        raise InputError(f"{path}: is no recording that can be read (wav, flac, ogg)") from None
    if rate < LEAST_RATE:
        raise InputError(f"{path}: has {rate} samples a second; {LEAST_RATE:,} are needed to hear")
    if not frame_count(len(samples), rate):
        raise InputError(f"{path}: holds no sound, or less than half a frame of 10 ms")
    if not np.isfinite(samples).all():
        raise InputError(f"{path}: holds samples that are not finite")
    return Recording(samples.mean(axis=1), int(rate))


def frame_count(samples: int, rate: int) -> int:
    """Returns how many frames `log_mel` makes of so many samples: one for every 10 ms, rounded.

    >>> frame_count(8_000, 8_000), frame_count(39, 8_000), frame_count(40, 8_000)
    (100, 0, 1)
    """
    shift = int(rate * FRAME_SHIFT / 1000)
    return (samples + shift // 2) // shift


def log_mel(recording: Recording, bands: int) -> np.ndarray:
    """Returns `[frames, bands]` natural logarithms of mel energies, float32.

    As Kaldi has them: a frame of 25 ms every 10 ms, mirrored at the ends so that there is one for
    every 10 ms; mean removed, pre-emphasis of 0.97, Povey's window, power; without dither.

    Raises:
      InputError: If `kaldi-native-fbank` is not installed.

    References:
      Povey et al., "The Kaldi speech recognition toolkit", 2011; the library computes what its
      `compute-fbank-feats` does.
    """
    try:
        import kaldi_native_fbank
    except ImportError:
        raise InputError(
            "log-mel features need kaldi-native-fbank; pip install 'seqjax[sound]'"
        ) from None
    options = kaldi_native_fbank.FbankOptions()
    options.frame_opts.samp_freq = recording.rate
    options.frame_opts.frame_shift_ms, options.frame_opts.frame_length_ms = (
        FRAME_SHIFT,
        FRAME_LENGTH,
    )
    options.frame_opts.dither = 0.0
    options.frame_opts.snip_edges = False
    options.mel_opts.num_bins = bands
    options.energy_floor = FLOOR
    computer = kaldi_native_fbank.OnlineFbank(options)
    computer.accept_waveform(recording.rate, (recording.samples * 32768).tolist())
    computer.input_finished()
    frames = [computer.get_frame(number) for number in range(computer.num_frames_ready)]
    return np.array(frames, np.float32).reshape(-1, bands)

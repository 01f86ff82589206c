"""Strings of spoken digits, put together from single recordings; speakers are held out."""

import csv
import tarfile
from collections import defaultdict
from pathlib import Path

import numpy as np

from experiments.tasks.record import Measured

SPEAKERS = {
    "train": ("george", "jackson", "lucas", "nicolas"),
    "valid": ("theo",),
    "test": ("yweweler",),
}
STRINGS = {"train": 2_400, "valid": 150, "test": 300}
RATE = 8_000
LENGTHS = (3, 7)
"""Digits of a string."""
PAUSE = (0.05, 0.3)
"""Seconds before, between and after digits, filled with quiet noise."""
NOISE = (2e-4, 3e-3)
"""Its spread, the loudest sample being 1; it lies under the digits too."""
SPEED, LEVEL = (0.8, 1.25), (0.2, 1.0)
"""How training alone is varied: pitch and formants go with the speed, so that four speakers are
more than four voices; the loudest sample of a digit, where others have 0.7."""
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def digit_strings(data: Path, work: Path) -> None:
    """Strings of 3 to 7 digits, all by one speaker; four speakers train, one validates, one tests.

    Every recording of a speaker is used about as often as every other.
    """
    import soundfile

    with tarfile.open(data / "fsdd" / "recordings.tar.gz") as archive:
        archive.extractall(work, filter="data")
    said = defaultdict(list)
    with (data / "fsdd" / "index.tsv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            samples, rate = soundfile.read(work / "recordings" / row["file"], dtype="float64")
            assert rate == RATE
            said[row["speaker"]].append((int(row["digit"]), samples / np.abs(samples).max()))
    generator = np.random.default_rng(0)
    for name, speakers in SPEAKERS.items():
        (work / name).mkdir(exist_ok=True)
        lines = []
        for number in range(STRINGS[name]):
            recordings = said[speakers[number % len(speakers)]]
            count = int(generator.integers(LENGTHS[0], LENGTHS[1] + 1))
            chosen = [
                recordings[place] for place in generator.integers(len(recordings), size=count)
            ]
            samples = joined([one for _, one in chosen], generator, varied=name == "train")
            soundfile.write(work / name / f"{number}.wav", samples, RATE, subtype="PCM_16")
            lines.append(f"{name}/{number}.wav\t{' '.join(WORDS[digit] for digit, _ in chosen)}\n")
        (work / f"{name}.txt").write_text("".join(lines), encoding="utf-8")


def joined(
    recordings: list[np.ndarray], generator: np.random.Generator, *, varied: bool
) -> np.ndarray:
    """Returns recordings one after the other, pauses and noise between.

    Args:
      recordings: `[samples]` each, the loudest being 1.
      generator: Of pauses, noise and variation.
      varied: Change speed and loudness: one speed for all, a level for each.
    """

    def pause() -> np.ndarray:
        return np.zeros(int(RATE * generator.uniform(*PAUSE)))

    speed, parts = generator.uniform(*SPEED) if varied else 1.0, [pause()]
    for samples in recordings:
        places = np.arange(0, len(samples) - 1, speed)
        level = np.exp(generator.uniform(*np.log(LEVEL))) if varied else 0.7
        parts += [level * np.interp(places, np.arange(len(samples)), samples), pause()]
    whole = np.concatenate(parts)
    noise = np.exp(generator.uniform(*np.log(NOISE)))
    return np.clip(whole + generator.normal(0.0, noise, len(whole)), -1.0, 1.0)


STRINGS_OF_DIGITS = {
    "digit-strings": Measured(
        "3–7 spoken digits (FSDD joined, speakers held out)",
        "BiLSTM, pyramid, CTC",
        digit_strings,
        "--task transcribe --data.target-tokens words --data.mel-bands 40 --data.max-source 800 "
        "--data.buckets 2 --data.batch-size 32 --model.decoder ctc --model.hidden-size 128 "
        "--model.dropout 0.3 --optimizer.learning-rate 5e-3 --epochs 8 "
        "--validation.metric token_error_rate",
        {"token_error_rate": "none for these strings", "exact_match": ""},
    ),
}

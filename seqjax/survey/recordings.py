"""What names of recordings and arrays stand for: read once, and known by content from then on."""

import collections
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from seqjax.config.data import VectorKind
from seqjax.data.embedded.names import beside
from seqjax.data.frames import read_array, recording_of
from seqjax.data.sound import frame_count
from seqjax.errors import InputError
from seqjax.survey.corpus import BadLine, Split
from seqjax.survey.finding import Finding, Section, counted, percent, several

SILENT = 0.001
"""Of full scale, beyond which there must be a sample: 60 dB below the loudest that there can be."""


class Heard(NamedTuple):
    """One recording or array.

    Attributes:
      digest: Equal where the content is, in whatever file.
      steps: Frames of a recording, or steps of an array.
      seconds: How long a recording is; 0 of arrays.
      rate: Samples a second of a recording, or numbers a step of an array.
      flat: Whether it is silent, or never changes.
    """

    digest: str
    steps: int
    seconds: float
    rate: int
    flat: bool


class Listened(NamedTuple):
    """The pairs of one split whose sources can be read.

    Attributes:
      split: The digest of each source in place of its name, and the names beside.
      heard: What each source is.
      unreadable: The other lines.
    """

    split: Split
    heard: list[Heard]
    unreadable: list[BadLine]

    @property
    def steps(self) -> np.ndarray:
        """`[rows]` frames or steps of each source."""
        return np.array([one.steps for one in self.heard], np.int64)

    @property
    def seconds(self) -> np.ndarray:
        """`[rows]` seconds of each recording."""
        return np.array([one.seconds for one in self.heard])


def listen(split: Split, kind: VectorKind) -> Listened:
    """Reads everything that a split names.

    Raises:
      InputError: If nothing of it can be read.
    """
    known: dict[str, Heard | str] = {}
    folder, heard, unreadable, rows = Path(split.paths[0]).parent, [], [], []
    for row, name in enumerate(split.sources):
        if name not in known:
            known[name] = _heard(beside(folder, name), kind)
        found = known[name]
        if isinstance(found, str):
            unreadable.append(BadLine(split.place(row, 0), found))
        else:
            rows.append(row)
            heard.append(found)
    if not rows:
        first = unreadable[0]
        raise InputError(
            f"{split.paths[0]}: nothing that it names can be read; line {first.place.line}: "
            f"{first.place.text} {first.why}"
        )
    kept = split.kept(rows)
    digests = [one.digest for one in heard]
    return Listened(kept._replace(names=kept.sources, sources=digests), heard, unreadable)


def recording_section(listened: Mapping[str, Listened], kind: VectorKind) -> Section:
    """Returns how many recordings or arrays each split has, and how long they are."""
    table, numbers = [], {}
    for name, one in listened.items():
        values = one.seconds if kind == "sound" else one.steps
        quantiles = dict(zip(_QUANTILES, _cuts(values), strict=True))
        rates = collections.Counter(each.rate for each in one.heard)
        told = "  ".join(f"{word} {value:,.2f}" for word, value in quantiles.items())
        unit = "seconds" if kind == "sound" else "steps"
        table.append(f"{name:<6} {len(one.heard):,} · {unit}  {told}")
        whole = (
            f"{values.sum() / 60:,.1f} minutes" if kind == "sound" else f"{values.sum():,} steps"
        )
        told = several(f"{rate:,} {_UNITS[kind]}" for rate, _ in rates.most_common())
        table.append(f"{'':<6} {whole} in all; {told}")
        numbers[name] = {
            "count": len(one.heard),
            "sum": float(values.sum()),
            "quantiles": quantiles,
            "rates": {str(rate): count for rate, count in rates.items()},
        }
    return Section("Recordings" if kind == "sound" else "Arrays", table, (), numbers)


def unreadable_sources(listened: Mapping[str, Listened], *, skipped: bool) -> Finding:
    """Returns what training would stop at, or (`skipped`) leave out."""
    bad = [line for one in listened.values() for line in one.unreadable]
    if not bad:
        return Finding("SJ-D40", "ok", "everything that is named is there and can be read")
    reasons = collections.Counter(line.why for line in bad)
    told = several(f"{why} ({count:,})" for why, count in reasons.most_common())
    return Finding(
        "SJ-D40",
        "warning" if skipped else "error",
        f"{counted(len(bad), 'source')} cannot be read: {told}",
        len(bad),
        [line.place for line in bad],
        "training leaves them out" if skipped else "training stops at the first of them",
        {"reasons": dict(reasons)},
    )


def differing_rates(listened: Mapping[str, Listened], kind: VectorKind) -> Finding:
    """Returns sources of another sample rate, or width, than most of train have."""
    usual = usual_rate(listened["train"])
    found = {
        name: [row for row, each in enumerate(one.heard) if each.rate != usual]
        for name, one in listened.items()
    }
    count, unit = sum(map(len, found.values())), _UNITS[kind]
    numbers = {"usual": usual, **{name: len(rows) for name, rows in found.items()}}
    if not count:
        return Finding("SJ-D41", "ok", f"all have {usual:,} {unit}", numbers=numbers)
    others = collections.Counter(
        listened[name].heard[row].rate for name, rows in found.items() for row in rows
    )
    told = several(f"{rate:,} ({times:,})" for rate, times in others.most_common())
    places = []
    for name, rows in found.items():
        for row in rows:
            place = listened[name].split.place(row, 0)
            rate = listened[name].heard[row].rate
            places.append(place._replace(text=f"{rate:,} {unit}: {place.text}"))
    mend = "resample them" if kind == "sound" else "make arrays of one width"
    return Finding(
        "SJ-D41",
        "error",
        f"{counted(count, 'source')} with other than {usual:,} {unit}: {told}",
        count,
        places,
        f"training stops there: {mend}",
        numbers,
    )


def flat_sources(listened: Mapping[str, Listened], kind: VectorKind) -> Finding:
    """Returns recordings in which nothing is to be heard, and arrays that never change."""
    found = {
        name: [row for row, each in enumerate(one.heard) if each.flat]
        for name, one in listened.items()
    }
    count = sum(map(len, found.values()))
    what = "recording is silent" if kind == "sound" else "array stays the same"
    numbers = {name: len(rows) for name, rows in found.items()}
    if not count:
        return Finding("SJ-D42", "ok", f"no {what}", numbers=numbers)
    whole = sum(len(one.heard) for one in listened.values())
    what = "silent recordings" if kind == "sound" else "arrays that never change"
    return Finding(
        "SJ-D42",
        "warning",
        f"{what}: {count:,} of {whole:,} ({percent(count, whole)})",
        count,
        [listened[name].split.place(row) for name, rows in found.items() for row in rows],
        "their targets can only be guessed: take them out, or record them anew",
        numbers,
    )


def usual_rate(one: Listened) -> int:
    """Returns the most frequent sample rate or width; of equals the first in the file."""
    return collections.Counter(each.rate for each in one.heard).most_common(1)[0][0]


_QUANTILES = ("min", "median", "p95", "p99", "max")
_UNITS = {"sound": "samples a second", "arrays": "numbers a step"}


def _cuts(values: np.ndarray) -> list[float]:
    return (
        np.quantile(values, [0, 0.5, 0.95, 0.99, 1], method="inverted_cdf").astype(float).tolist()
    )


def _heard(name: str, kind: VectorKind) -> Heard | str:
    """What a name stands for, or why it cannot be read."""
    try:
        if kind == "sound":
            samples, rate = recording_of(name)
            steps, seconds = frame_count(len(samples), rate), len(samples) / rate
            flat = bool(np.abs(samples).max() <= SILENT or np.ptp(samples) == 0)
            content = samples
        else:
            content = read_array(name)
            (steps, rate), seconds = content.shape, 0.0
            flat = steps > 1 and bool((content == content[0]).all())
    except InputError as error:
        path = name if str(error).startswith(name) else name.partition("#")[0]
        return str(error).removeprefix(f"{path}: ")
    whole = hashlib.blake2b(np.ascontiguousarray(content).tobytes(), digest_size=16)
    whole.update(f"{rate}".encode())
    return Heard(whole.hexdigest(), steps, seconds, rate, flat)

"""Labels of texts, and tags of tokens: how many of each, which are new, rare, or written oddly."""

from collections.abc import Mapping

import numpy as np

from seqjax.survey.corpus import Split
from seqjax.survey.finding import Finding, Place, Section, counted, percent, several, shown
from seqjax.survey.mixtures import apart
from seqjax.survey.symbols import places_of
from seqjax.survey.tokens import Side

FEW = 20
"""Training examples below which the twentieth part, which is held out by default, is none."""
CHANCE = 0.001
"""Probability below which a difference between splits is hardly chance."""
SHIFT = 0.05
"""Share of labels that would have to be others, from which a difference is worth a decision."""
LISTED = 12


def label_section(side: Side, what: str) -> Section:
    """Returns how often each label or tag is in each split.

    Args:
      side: Labels or tags as its tokens.
      what: `label` or `tag`.
    """
    counts = {name: side.counts(name) for name in side.rows}
    order = np.argsort(-counts["train"], kind="stable").tolist()
    wide = min(20, max(len(what), *(len(_named(name)) for name in side.types)))
    table = [f"{what:<{wide}}" + "".join(f"  {name:>18}" for name in counts)]
    for number in order[:LISTED]:
        cells = [
            f"  {found[number]:>9,} {percent(int(found[number]), int(found.sum())):>8}"
            for found in counts.values()
        ]
        table.append(f"{_named(side.types[number]):<{wide}}" + "".join(cells))
    if len(order) > LISTED:
        table.append(f"and {len(order) - LISTED:,} more")
    numbers = {
        name: {side.types[number]: int(found[number]) for number in order}
        for name, found in counts.items()
    }
    return Section(f"{what.capitalize()}s", table, (), numbers)


def label_findings(splits: Mapping[str, Split], side: Side, what: str) -> list[Finding]:
    """Returns what is to be said of the labels or tags of all splits, by their counts.

    Args:
      splits: At least train.
      side: Labels or tags as its tokens.
      what: `label` or `tag`.
    """
    findings = [
        _unseen(splits, side, what),
        _few(splits, side, what),
        *_mixtures(splits, side, what),
        _spellings(splits, side, what),
    ]
    return [finding for finding in findings if finding is not None]


def usual_spellings(side: Side) -> dict[str, str]:
    """Returns `{label: how it is usually written}` of those that differ in case or blanks alone.

    What is usual is what train has most often, or all splits if train has none of them.
    """
    train = side.counts("train")
    all_of = np.sum([side.counts(name) for name in side.rows], axis=0)
    alike: dict[str, list[int]] = {}
    for number, label in enumerate(side.types):
        alike.setdefault(" ".join(label.casefold().split()), []).append(number)
    found = {}
    for numbers in alike.values():
        usual = min(numbers, key=lambda n: (-train[n], -all_of[n], side.types[n]))
        found |= {side.types[n]: side.types[usual] for n in numbers if n != usual}
    return found


def _unseen(splits: Mapping[str, Split], side: Side, what: str) -> Finding | None:
    if len(splits) < 2:
        return None
    known = side.counts("train") > 0
    told, places, numbers = [], [], {}
    for name, split in splits.items():
        counts = side.counts(name)
        new = np.flatnonzero(~known & (counts > 0))
        if name != "train":
            numbers[name] = {side.types[n]: int(counts[n]) for n in new.tolist()}
        if len(new):
            ordered = new[np.argsort(-counts[new], kind="stable")].tolist()
            told.append(f"{len(new):,} in {name}: {_counted(side, counts, ordered)}")
            places += places_of(split, side, ordered)
    if not told:
        said = f"no {what} of valid or test is one that training has not"
        return Finding("SJ-D34", "ok", said, numbers=numbers)
    return Finding(
        "SJ-D34",
        "error",
        f"{what}s that training has not: {'; '.join(told)}",
        len(places),
        places,
        "training and evaluation stop there: correct them, or add training examples",
        numbers,
    )


def _few(splits: Mapping[str, Split], side: Side, what: str) -> Finding:
    counts = side.counts("train")
    seen = counts > 0
    few = np.flatnonzero(seen & (counts < FEW))
    if not len(few):
        return Finding("SJ-D35", "ok", f"every {what} occurs {FEW} times or more in train")
    ordered = few[np.argsort(counts[few], kind="stable")].tolist()
    return Finding(
        "SJ-D35",
        "warning",
        f"{len(few):,} of {int(seen.sum()):,} {what}s occur fewer than {FEW} times in train: "
        f"{_counted(side, counts, ordered)}",
        len(few),
        places_of(splits["train"], side, ordered),
        "add examples or join labels; macro-F1 counts each of them like any other",
        {side.types[n]: int(counts[n]) for n in ordered},
    )


def _mixtures(splits: Mapping[str, Split], side: Side, what: str) -> list[Finding]:
    train, findings = side.counts("train"), []
    for name in splits:
        if name == "train":
            continue
        ours = side.counts(name)
        found = apart(ours, train)
        test = (
            f"chi-square {found.chi_square:.1f} at {counted(found.degrees, 'degree')} of freedom, "
            f"p = {found.probability:.2g}"
        )
        distance = f"{percent(round(found.distance, 4), 1)} of its {what}s would have to be others"
        numbers = {"split": name, **found._asdict()}
        if found.probability >= CHANCE:
            said = f"{name} has the mixture of {what}s that train has ({test})"
            if not found.degrees:
                said = f"{name} has too few {what}s for its mixture to be compared with train's"
            findings.append(Finding("SJ-D36", "ok", said, numbers=numbers))
            continue
        shares = [counts / counts.sum() for counts in (train, ours)]
        furthest = np.argsort(-np.abs(shares[0] - shares[1]), kind="stable")[:3].tolist()
        moved = ", ".join(
            f"{_named(side.types[n])} {100 * shares[0][n]:.1f} % → {100 * shares[1][n]:.1f} %"
            for n in furthest
        )
        findings.append(
            Finding(
                "SJ-D36",
                "warning" if found.distance >= SHIFT else "info",
                f"{name} has another mixture of {what}s than train: {moved} ({test}, limit "
                f"{CHANCE}); {distance}",
                len(side.types),
                mend=f"split at random within each {what}, or report scores {what} by {what}",
                numbers=numbers,
            )
        )
    return findings


def _spellings(splits: Mapping[str, Split], side: Side, what: str) -> Finding:
    usual = usual_spellings(side)
    if not usual:
        said = f"no two {what}s differ in case or blanks alone"
        return Finding("SJ-D37", "ok", said)
    odd = [number for number, label in enumerate(side.types) if label in usual]
    told = several(f"{_named(label)!r} beside {_named(usual[label])!r}" for label in usual)
    places: list[Place] = []
    for split in splits.values():
        places += places_of(split, side, odd)
    return Finding(
        "SJ-D37",
        "warning",
        f"{what}s that differ in case or blanks alone: {told}",
        len(places),
        places,
        "--fix SJ-D37 writes each as train most often does",
        {"usual": usual},
    )


def _counted(side: Side, counts: np.ndarray, numbers: list[int]) -> str:
    return several(f"{_named(side.types[n])} ({counts[n]:,} ×)" for n in numbers)


def _named(label: str) -> str:
    return shown(label, 20)

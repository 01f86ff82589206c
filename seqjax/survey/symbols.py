"""Which tokens there are, how rare, and which of them training never shows."""

import unicodedata
from collections.abc import Mapping

import numpy as np

from seqjax.data.vocabulary import CLOSED as CLOSED_KINDS
from seqjax.data.vocabulary import SPECIALS
from seqjax.survey.corpus import SIDES, Split
from seqjax.survey.finding import Finding, Place, Section, percent, several, shown
from seqjax.survey.tokens import Side

CLOSED = 400
"""Types up to which a side counts as an alphabet, whose every symbol should be learnt; beyond it
as a lexicon, which always has rare words."""
RARE = 50
"""Occurrences below which a symbol of an alphabet is rare."""
MOST_UNKNOWN = 0.05
"""Share of unknown tokens that a lexicon may have without a warning."""
TOP = 8


def symbol_section(sides: Mapping[str, Side], min_count: int) -> Section:
    """Returns the symbols of each side in train, the most frequent and the rarest."""
    table, numbers = [], {}
    for word, side in sides.items():
        counts = side.counts("train")
        numbers[word] = symbol_numbers(side, min_count)
        order = np.argsort(-counts, kind="stable")
        shares = " ".join(
            f"{named(side.types[number])} {100 * counts[number] / counts.sum():.1f}%"
            for number in order[:TOP].tolist()
        )
        entropy = numbers[word]["entropy_bits"]
        types = numbers[word]["types"]
        table.append(f"{word:<7} {types:>7,} {side.kind}, {entropy:.2f} bits each:  {shares}")
        if types > CLOSED:
            once = numbers[word]["once"]
            kept = numbers[word]["kept"]
            cut = f"; {kept:,} occur {min_count} times or more" if min_count > 1 else ""
            table.append(f"{'':<7} {once:>7,} occur once ({percent(once, types)}){cut}")
    return Section("Symbols of train", table, (), numbers)


def symbol_numbers(side: Side, min_count: int) -> dict[str, int | float]:
    """Returns how many types train has, how rare they are, and their entropy in bits."""
    counts = side.counts("train")
    seen = counts[counts > 0]
    shares = seen / seen.sum()
    return {
        "tokens": int(seen.sum()),
        "types": len(seen),
        "once": int((seen == 1).sum()),
        "kept": int((seen >= min_count).sum()),
        "entropy_bits": float(-(shares * np.log2(shares)).sum()),
    }


def vocabulary_size(side: Side, min_count: int) -> int:
    """Returns the ids that a model would have for a side, the special ones included."""
    if side.kind in CLOSED_KINDS:
        return int((side.counts("train") > 0).sum())
    return len(SPECIALS) + int((side.counts("train") >= min_count).sum())


def is_closed(side: Side) -> bool:
    """Says whether train has so few types that they are an alphabet."""
    return int((side.counts("train") > 0).sum()) <= CLOSED


def rare_symbols(splits: Mapping[str, Split], target: Side) -> Finding:
    """Returns target symbols that train shows too seldom; of an alphabet only."""
    counts = target.counts("train")
    types = int((counts > 0).sum())
    if not is_closed(target):
        said = f"the target side is a lexicon of {types:,} types: rare ones are natural"
        return Finding("SJ-D07", "ok", said)
    rare = [n for n in np.argsort(counts, kind="stable").tolist() if 0 < counts[n] < RARE]
    if not rare:
        return Finding("SJ-D07", "ok", f"every target symbol occurs {RARE} times or more in train")
    told = several((f"{named(target.types[number])} ({counts[number]:,})" for number in rare), 8)
    return Finding(
        "SJ-D07",
        "warning",
        f"{len(rare):,} of {types:,} target symbols occur fewer than {RARE} times: {told}",
        len(rare),
        places_of(splits["train"], target, rare, 1),
        "correct or merge them, or raise --data.min-count",
        {"symbols": {target.types[number]: int(counts[number]) for number in rare}},
    )


def unseen_symbols(
    splits: Mapping[str, Split], sides: Mapping[str, Side], min_count: int
) -> list[Finding]:
    """Returns, for each side, valid and test tokens that the vocabulary of train would lack."""
    if len(splits) < 2:
        return []
    return [
        _unseen(splits, side, word, SIDES.index(word), min_count)
        for word, side in sides.items()
        if side.kind != "subwords"
    ]


def _unseen(splits: Mapping[str, Split], side: Side, word: str, at: int, least: int) -> Finding:
    counts = side.counts("train")
    closed = is_closed(side)
    unknown = np.flatnonzero(counts < least)
    numbers, told, places, most = {}, [], [], 0.0
    for name, split in splits.items():
        if name == "train":
            continue
        here = side.counts(name)
        order = unknown[np.argsort(-here[unknown], kind="stable")].tolist()
        missing = [number for number in order if here[number]]
        tokens, share = int(here[missing].sum()), here[missing].sum() / here.sum()
        most = max(most, float(share))
        numbers[name] = {
            "symbols": {side.types[n]: int(here[n]) for n in missing[:1000]},
            "tokens": tokens,
            "share": float(share),
        }
        if missing:
            names = several((f"{named(side.types[n])} ({here[n]:,} ×)" for n in missing), 3)
            part = percent(tokens, int(here.sum()))
            told.append(f"{len(missing):,} in {name} ({part} of tokens): {names}")
            places += places_of(split, side, missing, at)
    why = f"occur fewer than {least} times in train" if least > 1 else "training never shows"
    if not told:
        said = f"no {word} token of valid or test is one that the vocabulary lacks"
        return Finding("SJ-D09", "ok", said, numbers=numbers)
    if closed:
        kind = "error" if word == "target" else "warning"
    else:
        kind = "warning" if most > MOST_UNKNOWN else "info"
    mend = "such lines are certainly wrong" if word == "target" else "they are read as unknown"
    return Finding(
        "SJ-D09",
        kind,
        f"{word} tokens that {why}: {'; '.join(told)}",
        len(places),
        places,
        f"{mend}: add pairs, normalise, or cut into smaller tokens",
        {"side": word, **numbers},
    )


def named(token: str) -> str:
    """Returns a token for people; characters that look like nothing, or like others, by name.

    >>> named("a"), named(" "), named("é"), named("AH0")
    ('a', '␣', 'é U+00E9', 'AH0')
    """
    if token == " ":
        return "␣"
    if len(token) == 1 and not token.isascii():
        seen = token if token.isprintable() and not unicodedata.combining(token) else ""
        return f"{seen} U+{ord(token):04X}".strip()
    return shown(token, 20)


def places_of(split: Split, side: Side, numbers: list[int], at: int | None = None) -> list[Place]:
    """Returns where tokens stand, in the order of the file, with the text of side `at`, or both."""
    rows = side.rows[split.name]
    hit = np.isin(rows.values, numbers)
    found: dict[int, list[str]] = {}
    for row, token in zip(rows.row_of[hit].tolist(), rows.values[hit].tolist(), strict=True):
        found.setdefault(row, []).append(named(side.types[token]))
    places = []
    for row, tokens in found.items():
        place = split.place(row, at)
        text = f"{several(dict.fromkeys(tokens), 3)}   in   {shown(place.text, 44)}"
        places.append(place._replace(text=text))
    return places

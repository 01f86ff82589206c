"""How texts are written: normal form, what is not to be seen, what an encoding broke, scripts."""

import collections
import functools
import re
import unicodedata
from collections.abc import Callable, Mapping

import numpy as np

from seqjax.survey.corpus import Split
from seqjax.survey.finding import Finding, Place, counted, percent, several
from seqjax.survey.tokens import characters

JOINERS = "\u200c\u200d"
"""They change how letters of some scripts, and emoji, are drawn."""
BROKEN = "\N{REPLACEMENT CHARACTER}"
MARKS = re.compile(
    r"</?(?:s|unk|pad|eos|bos|sos|EOS|BOS|SOS|UNK|PAD)>|&(?:amp|lt|gt|quot|apos|nbsp|#\d+);"
)
MOST_OF_A_SIDE = 0.9
"""Of the letters of a side, above which the script counts as that of the side."""


def normalised(text: str) -> str:
    """Returns the text in normal form C."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


@functools.cache
def _replacement(character: str) -> str | None:
    """What an odd character is to become; None for one that is not odd."""
    match unicodedata.category(character):
        case "Cf" if character not in JOINERS:
            return ""
        case "Cc":
            return " " if character == "\t" else ""
        case "Zs" | "Zl" | "Zp" if character != " ":
            return " "
    return None


def plain(text: str) -> str:
    """Returns the text without what is not to be seen, and with plain blanks.

    >>> plain("a\\u00adb\\u00a0c\\u200b "), plain(" d")
    ('ab c', 'd')
    """
    if not text.isprintable():
        found = map(_replacement, text)
        text = "".join(
            character if new is None else new for character, new in zip(text, found, strict=True)
        )
    return text.strip(" ")


def restored(text: str) -> str:
    """Returns what a text was before UTF-8 was taken for Windows-1252; the text itself if it never
    was.

    >>> restored("cafÃ© â€” naÃ¯ve"), restored("Ã quoi bon")
    ('café — naïve', 'Ã quoi bon')
    """
    if text.isascii():
        return text
    try:
        return text.encode("cp1252").decode("utf-8")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return text


def changed_places(splits: Mapping[str, Split], change: Callable[[str], str]) -> list[Place]:
    """Returns the places of all texts that a function changes; it must leave ASCII alone."""
    return [
        split.place(row, side)
        for split in splits.values()
        for side, texts in enumerate((split.sources, split.targets))
        for row, text in enumerate(texts)
        if not text.isascii() and change(text) != text
    ]


def normal_form(splits: Mapping[str, Split]) -> Finding:
    """Returns texts that are not in normal form C, and what normalising them would merge."""
    places = changed_places(splits, normalised)
    if not places:
        return Finding("SJ-D10", "ok", "all texts are in Unicode normal form C")
    texts = {
        text
        for split in splits.values()
        for side in (split.sources, split.targets)
        for text in side
        if not text.isascii()
    }
    before, after = (
        {character for character in set().union(*side) if not character.isascii()}
        for side in (texts, map(normalised, texts))
    )
    return Finding(
        "SJ-D10",
        "warning",
        f"{counted(len(places), 'text')} not in normal form C; normalising turns "
        f"{len(before):,} different characters beyond ASCII into {len(after):,}",
        len(places),
        places,
        numbers={"characters": len(before), "normalised": len(after)},
    )


def unseen_characters(splits: Mapping[str, Split]) -> Finding:
    """Returns characters that are not to be seen, and blanks around texts."""
    found, outer, places, grave = collections.Counter(), 0, [], 0
    for split in splits.values():
        for side, texts in enumerate((split.sources, split.targets)):
            for row, text in enumerate(texts):
                if plain(text) == text:
                    continue
                places.append(split.place(row, side))
                outer += text != text.strip(" ")
                odd = {each for each in text if _replacement(each) is not None}
                found.update(odd)
                grave += any(_replacement(each) == "" for each in odd)
    if not places:
        return Finding("SJ-D12", "ok", "no character is invisible, no blank stands around a text")
    told = [f"{_named(each)} in {count:,}" for each, count in found.most_common()]
    told += [f"blanks around {outer:,}"] * bool(outer)
    return Finding(
        "SJ-D12",
        "warning" if grave or outer else "info",
        f"what is not to be seen stands in {counted(len(places), 'text')}: {several(told)}",
        len(places),
        places,
        numbers={"characters": {f"U+{ord(k):04X}": n for k, n in found.items()}, "outer": outer},
    )


def broken_texts(splits: Mapping[str, Split]) -> Finding:
    """Returns texts that a wrong encoding broke."""

    def mended(text: str) -> str:
        return "" if BROKEN in text else restored(text)

    places = changed_places(splits, mended)
    if not places:
        return Finding("SJ-D27", "ok", "no text was broken by a wrong encoding")
    sides = [side for split in splits.values() for side in (split.sources, split.targets)]
    lost = sum(BROKEN in text for side in sides for text in side)
    return Finding(
        "SJ-D27",
        "warning",
        f"a wrong encoding broke {counted(len(places), 'text')}, {lost:,} beyond repair",
        len(places),
        places,
        numbers={"lost": lost},
    )


def special_marks(splits: Mapping[str, Split]) -> Finding:
    """Returns marks that look like special tokens or markup."""
    found, places = collections.Counter(), []
    for split in splits.values():
        for side, texts in enumerate((split.sources, split.targets)):
            for row, text in enumerate(texts):
                if ("<" in text or "&" in text) and (marks := MARKS.findall(text)):
                    found.update(marks)
                    places.append(split.place(row, side))
    if not places:
        return Finding("SJ-D28", "ok", "no text holds a mark like <unk> or </s>")
    told = several(f"{mark} {count:,} ×" for mark, count in found.most_common())
    return Finding(
        "SJ-D28",
        "warning",
        f"marks that are text like any other here, in {counted(len(places), 'text')}: {told}",
        len(places),
        places,
        numbers={"marks": dict(found)},
    )


def foreign_rows(splits: Mapping[str, Split]) -> tuple[dict[str, list[tuple[int, int]]], list[str]]:
    """Returns `(row, side)` of the texts in another script, by split, and each side's script.

    A side has a script if nine tenths of the training letters are of it; else "" is its script and
    no text is foreign to it. A text is foreign if most of its letters are of another script.
    """
    found = {name: [] for name in splits}
    scripts = []
    for side in (0, 1) if splits["train"].sources else (1,):
        script = ""
        for name, split in splits.items():
            texts = (split.sources, split.targets)[side]
            letters = characters(texts)
            points = np.unique(letters.values)
            of_point = np.array([_script(chr(point)) for point in points.tolist()], object)
            if name == "train":
                script = _main_script(letters.values, points, of_point)
                scripts.append(script)
            if not script:
                continue
            is_letter = of_point != ""
            is_own = of_point == script
            place = np.searchsorted(points, letters.values)
            count = len(texts)
            all_of = np.bincount(letters.row_of, is_letter[place], count)
            own_of = np.bincount(letters.row_of, is_own[place], count)
            rows = np.flatnonzero((all_of > 0) & (2 * own_of < all_of))
            found[name] += [(row, side) for row in rows.tolist()]
    return found, scripts


def foreign_texts(splits: Mapping[str, Split]) -> Finding:
    """Returns texts in another script than their side."""
    found, scripts = foreign_rows(splits)
    places = [splits[name].place(*at) for name, rows in found.items() for at in rows]
    told = " and ".join(dict.fromkeys(script.capitalize() for script in scripts if script))
    numbers = {"scripts": scripts}
    if not places:
        what = f"all texts are in {told} script" if all(scripts) else "scripts are mixed by nature"
        return Finding("SJ-D17", "ok", what, numbers=numbers)
    texts = sum(len(s.sources) + len(s.targets) for s in splits.values())
    return Finding(
        "SJ-D17",
        "warning",
        f"not in {told} script: {counted(len(places), 'text')} ({percent(len(places), texts)})",
        len(places),
        places,
        numbers=numbers,
    )


@functools.cache
def _script(character: str) -> str:
    """The script of a letter, as its name begins; "" for what is no letter of one script."""
    if unicodedata.category(character) not in ("Lu", "Ll", "Lt", "Lo"):
        return ""
    script = unicodedata.name(character, "").split(" ")[0].split("-")[0]
    if script in ("CJK", "HIRAGANA", "KATAKANA", "HALFWIDTH"):
        return "HAN"  # Japanese writes with all of them
    return {"FULLWIDTH": "LATIN", "FEMININE": "LATIN", "MASCULINE": "LATIN"}.get(script, script)


def _main_script(values: np.ndarray, points: np.ndarray, of_point: np.ndarray) -> str:
    counts = collections.Counter()
    for script, count in zip(
        of_point, np.bincount(np.searchsorted(points, values), minlength=len(points)), strict=True
    ):
        if script:
            counts[script] += int(count)
    if not counts:
        return ""
    script, most = counts.most_common(1)[0]
    return script if most >= MOST_OF_A_SIDE * counts.total() else ""


def _named(character: str) -> str:
    name = unicodedata.name(character, "control character")
    return f"U+{ord(character):04X} {name.lower()}"

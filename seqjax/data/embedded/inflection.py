"""Turkish nouns, inflected: `kitap PL;PSS1S;ABL` -> `kitaplarımdan`, from my books.

A suffix says one thing each, in the order number, possessor, case. What it looks like is decided by
all that stands before it: its vowels are those of the vowel before, its first letter is there or
not, voiced or not, and the end of the noun may soften. The nouns are invented, so that there are as
many as are wanted and those that are tested were never seen.
"""

import random

from seqjax.data.readers import Pairs, Splits

VOWELS, BACK, ROUND = "aeıioöuü", "aıou", "oöuü"
SOFTER = {"p": "b", "ç": "c", "k": "ğ"}
VOICELESS = "fstkçşhp"
NUMBERS = {"SG": "", "PL": "lAr"}
POSSESSORS = {
    "": "",
    "PSS1S": "(I)m",
    "PSS2S": "(I)n",
    "PSS3S": "(s)I",
    "PSS1P": "(I)mIz",
    "PSS2P": "(I)nIz",
    "PSS3P": "lArI",
}
CASES = {
    "NOM": "",
    "ACC": "(y)I",
    "DAT": "(y)A",
    "LOC": "DA",
    "ABL": "DAn",
    "GEN": "(n)In",
    "INS": "(y)lA",
}
"""Suffixes as grammars write them: A is e or a, I is one of ı, i, u, ü, D is d or t, and what is in
brackets is there where two vowels or two consonants would meet. Labels are those of UniMorph."""
ONSETS, CODAS = "bcçdfghjklmnprsştvyz", "çklmnprsştyz"
CLUSTERS = ("lk", "lp", "nç", "nk", "rk", "rt", "rp", "st")
DISHARMONY = 0.15
"""Of the nouns whose vowels agree in nothing, as those have that were borrowed."""


def inflect(text: str) -> str:
    """Returns a form of a noun, or nothing if the text does not ask for one.

    Args:
      text: `noun NUMBER;CASE` or `noun NUMBER;POSSESSOR;CASE`.

    >>> inflect("ev SG;PSS1P;LOC"), inflect("çocuk SG;DAT"), inflect("araba SG;PSS3S;ACC")
    ('evimizde', 'çocuğa', 'arabasını')
    >>> inflect("ev PL;PSS3P;NOM"), inflect("ev PL")
    ('evleri', '')

    References:
      Göksel and Kerslake, "Turkish: a comprehensive grammar", 2005, chapters 2, 3 and 8. Of its
      rules those are made general that hold of most nouns only: p, ç and k soften at the end of
      nouns of two syllables or more, nk of all, and t of none.
    """
    noun, _, labels = text.partition(" ")
    if labels.count(";") == 1:
        labels = labels.replace(";", ";;")
    number, _, others = labels.partition(";")
    possessor, _, case = others.partition(";")
    known = number in NUMBERS and possessor in POSSESSORS and case in CASES
    if not known or not _last_vowel(noun):
        return ""
    both_plural = number == "PL" and possessor == "PSS3P"  # -lAr is not said twice
    form = _add(noun, "" if both_plural else NUMBERS[number], softens=True)
    form = _add(form, POSSESSORS[possessor], softens=form == noun)
    suffix = CASES[case]
    if possessor in ("PSS3S", "PSS3P") and suffix and case not in ("GEN", "INS"):
        suffix = "n" + suffix.removeprefix("(y)")
    return _add(form, suffix, softens=form == noun)


def _add(stem: str, suffix: str, *, softens: bool) -> str:
    """Returns a stem with a suffix."""
    if suffix.startswith("("):
        optional, suffix = suffix[1], suffix[3:]
        ends_in_vowel = stem[-1] in VOWELS
        if ends_in_vowel == (optional != "I"):  # y, s and n part vowels, I parts consonants
            suffix = optional + suffix
    for letter in suffix:
        vowel = _last_vowel(stem)
        match letter:
            case "A":
                letter = "a" if vowel in BACK else "e"
            case "I":
                letter = "ıiuü"[2 * (vowel in ROUND) + (vowel not in BACK)]
            case "D":
                letter = "t" if stem[-1] in VOICELESS else "d"
        if softens and letter in VOWELS:
            stem = _soften(stem)
        stem, softens = stem + letter, False
    return stem


def _last_vowel(text: str) -> str:
    """Returns nothing if there is none."""
    return next((letter for letter in reversed(text) if letter in VOWELS), "")


def _soften(noun: str) -> str:
    if noun.endswith("nk"):
        return noun[:-1] + "g"
    if sum(letter in VOWELS for letter in noun) > 1 and noun[-1] in SOFTER:
        return noun[:-1] + SOFTER[noun[-1]]
    return noun


def make_inflections(examples: int, *, seed: int, held_out: int = 1_000) -> Splits:
    """Returns requests for forms with the forms, a function of the arguments alone.

    Each of the 98 cells of the paradigm is asked for as often as any other; a noun has one to three
    syllables, and no noun is in two splits.

    Args:
      examples: Training pairs; a noun may come more than once.
      seed: Of the draw.
      held_out: Pairs of validation and of test, no noun twice.
    """
    generator = random.Random(seed)
    seen: set[str] = set()

    def draw(count: int, distinct: bool) -> Pairs:
        sources: list[str] = []
        while len(sources) < count:
            noun = _noun(generator)
            if noun not in seen:
                sources.append(f"{noun} {_labels(generator)}")
                if distinct:
                    seen.add(noun)
        return Pairs(sources, list(map(inflect, sources)))

    valid, test = draw(held_out, True), draw(held_out, True)
    return Splits(draw(examples, False), valid, test)


def _labels(generator: random.Random) -> str:
    labels = (generator.choice(list(each)) for each in (NUMBERS, POSSESSORS, CASES))
    return ";".join(label for label in labels if label)


def _noun(generator: random.Random) -> str:
    (syllables,) = generator.choices((1, 2, 3), (1, 2, 1))
    free = generator.random() < DISHARMONY
    noun = ""
    for number in range(syllables):
        if number or generator.random() < 0.8:
            noun += generator.choice(ONSETS)
        noun += generator.choice(VOWELS if free else _agreeing(noun))
        last = number == syllables - 1
        if last and generator.random() < 0.15:
            noun += generator.choice(CLUSTERS)
        elif (last and (syllables == 1 or generator.random() < 0.65)) or generator.random() < 0.2:
            noun += generator.choice(CODAS)
    return noun


def _agreeing(noun: str) -> str:
    """Returns the vowels that may come next: of the same half, o and ö in first syllables alone."""
    vowel = _last_vowel(noun)
    if not vowel:
        return VOWELS
    if vowel in BACK:
        return "au" if vowel in ROUND else "aı"
    return "eü" if vowel in ROUND else "ei"

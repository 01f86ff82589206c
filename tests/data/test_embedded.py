"""The built-in data: what it promises about itself."""

import collections
import datetime
import math

import numpy as np
import pytest

from seqjax.data.embedded.arithmetic import make_additions
from seqjax.data.embedded.dates import (
    FIRST,
    LANGUAGES,
    LAST,
    make_date_languages,
    make_date_parts,
    make_dates,
    ways_to_write,
)
from seqjax.data.embedded.docs import english_manual
from seqjax.data.embedded.inflection import inflect, make_inflections
from seqjax.data.embedded.memory import make_copy_memory
from seqjax.data.embedded.numbers import MOST_DIGITS, make_numbers, say_number
from seqjax.data.embedded.strings import make_pairs
from seqjax.errors import InputError
from seqjax.metrics.spans import spans_of


def test_dates_are_a_function_of_their_seed():
    assert make_dates(50, seed=1, held_out=20) == make_dates(50, seed=1, held_out=20)
    assert make_dates(50, seed=1, held_out=20) != make_dates(50, seed=2, held_out=20)


def test_no_calendar_date_is_in_two_splits():
    train, valid, test = (set(part.targets) for part in make_dates(5_000, seed=0, held_out=500))
    assert not train & valid and not train & test and not valid & test
    assert len(valid) == len(test) == 500


def test_dates_are_iso_and_within_their_window():
    for part in make_dates(300, seed=0, held_out=50):
        for source, target in zip(part.sources, part.targets, strict=True):
            assert FIRST <= datetime.date.fromisoformat(target) <= LAST
            assert source.split(" ")[0] in LANGUAGES


def test_at_least_twelve_languages_in_several_styles():
    assert len(LANGUAGES) >= 12
    assert all(len(ways_to_write(language)) >= 4 for language in LANGUAGES)


def test_no_date_text_means_two_dates():
    meanings = {}
    for part in make_dates(12_000, seed=3, held_out=1_000):
        for source, target in zip(part.sources, part.targets, strict=True):
            assert meanings.setdefault(source, target) == target


def texts(language, date):
    return {"".join(piece for piece, _ in way(date)) for way in ways_to_write(language)}


def test_dates_are_written_as_people_do():
    german = texts("de", datetime.date(1999, 3, 3))
    assert {"3. März 1999", "Mittwoch, 3. März 1999", "03.03.99"} <= german
    american = texts("en", datetime.date(1999, 3, 4))
    assert {"March 4, 1999", "3/4/99"} <= american


def test_the_parts_of_a_date_are_where_its_tags_say():
    dates, parts = (make(300, seed=2, held_out=10).train for make in (make_dates, make_date_parts))
    for source, iso, text, line in zip(
        dates.sources, dates.targets, parts.sources, parts.targets, strict=True
    ):
        assert source[3:] == text
        tags = line.split(" ")
        assert len(tags) == len(text)
        found = {kind: text[first : last + 1] for kind, first, last in spans_of(tags)}
        assert int(found["day"]) == int(iso[8:])
        assert int(found["year"]) in (int(iso[:4]), int(iso[2:4]))
        assert not found["month"].isdigit() or int(found["month"]) == int(iso[5:7])
        rest = "".join(one for one, tag in zip(text, tags, strict=True) if tag == "O")
        assert not any(one.isdigit() for one in rest)


def test_a_date_is_of_the_language_that_stands_before_it():
    dates, spoken = (
        make(300, seed=2, held_out=10).train for make in (make_dates, make_date_languages)
    )
    assert dates.sources == [
        f"{language} {text}" for text, language in zip(*spoken[:2], strict=True)
    ]


def test_copies_are_copies_and_reversals_reversals_and_what_is_sorted_has_an_order():
    settings = {"examples": 200, "min_length": 2, "max_length": 6, "seed": 0, "held_out": 50}
    copies, turned, ordered = (make_pairs(task, **settings) for task in ("copy", "reverse", "sort"))
    for part in ordered:
        for source, target in part.both():
            assert all(one <= other for one, other in zip(target, target[1:], strict=False))
            assert all(source.count(one) == target.count(one) for one in source + target)
    for part in copies:
        assert part.sources == part.targets
        assert {len(source) for source in part.sources} == {2, 3, 4, 5, 6}
    for part in turned:
        assert [source[::-1] for source in part.sources] == part.targets
    long = [{s for s in part.sources if len(s) > 3} for part in copies]
    assert not long[0] & long[1] and not long[0] & long[2] and not long[1] & long[2]


def test_the_manual_is_english_in_three_parts():
    train, valid, test = english_manual()
    assert len(train) > 5 * len(valid) > 50_000 and len(test) > 20_000
    assert " the " in train and " the " in valid and " the " in test


def test_sums_are_right_and_none_is_in_two_splits_whichever_number_stands_first():
    settings = {"min_length": 1, "max_length": 3}
    parts = make_additions(2_000, seed=1, held_out=200, **settings)
    assert parts == make_additions(2_000, seed=1, held_out=200, **settings)
    assert parts != make_additions(2_000, seed=2, held_out=200, **settings)
    sums = []
    for part in parts:
        sums.append({frozenset(source.split("+")) for source in part.sources})
        for source, target in part.both():
            left, right = map(int, source.split("+"))
            assert str(left + right) == target and f"{left}+{right}" == source
            assert max(left, right) < 1_000
    assert not sums[0] & sums[1] and not sums[0] & sums[2] and not sums[1] & sums[2]
    assert len(sums[1]) == len(sums[2]) == 200
    lengths = [len(one) for source in parts.train.sources for one in source.split("+")]
    assert min(np.bincount(lengths)[1:]) > 0.25 * len(lengths)  # of one digit as of three
    short = [{one for one in found if all(len(number) == 1 for number in one)} for found in sums]
    assert len(short[0]) > 35 and max(len(short[1]), len(short[2])) < 14  # of 55 that there are
    few = make_additions(50, min_length=1, max_length=1, seed=0, held_out=10)
    held = {frozenset(text.split("+")) for part in few[1:] for text in part.sources}
    assert len(few.train.sources) == 50 and len(held) < 22


def counted(words):
    """Returns the number that English words name, by adding up what each is worth."""
    ones = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen"
    ones += " fifteen sixteen seventeen eighteen nineteen"
    worth = {word: place for place, word in enumerate(("zero " + ones).split())}
    tens = "twenty thirty forty fifty sixty seventy eighty ninety"
    worth |= {word: 10 * place for place, word in enumerate(tens.split(), start=2)}
    powers = "thousand million billion trillion quadrillion quintillion"
    powers = {word: 1_000**place for place, word in enumerate(powers.split(), start=1)}
    total = group = 0
    for word in words.replace("-", " ").split():
        if word in powers:
            total, group = total + group * powers[word], 0
        elif word == "hundred":
            group *= 100
        elif word != "and":
            group += worth[word]
    return total + group


def test_numbers_are_said_as_people_say_them():
    for number, words in (
        (0, "zero"),
        (13, "thirteen"),
        (40, "forty"),
        (99, "ninety-nine"),
        (100, "one hundred"),
        (110, "one hundred and ten"),
        (1_000, "one thousand"),
        (1_001, "one thousand and one"),
        (1_100, "one thousand one hundred"),
        (20_021, "twenty thousand and twenty-one"),
        (1_000_000, "one million"),
        (5_000_107, "five million one hundred and seven"),
        (305_000_000, "three hundred and five million"),
    ):
        assert say_number(str(number)) == words
    drawn = np.random.default_rng(0)
    for _ in range(300):
        number = int("".join(map(str, drawn.integers(0, 10, drawn.integers(1, MOST_DIGITS + 1)))))
        assert counted(say_number(str(number))) == number
    assert [say_number(text) for text in ("", "-3", "1.5", "two", "²", "1" * 22)] == [""] * 6


def test_a_held_out_number_has_a_group_of_digits_that_training_never_shows():
    settings = {"min_length": 1, "max_length": 9, "seed": 5}
    parts = make_numbers(4_000, held_out=150, **settings)
    assert parts == make_numbers(4_000, held_out=150, **settings)
    groups = []
    for part in parts:
        groups.append([set(f"{int(source):,}".split(",")) for source in part.sources])
        assert all(counted(target) == int(source) for source, target in part.both())
        assert all(not source.startswith("0") or source == "0" for source in part.sources)
    known, words = set().union(*groups[0]), set(" ".join(parts.train.targets).split())
    for part, found in zip(parts[1:], groups[1:], strict=True):
        assert len(set(part.sources)) == len(part.sources) == 150
        assert all(group - known for group in found)
        assert set(" ".join(part.targets).split()) <= words
    of_valid, of_test = (set().union(*found) - known for found in groups[1:])
    assert not any(group & of_test for group in groups[1])
    assert not any(group & of_valid for group in groups[2])
    short = make_numbers(10, min_length=3, max_length=3, seed=0, held_out=400)
    assert (len(short.valid.sources), len(short.test.sources)) == (45, 90)  # there are no more
    with pytest.raises(InputError, match="must be 3 to 21, got 2"):
        make_numbers(10, min_length=1, max_length=2, seed=0)


FORMS = """\
kitap PL;PSS1S;ABL kitaplarımdan
kitap SG;ACC kitabı
kitap SG;INS kitapla
ağaç SG;PSS3S;LOC ağacında
renk SG;PSS3S;NOM rengi
top SG;ACC topu
at SG;DAT ata
sepet SG;ABL sepetten
kanat PL;PSS3S;ACC kanatlarını
göz PL;PSS2P;GEN gözlerinizin
araba SG;DAT arabaya
araba SG;GEN arabanın
araba SG;PSS1S;NOM arabam
araba SG;PSS2P;INS arabanızla
okul SG;LOC okulda
köpek SG;PSS3P;INS köpekleriyle
köpek PL;PSS3P;INS köpekleriyle
kapı SG;INS kapıyla
kapı PL;NOM kapılar
ev SG;PSS2S;LOC evinde
ev SG;PSS3S;LOC evinde
ev SG;PSS3S;DAT evine
ev SG;PSS3S;GEN evinin
ev SG;NOM ev
çocuk PL;DAT çocuklara
üzüm SG;PSS1P;ACC üzümümüzü
balık SG;PSS1S;NOM balığım
kuş SG;LOC kuşta
"""
"""Of dictionaries and grammars: regular nouns."""


def test_nouns_are_inflected_as_people_do():
    for line in FORMS.splitlines():
        request, _, form = line.rpartition(" ")
        assert inflect(request) == form, request
    for text in ("", "ev", "ev SG", "ev NOM;SG", "ev SG;PSS1S", "ev SG;ACC;DAT", "krk SG;NOM"):
        assert inflect(text) == ""


def test_no_noun_that_is_tested_was_ever_seen():
    parts = make_inflections(6_000, seed=3, held_out=200)
    assert parts == make_inflections(6_000, seed=3, held_out=200)
    nouns = [[source.split(" ")[0] for source in part.sources] for part in parts]
    assert [len(set(each)) for each in nouns[1:]] == [200, 200]
    train, valid, test = map(set, nouns)
    assert not train & valid and not train & test and not valid & test
    asked = collections.Counter(source.split(" ")[1] for source in parts.train.sources)
    assert len(asked) == 2 * 7 * 7
    assert max(asked.values()) < 3 * min(asked.values())
    of_length = [sum(letter in "aeıioöuü" for letter in noun) for noun in nouns[0]]
    assert set(of_length) == {1, 2, 3}


def test_what_is_to_be_kept_is_asked_for_after_the_wait():
    settings = {"min_length": 3, "max_length": 7, "seed": 2}
    parts = make_copy_memory(200, held_out=40, **settings)
    assert parts == make_copy_memory(200, held_out=40, **settings)
    kept, waits = [], set()
    for part in parts:
        kept.append({source[:10] for source in part.sources})
        for source, target in part.both():
            wait = source.index(">") - 9  # the tenth symbol is said ten steps after `>` at T = 1
            waits.add(wait)
            tags = target.split()
            assert len(tags) == len(source) == wait + 20
            assert source == source[:10] + "." * (wait - 1) + ">" + "." * 10
            assert tags[: wait + 10] == ["O"] * (wait + 10)
            assert [tag.removeprefix("B-") for tag in tags[-10:]] == list(source[:10])
            assert len(spans_of(tags)) == 10
    assert waits == {3, 4, 5, 6, 7}
    assert [len(one) for one in kept] == [200, 40, 40]
    assert not kept[0] & kept[1] and not kept[0] & kept[2] and not kept[1] & kept[2]
    said = [tag for part in parts for target in part.targets for tag in target.split()[-10:]]
    shares = np.unique(said, return_counts=True)[1] / len(said)
    # Who recalls nothing pays ln 8 for each of ten steps: no symbol is more frequent than another.
    assert -np.sum(shares * np.log(shares)) == pytest.approx(math.log(8), abs=0.01)

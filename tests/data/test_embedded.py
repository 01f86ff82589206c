"""The built-in data: what it promises about itself."""

import datetime

from seqjax.data.dates import (
    FIRST,
    LANGUAGES,
    LAST,
    make_date_languages,
    make_date_parts,
    make_dates,
    ways_to_write,
)
from seqjax.data.docs import english_manual
from seqjax.data.toy import make_pairs
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


def test_copies_are_copies_and_reversals_reversals():
    settings = {"examples": 200, "min_length": 2, "max_length": 6, "seed": 0, "held_out": 50}
    copies, turned = make_pairs("copy", **settings), make_pairs("reverse", **settings)
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

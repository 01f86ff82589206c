"""The built-in data: what it promises about itself."""

import datetime

from seqjax.data.dates import FIRST, LANGUAGES, LAST, make_dates, ways_to_write
from seqjax.data.docs import english_manual
from seqjax.data.toy import make_pairs


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


def test_dates_are_written_as_people_do():
    german = {way(datetime.date(1999, 3, 3)) for way in ways_to_write("de")}
    assert {"3. März 1999", "Mittwoch, 3. März 1999", "03.03.99"} <= german
    american = {way(datetime.date(1999, 3, 4)) for way in ways_to_write("en")}
    assert {"March 4, 1999", "3/4/99"} <= american


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

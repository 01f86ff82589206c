"""Dates that were read by hand, and those of the built-in task."""

import datetime

import pytest

from seqjax.baselines.rules import read_date
from seqjax.data.embedded.dates import make_dates, ways_to_write


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("en Tuesday, March 5, 2024", "2024-03-05"),
        ("en 12/21/87", "1987-12-21"),
        ("de 21.12.87", "1987-12-21"),
        ("es mar, 5 ene 2024", "2024-01-05"),  # martes, not marzo
        ("it mar 5 mag 1996", "1996-05-05"),
        ("pt seg., 21 de dez. de 1987", "1987-12-21"),
        ("da tirsdag den 5. MARTS 2024", "2024-03-05"),
        ("fi tiistai 5. maaliskuuta 2024", "2024-03-05"),
        ("ru вт, 5 мар. 2024 г.", "2024-03-05"),
        ("tr 21 Ara 1987 Pzt", "1987-12-21"),
        ("ko 24. 3. 5.", "2024-03-05"),
        ("ko 70. 3. 5.", "1970-03-05"),
        ("zh 2024年3月5日星期二", "2024-03-05"),
        ("sv tis, 2024-03-05", "2024-03-05"),
        ("en 2024-03-05", "2024-03-05"),
        ("de 31. Februar 2024", ""),
        ("de 3. Nebelung 1999", ""),
        ("xx 3. Mai 1999", ""),
        ("de", ""),
        ("", ""),
    ],
)
def test_a_date_is_read_as_people_read_it(text, wanted):
    assert read_date(text) == wanted


@pytest.mark.parametrize("language", ["en", "es", "sv"])
def test_every_way_to_write_is_read(language):
    for way in ways_to_write(language):
        for month in range(1, 13):
            date = datetime.date(1969 + 8 * month, month, 2 * month + 1)
            text = f"{language} {''.join(piece for piece, _ in way(date))}"
            assert read_date(text) == read_date(text.lower()) == date.isoformat()


@pytest.mark.slow
def test_every_date_of_the_built_in_task_is_read():
    test = make_dates(1, seed=3).test
    assert [read_date(source) for source in test.sources] == test.targets

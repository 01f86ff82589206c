"""Dates in many languages to ISO 8601, by the rules that a programmer would write."""

import datetime
import functools
import re

from babel import Locale

YEAR_FIRST = ("ja", "ko", "sv", "zh")
"""Languages whose dates in figures begin with the year; elsewhere the day, in English the month."""
PIVOT = 70
"""Two figures from here on are of the twentieth century, below it of the twenty-first."""


def read_date(text: str) -> str:
    """Returns the ISO form of a date, or nothing if the rules find none.

    Three numbers are a date in figures, whose order the language says. Two are a day and a year,
    and the month is the word behind the day, or in English before it. Names of weekdays are not
    looked at; some of them are spelled like a month.

    Args:
      text: The tag of the language, a space, and the date in any case of letters.

    >>> read_date("de Mittwoch, 3. März 1999"), read_date("en 3/4/99"), read_date("es never")
    ('1999-03-03', '1999-03-04', '')
    """
    language, _, written = text.lower().partition(" ")
    numbers = [int(number) for number in re.findall(r"[0-9]+", written)]
    if len(numbers) == 3:
        year, month, day = _ordered(language, *numbers)
    elif len(numbers) == 2:
        (day, year), month = numbers, _named_month(language, written)
    else:
        return ""
    if year < 100:
        year += 1900 if year >= PIVOT else 2000
    try:
        return datetime.date(year, month, day).isoformat()
    except ValueError:  # there is no such day
        return ""


def _ordered(language: str, first: int, second: int, third: int) -> tuple[int, int, int]:
    """Returns year, month and day of three numbers."""
    if language in YEAR_FIRST or first > 31:
        return first, second, third
    return (third, first, second) if language == "en" else (third, second, first)


def _named_month(language: str, written: str) -> int:
    """Returns the number of the month that stands beside the day, 0 if none does."""
    place = r"([^\W\d]+)\.?\s+[0-9]" if language == "en" else r"[0-9]\.?\s+(?:de\s+)?([^\W\d]+)"
    found = re.search(place, written)
    return _months(language).get(found.group(1), 0) if found else 0


@functools.cache
def _months(language: str) -> dict[str, int]:
    """Returns the number of each month by its names, long and short, in small letters."""
    if language not in Locale("en").languages:
        return {}
    months = Locale.parse(language).months
    return {
        name.lower().rstrip("."): number
        for form in ("format", "stand-alone")
        for width in ("wide", "abbreviated")
        for number, name in months[form][width].items()
    }

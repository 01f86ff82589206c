"""The built-in task: dates as people write them, in many languages, to ISO 8601.

`de Mittwoch, 3. März 1999` -> `1999-03-03`. The language stands in front, because a bare `3/4/99`
means different days in different languages. How each language writes a date is the Unicode CLDR's
knowledge, which Babel carries.
"""

import datetime
import functools
from collections.abc import Callable

import numpy as np
from babel import Locale
from babel.dates import parse_pattern

from seqjax.data.readers import Pairs, Splits

LANGUAGES = (
    *("cs", "da", "de", "en", "es", "fi", "fr", "it", "ja"),
    *("ko", "nl", "pl", "pt", "ru", "sv", "tr", "zh"),
)
STYLES = ("full", "long", "medium", "short")
SKELETONS = ("yMd", "yMEd", "yMMMd", "yMMMEd", "yMMMMd")
FIRST, LAST = datetime.date(1970, 1, 1), datetime.date(2069, 12, 31)
"""Every date lies between these, so that a year written with two digits means one year only."""
LOWER_SHARE = 0.2
"""Of the texts that are written without capitals."""


def languages() -> tuple[str, ...]:
    """Returns the tags of the languages that dates are written in."""
    return LANGUAGES


def make_dates(examples: int, *, seed: int, held_out: int = 2_000) -> Splits:
    """Returns dates in words and digits with their ISO form, a function of the arguments alone.

    No calendar date of validation or test is in another split, in whatever language. Each language
    is equally frequent, and each of its distinct ways to write a date.

    Args:
      examples: Training pairs.
      seed: Of the draw.
      held_out: Pairs of validation and of test, each with a date of its own.

    Raises:
      ValueError: If more is held out than there are days.
    """
    days = (LAST - FIRST).days + 1
    if 2 * held_out >= days:
        raise ValueError(f"held_out must be below {days // 2}, got {held_out}")
    generator = np.random.default_rng(seed)
    order = generator.permutation(days)
    valid, test, train = np.split(order, [held_out, 2 * held_out])
    drawn = generator.choice(train, size=examples)
    return Splits(*(_write(part, generator) for part in (drawn, valid, test)))


def _write(days: np.ndarray, generator: np.random.Generator) -> Pairs:
    sources, targets = [], []
    for day in days:
        date = FIRST + datetime.timedelta(days=int(day))
        language = LANGUAGES[generator.integers(len(LANGUAGES))]
        ways = ways_to_write(language)
        text = ways[generator.integers(len(ways))](date)
        lower = generator.random() < LOWER_SHARE
        sources.append(f"{language} {text.lower() if lower else text}")
        targets.append(date.isoformat())
    return Pairs(sources, targets)


@functools.cache
def ways_to_write(language: str) -> tuple[Callable[[datetime.date], str], ...]:
    """Returns the distinct ways in which a language writes a whole date, as functions of it.

    A way that could be misread as another date in a way before it is left out: with it, one text
    would have two meanings.
    """
    locale = Locale.parse(language)
    patterns = [locale.date_formats[style].pattern for style in STYLES]
    patterns += [
        locale.datetime_skeletons[name].pattern
        for name in SKELETONS
        if name in locale.datetime_skeletons
    ]
    probes = [FIRST + datetime.timedelta(days=day) for day in range(0, 36_524, 17)]
    meanings: dict[str, datetime.date] = {}
    ways = []
    for pattern in dict.fromkeys(patterns):
        way = functools.partial(_apply, pattern, locale)
        texts = {date: way(date).lower() for date in probes}
        if all(meanings.get(text, date) == date for date, text in texts.items()):
            meanings.update({text: date for date, text in texts.items()})
            ways.append(way)
    return tuple(ways)


def _apply(pattern: str, locale: Locale, date: datetime.date) -> str:
    return parse_pattern(pattern).apply(date, locale).replace("\N{NARROW NO-BREAK SPACE}", " ")

"""The built-in task: dates as people write them, in many languages, to ISO 8601.

`de Mittwoch, 3. März 1999` -> `1999-03-03`. The language stands in front, because a bare `3/4/99`
means different days in different languages. How each language writes a date is the Unicode CLDR's
knowledge, which Babel carries.
"""

import datetime
import functools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from babel import Locale
from babel.dates import DateTimeFormat, tokenize_pattern

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


PARTS = {"E": "weekday", "d": "day", "M": "month", "L": "month", "y": "year"}
"""What the fields of a pattern are called as tags; all else is O."""


class Written(NamedTuple):
    """A date as somebody writes it.

    Attributes:
      language: Of whoever writes it.
      date: Which it is.
      parts: The text, piece by piece, each with what it is: one of `PARTS`, or O.
    """

    language: str
    date: datetime.date
    parts: tuple[tuple[str, str], ...]

    @property
    def text(self) -> str:
        """What is written."""
        return "".join(piece for piece, _ in self.parts)

    @property
    def tags(self) -> list[str]:
        """A tag for each character, B- where a part begins and I- where it goes on."""
        tags = []
        for piece, name in self.parts:
            if name == "O":
                tags += ["O"] * len(piece)
            elif piece:
                tags += [f"B-{name}", *[f"I-{name}"] * (len(piece) - 1)]
        return tags


def make_dates(examples: int, *, seed: int, held_out: int = 2_000) -> Splits:
    """Returns dates, the language in front, with their ISO form; see `draw_dates`."""

    def pair(written: Written) -> tuple[str, str]:
        return f"{written.language} {written.text}", written.date.isoformat()

    return _pairs(draw_dates(examples, seed=seed, held_out=held_out), pair)


def make_date_languages(examples: int, *, seed: int, held_out: int = 2_000) -> Splits:
    """Returns dates with the language that they are written in; see `draw_dates`.

    Numbers alone are written alike in several languages, so not all can be told.
    """
    pair = lambda written: (written.text, written.language)
    return _pairs(draw_dates(examples, seed=seed, held_out=held_out), pair)


def make_date_parts(examples: int, *, seed: int, held_out: int = 2_000) -> Splits:
    """Returns dates with a tag for each character, of `PARTS`; see `draw_dates`."""
    pair = lambda written: (written.text, " ".join(written.tags))
    return _pairs(draw_dates(examples, seed=seed, held_out=held_out), pair)


def _pairs(splits: Splits, pair_fn: Callable[[Written], tuple[str, str]]) -> Splits:
    made = []
    for split in splits:
        sources, targets = zip(*map(pair_fn, split), strict=True)
        made.append(Pairs(list(sources), list(targets)))
    return Splits(*made)


def draw_dates(examples: int, *, seed: int, held_out: int) -> Splits:
    """Returns lists of `Written`, a function of the arguments alone.

    No calendar date of validation or test is in another split, in whatever language. Each language
    is equally frequent, and each of its distinct ways to write a date.

    Args:
      examples: To train on.
      seed: Of the draw.
      held_out: For validation and for test, each with a date of its own.

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


def _write(days: np.ndarray, generator: np.random.Generator) -> list[Written]:
    found = []
    for day in days:
        date = FIRST + datetime.timedelta(days=int(day))
        language = LANGUAGES[generator.integers(len(LANGUAGES))]
        ways = ways_to_write(language)
        parts = ways[generator.integers(len(ways))](date)
        if generator.random() < LOWER_SHARE:
            parts = tuple((piece.lower(), name) for piece, name in parts)
        found.append(Written(language, date, parts))
    return found


@functools.cache
def ways_to_write(
    language: str,
) -> tuple[Callable[[datetime.date], tuple[tuple[str, str], ...]], ...]:
    """Returns the distinct ways in which a language writes a whole date: date to `Written.parts`.

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
        texts = {date: "".join(piece for piece, _ in way(date)).lower() for date in probes}
        if all(meanings.get(text, date) == date for date, text in texts.items()):
            meanings.update({text: date for date, text in texts.items()})
            ways.append(way)
    return tuple(ways)


def _apply(pattern: str, locale: Locale, date: datetime.date) -> tuple[tuple[str, str], ...]:
    fields, parts = DateTimeFormat(date, locale), []
    for kind, value in tokenize_pattern(pattern):
        if kind == "chars":
            piece, name = str(value), "O"
        else:
            letter, count = value
            piece, name = str(fields[letter * int(count)]), PARTS.get(str(letter), "O")
        parts.append((piece.replace("\N{NARROW NO-BREAK SPACE}", " "), name))
    return tuple(parts)

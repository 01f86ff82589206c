"""Whole numbers in English words, and numbers that are never seen in training, to try it with."""

import numpy as np

from seqjax.data.readers import Pairs, Splits
from seqjax.errors import InputError

SMALL = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen"),
    *("eighteen", "nineteen"),
)
TENS = (*("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"),)
SCALES = ("", "thousand", "million", "billion", "trillion", "quadrillion", "quintillion")
MOST_DIGITS = 3 * len(SCALES)
HELD_GROUPS = {"valid": 45, "test": 90}
"""Of the 900 groups of three digits from 100 on: those that training never shows."""
ATTEMPTS = 40
"""Numbers that are drawn for each that is held out, before there are taken to be no more."""


def say_number(text: str) -> str:
    """Returns a whole number in words as they are written in Britain, or nothing if it is none.

    >>> say_number("342"), say_number("1000001"), say_number("12345"), say_number("-1")
    ('three hundred and forty-two', 'one million and one', 'twelve thousand three hundred and \
forty-five', '')
    """
    if not (text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS):
        return ""
    words = []
    for scale, group in zip(SCALES, _groups(int(text)), strict=False):
        if group:
            last = not scale and group < 100 <= int(text)
            words.append(("and " if last else "") + _say_group(group) + (scale and f" {scale}"))
    return " ".join(reversed(words)) or SMALL[0]


def _groups(number: int) -> list[int]:
    """Returns three digits each, the last ones first."""
    found = [number % 1_000]
    while number := number // 1_000:
        found.append(number % 1_000)
    return found


def _say_group(number: int) -> str:
    hundreds, rest = divmod(number, 100)
    tens, ones = divmod(rest, 10)
    small = SMALL[rest] if rest < 20 else TENS[tens] + (f"-{SMALL[ones]}" if ones else "")
    if not hundreds:
        return small
    return f"{SMALL[hundreds]} hundred" + (f" and {small}" if rest else "")


def make_numbers(
    examples: int, *, min_length: int, max_length: int, seed: int, held_out: int = 1_000
) -> Splits:
    """Returns numbers with their words, a function of the arguments alone.

    Of the 900 groups of three digits that `347` and `12,347,005` have, 45 stand in numbers of
    validation alone and 90 in those of test alone, each of which has at least one: all its words
    are known, and one of its groups never occurs in training, at whatever place.

    Args:
      examples: Training pairs; a number may come more than once.
      min_length, max_length: Of a number, its length being uniform.
      seed: Of the draw, and of which groups are held out.
      held_out: Numbers of validation and of test, all distinct; fewer where there are few.

    Raises:
      InputError: If numbers are too long to have a name, or too short to have a group.
    """
    if not 3 <= max_length <= MOST_DIGITS:
        raise InputError(f"data.max_length of numbers must be 3 to {MOST_DIGITS}, got {max_length}")
    generator = np.random.default_rng(seed)
    groups = generator.permutation(np.arange(100, 1_000))
    first, second = HELD_GROUPS["valid"], sum(HELD_GROUPS.values())
    of_valid, of_test = set(groups[:first].tolist()), set(groups[first:second].tolist())

    def number() -> int:
        length = int(generator.integers(max(min_length, 1), max_length + 1))
        digits = generator.integers(0, 10, length)
        digits[0] = generator.integers(min(length - 1, 1), 10)  # zero alone begins with 0
        return int("".join(map(str, digits)))

    def pairs(numbers: list[int]) -> Pairs:
        texts = list(map(str, numbers))
        return Pairs(texts, list(map(say_number, texts)))

    def held(ours: set[int], theirs: set[int]) -> Pairs:
        found: dict[int, None] = {}
        for _ in range(ATTEMPTS * held_out):
            drawn = number()
            groups = set(_groups(drawn))
            if groups & ours and not groups & theirs:
                found[drawn] = None
                if len(found) == held_out:
                    break
        return pairs(list(found))

    def train() -> Pairs:
        found: list[int] = []
        while len(found) < examples:
            drawn = number()
            if not (of_valid | of_test) & set(_groups(drawn)):
                found.append(drawn)
        return pairs(found)

    return Splits(train(), held(of_valid, of_test), held(of_test, of_valid))

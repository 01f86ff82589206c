"""Which errors a validation has made, counted by length of the source and by symbol."""

import collections
import math
from collections.abc import Hashable, Sequence
from typing import NamedTuple

from seqjax.metrics.edit import closest

Tokens = Sequence[Hashable]


class Tally(NamedTuple):
    """How many of all errors fall on one kind of example.

    Attributes:
      kind: In words, "sources of 3 tokens".
      errors: That fall on it.
      all_errors: That there are.
      share: How many of the errors it would have if all were as likely to fail: its share of all
        examples, or of all reference tokens.
    """

    kind: str
    errors: int
    all_errors: int
    share: float

    @property
    def surprise(self) -> float:
        """Standard deviations by which there are more errors than its share of them.

        >>> Tally("sources of 3 tokens", 20, 100, 0.1).surprise
        3.3333333333333335
        """
        expected = self.all_errors * self.share
        deviation = math.sqrt(expected * (1 - self.share))
        return (self.errors - expected) / deviation if deviation else 0.0


def tally_errors(
    source_lengths: Sequence[int],
    answers: Sequence[Tokens],
    references: Sequence[Sequence[Tokens]],
) -> list[Tally]:
    """Returns wrong answers by length of their source, and missing tokens by symbol.

    A token is missing if an answer has it less often than the reference closest to it; where it
    stands does not matter.

    Args:
      source_lengths: In tokens.
      answers: Tokens of each answer, EOS not among them.
      references: Tokens of the accepted answers to each source, at least one.
    """
    nearest = [closest(*pair) for pair in zip(answers, references, strict=True)]
    lengths = collections.Counter(source_lengths)
    wrong = collections.Counter(
        length for length, (edits, _) in zip(source_lengths, nearest, strict=True) if edits
    )
    symbols = collections.Counter(token for _, reference in nearest for token in reference)
    missing: collections.Counter[Hashable] = collections.Counter()
    for answer, (_, reference) in zip(answers, nearest, strict=True):
        missing += collections.Counter(reference) - collections.Counter(answer)
    by_length = [
        Tally(f"sources of {length} token{'s' * (length != 1)}", *counted)
        for length, counted in _shares(wrong, lengths)
    ]
    by_symbol = [
        Tally(f"the target symbol {symbol!r}", *counted)
        for symbol, counted in _shares(missing, symbols)
    ]
    return by_length + by_symbol


def _shares(errors: collections.Counter, everything: collections.Counter):
    for kind, count in errors.items():
        yield kind, (count, errors.total(), everything[kind] / everything.total())

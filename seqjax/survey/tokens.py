"""Texts as numbers: all tokens of a side in one array, so that counting them takes no loop."""

import collections
import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from seqjax.data.vocabulary import TokenKind, Vocabulary
from seqjax.survey.corpus import Split

PROBED = 2_000
"""Texts that are looked at to guess what a token is."""


class Ragged(NamedTuple):
    """Rows of unequal length, one after the other.

    Attributes:
      values: `[tokens]` of all rows.
      starts: `[rows + 1]` where each begins, and where the last ends.
    """

    values: np.ndarray
    starts: np.ndarray

    @property
    def lengths(self) -> np.ndarray:
        """`[rows]` tokens of each."""
        return np.diff(self.starts)

    @property
    def row_of(self) -> np.ndarray:
        """`[tokens]` the row that each token stands in."""
        return np.repeat(np.arange(len(self.starts) - 1), self.lengths)

    def row(self, number: int) -> np.ndarray:
        """`[time]` tokens of one row."""
        return self.values[self.starts[number] : self.starts[number + 1]]


class Side(NamedTuple):
    """One side of all splits, cut into tokens.

    Attributes:
      kind: What a token is.
      types: The distinct tokens; `types[n]` has the number n. They are numbered as they come,
        train first.
      rows: The texts of each split.
    """

    kind: TokenKind
    types: list[str]
    rows: dict[str, Ragged]

    @property
    def lengths(self) -> dict[str, np.ndarray]:
        """`[rows]` tokens of each text, by split."""
        return {name: rows.lengths for name, rows in self.rows.items()}

    def counts(self, split: str) -> np.ndarray:
        """`[types]` how often each occurs in a split."""
        return np.bincount(self.rows[split].values, minlength=len(self.types))


def guess_kind(texts: Sequence[str]) -> TokenKind:
    """Returns `words` for texts that are symbols or words with blanks between them, else `chars`.

    >>> guess_kind(["HH AH0 L OW1", "K AE1 T"]), guess_kind(["hello", "cat", "hot dog"])
    ('words', 'chars')
    """
    step = -(-len(texts) // PROBED)
    probed = texts[::step]
    return "words" if sum(len(text.split()) > 1 for text in probed) > len(probed) / 2 else "chars"


def cut_side(
    kind: TokenKind, texts: Mapping[str, Sequence[str]], *, subword_vocab: int = 8_000
) -> Side:
    """Cuts the texts of one side, split by split; subwords are learnt of the first split.

    `text_words` are lines of a running text, each with its line feed, which is a token.
    """
    cut: Callable[[str], list[str]] = str.split
    match kind:
        case "chars":
            return _cut_chars(texts)
        case "subwords":
            first = next(iter(texts.values()))
            cut = Vocabulary.build(first, kind, subword_vocab=subword_vocab).cut
        case "text_words":
            cut = _line_of_words
        case "label":
            cut = _whole
    numbers: dict[str, int] = collections.defaultdict(itertools.count().__next__)
    rows = {}
    for name, side in texts.items():
        cuts = [cut(text) for text in side]
        values = np.fromiter(map(numbers.__getitem__, itertools.chain(*cuts)), np.int64)
        rows[name] = Ragged(values, _starts(map(len, cuts)))
    return Side(kind, list(numbers), rows)


def cut_sides(
    splits: Mapping[str, Split], kinds: Mapping[str, TokenKind], subword_vocab: int
) -> dict[str, Side]:
    """Returns sides of pairs, of all splits, in tokens of the given kinds.

    Args:
      splits: Train first.
      kinds: Of `source` and `target`, or of one of them.
      subword_vocab: See `cut_side`.
    """
    found = {}
    for word, kind in kinds.items():
        texts = {
            name: split.sources if word == "source" else split.targets
            for name, split in splits.items()
        }
        found[word] = cut_side(kind, texts, subword_vocab=subword_vocab)
    return found


def characters(texts: Sequence[str]) -> Ragged:
    """Returns the code points of texts."""
    content = "".join(texts).encode("utf-32-le", "surrogatepass")
    return Ragged(np.frombuffer(content, "<u4").astype(np.int64), _starts(map(len, texts)))


def rows_with(texts: Sequence[str], pattern: str) -> list[int]:
    """Returns which of the texts a regular expression is found in."""
    search = re.compile(pattern).search
    return [row for row, text in enumerate(texts) if search(text)]


def _cut_chars(texts: Mapping[str, Sequence[str]]) -> Side:
    order: dict[int, int] = {}
    found = {}
    for name, side in texts.items():
        found[name] = characters(side)
        for point in np.unique(found[name].values).tolist():
            order.setdefault(point, len(order))
    table = np.zeros(max(order, default=0) + 1, np.int64)
    table[list(order)] = list(order.values())
    rows = {name: Ragged(table[each.values], each.starts) for name, each in found.items()}
    return Side("chars", [chr(point) for point in order], rows)


def _line_of_words(line: str) -> list[str]:
    return [*line.split(), "\n"] if line.endswith("\n") else line.split()


def _whole(text: str) -> list[str]:
    return [text]


def _starts(lengths) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(np.fromiter(lengths, np.int64))]).astype(np.int64)

"""Pairs of texts into ids and back, also where a decoder can copy tokens that it does not know."""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np

from seqjax.data.batching import Examples
from seqjax.data.chunks import Chunks
from seqjax.data.figures import Figures
from seqjax.data.ragged import Ragged
from seqjax.data.readers import Pairs
from seqjax.data.vocabulary import Vocabulary


@runtime_checkable
class Source(Protocol):
    """What knows how a source is read: a `Vocabulary`, or what turns names into vectors.

    Attributes:
      pad_id: What padding is filled with.
    """

    pad_id: int

    def encode(self, text: str) -> Any:
        """Returns the ids of a text, or the `[time, features]` vectors that it names."""
        ...

    def length(self, text: str) -> int:
        """Returns how many steps there are in a source."""
        ...

    def cut(self, text: str) -> list[str]:
        """Returns what to call the steps of a source."""
        ...

    def join(self, tokens: Sequence[str]) -> str:
        """Returns what to call several steps."""
        ...


class PairCoder:
    """What source and target texts are to a model.

    With copying, a source token has two ids: the one that the encoder reads, and the one by which
    the decoder writes it. What the target vocabulary does not know is written by the id
    `len(target vocabulary) + its first position in the source`.

    >>> source, target = Vocabulary("words", ("from", "to")), Vocabulary("words", ("nach", "Rom"))
    >>> coder = PairCoder(source, target, copying=True)
    >>> coder.source_ids("from Zoe to Zoe").tolist()
    [[4, 6], [3, 7], [5, 8], [3, 7]]
    >>> coder.source_ids("from Rom").tolist()  # both know Rom, or the target alone: no slot
    [[4, 6], [3, 5]]
    >>> coder.target_ids("Zoe nach Oslo", "from Zoe to Zoe").tolist()
    [7, 4, 3, 2]
    >>> coder.said([7, 4, 3, 2], "from Zoe to Zoe")
    ['Zoe', 'nach', '<unk>']

    Where sources are cut, what was cut off has no slot.

    >>> cut = PairCoder(source, target, copying=True, most_source=1)
    >>> cut.source_ids("from Zoe").tolist(), cut.target_ids("Zoe", "from Zoe").tolist()
    ([[4, 6]], [3, 2])

    Attributes:
      source, target: What each is read with.
      ends: Whether targets have EOS after them.
      most_source: Steps after which a source is cut; None if it never is.
    """

    def __init__(
        self,
        source: Source,
        target: Vocabulary | Chunks | Figures,
        *,
        copying: bool = False,
        ends: bool = True,
        most_source: int | None = None,
    ):
        """Args:
        source: Reads the source.
        target: Of the target.
        copying: Source tokens can be copied; the source is a `Vocabulary` then.
        ends: Targets have EOS after them.
        most_source: Tokens, or steps, after which a source is cut; by default it is not.
        """
        self.source, self._copying, self.ends = source, copying, ends
        self.most_source = most_source
        self.target: Any = target

    def fits(self, text: str, source_text: str) -> bool:
        """Returns whether a source can have such a target at all."""
        del text, source_text
        return True

    def cuts(self, source_text: str) -> bool:
        """Returns whether a source has more steps than are read of it."""
        if self.most_source is None or not source_text.strip():
            return False
        return self.source.length(source_text) > self.most_source

    def steps(self, source_text: str) -> list[str]:
        """Returns what to call the steps of a source that are read."""
        return self.source.cut(source_text)[: self.most_source]

    def source_ids(self, text: str) -> np.ndarray:
        """Returns `[time]` ids, or `[time, 2]` with copying; or `[time, features]` vectors."""
        read = self.source.encode(text)[: self.most_source]
        if isinstance(read, np.ndarray):
            return read
        if not self._copying:
            return np.array(read, np.int32)
        return np.array([read, self._written(text, text)[: len(read)]], np.int32).T

    def target_ids(self, text: str, source_text: str) -> np.ndarray:
        """Returns `[time]` ids, with EOS if they end; what can only be unknown is `unk_id`."""
        ids = self._written(text, source_text) if self._copying else self.target.encode(text)
        return np.array([*ids, self.target.eos_id] if self.ends else ids, np.int32)

    def said(self, ids: Iterable[int], source_text: str) -> list[str]:
        """Returns the tokens of an answer up to the first EOS; unknown ones are marked."""
        own = self.steps(source_text) if self._copying else ()
        return self.target.tokens_of(ids, own)

    def _written(self, text: str, source_text: str) -> list[int]:
        slots: dict[str, int] = {}
        for position, token in enumerate(self.steps(source_text)):
            slots.setdefault(token, len(self.target) + position)
        ids, unknown = self.target.ids, self.target.unk_id
        return [ids.get(token, slots.get(token, unknown)) for token in self.target.cut(text)]


class AlignedCoder(PairCoder):
    """The same where a target is cut into what each token of its source stands for."""

    def __init__(self, source: Source, target: Chunks, *, most_source: int | None = None):
        """Args:
        source: Reads the source, as ids.
        target: Of the target.
        most_source: As of `PairCoder`.
        """
        super().__init__(source, target, ends=False, most_source=most_source)

    def fits(self, text: str, source_text: str) -> bool:
        return self.target.fits(self.source.encode(source_text), text)

    def target_ids(self, text: str, source_text: str) -> np.ndarray:
        """Returns `[time]` ids of chunks, as many as the source has tokens."""
        return np.array(self.target.encode(self.source.encode(source_text), text), np.int32)


class FigureCoder(PairCoder):
    """The same where a target is a number."""

    def __init__(self, source: Source, target: Figures, *, most_source: int | None = None):
        """Args:
        source: Reads the source.
        target: Reads numbers.
        most_source: As of `PairCoder`.
        """
        super().__init__(source, target, ends=False, most_source=most_source)

    def target_ids(self, text: str, source_text: str) -> np.ndarray:
        """Returns `[1, 1]` the number, normalised, float32."""
        return self.target.encode(text)


def cut_note(cut: int, lines: int, most_source: int, what: str = "lines") -> str:
    """Says how many of so many lines, or of what else, had more steps than are read of a source."""
    return (
        f"note     {cut:,} of {lines:,} {what} are longer than --data.max-source {most_source}, cut"
    )


def encode_pairs(pairs: Pairs, coder: PairCoder) -> Examples:
    """Returns what sources and targets are to a model."""
    sources = [coder.source_ids(source) for source in pairs.sources]
    targets = [coder.target_ids(*both) for both in zip(pairs.targets, pairs.sources, strict=True)]
    return Examples(
        *(Ragged.of(side, side[0].dtype if side else np.int32) for side in (sources, targets))
    )

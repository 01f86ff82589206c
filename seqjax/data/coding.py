"""Pairs of texts into ids and back, also where a decoder can copy tokens that it does not know."""

from collections.abc import Iterable

import numpy as np

from seqjax.data.vocabulary import Vocabulary


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
    """

    def __init__(self, source: Vocabulary, target: Vocabulary, *, copying: bool = False):
        self.source, self.target, self._copying = source, target, copying

    def source_ids(self, text: str) -> np.ndarray:
        """Returns `[time]` ids, or `[time, 2]` with copying."""
        read = self.source.encode(text)
        if not self._copying:
            return np.array(read, np.int32)
        return np.array([read, self._written(text, text)], np.int32).T

    def target_ids(self, text: str, source_text: str) -> np.ndarray:
        """Returns `[time]` ids, EOS after them; what can only be unknown is `unk_id`."""
        ids = self._written(text, source_text) if self._copying else self.target.encode(text)
        return np.array([*ids, self.target.eos_id], np.int32)

    def said(self, ids: Iterable[int], source_text: str) -> list[str]:
        """Returns the tokens of an answer up to the first EOS; unknown ones are marked."""
        own = self.source.cut(source_text) if self._copying else ()
        return self.target.tokens_of(ids, own)

    def _written(self, text: str, source_text: str) -> list[int]:
        slots: dict[str, int] = {}
        for position, token in enumerate(self.source.cut(source_text)):
            slots.setdefault(token, len(self.target) + position)
        ids, unknown = self.target.ids, self.target.unk_id
        return [ids.get(token, slots.get(token, unknown)) for token in self.target.cut(text)]

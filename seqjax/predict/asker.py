"""Requests into what a search is asked: ids, limits, keys, and what an answer must hold."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from seqjax.build.search import Asked, Rules
from seqjax.config import DecodeConfig
from seqjax.data.coding import PairCoder
from seqjax.decode.required import Required
from seqjax.predict.answer import Request
from seqjax.predict.room import padded, row_keys
from seqjax.types import Padded


class Read(NamedTuple):
    """A request as the models read it.

    Attributes:
      request: What is asked.
      sources: Ids of the source, one for each model.
    """

    request: Request
    sources: tuple[np.ndarray, ...]

    @property
    def length(self) -> int:
        """Tokens of the source that the first model reads."""
        return len(self.sources[0])


class Trouble(NamedTuple):
    """Why no answer can hold what a request wants.

    Attributes:
      of_prefix: True if it is the prefix, False if it is a required phrase.
      why: In words.
    """

    of_prefix: bool
    why: str


class Asker:
    """Knows what texts are to the models that answer, and how long answers may be."""

    def __init__(
        self,
        coders: Sequence[PairCoder],
        config: DecodeConfig,
        rules: Rules,
        *,
        longest_target: int,
    ):
        """Args:
        coders: One for each model; their target vocabularies are the same.
        config: How to search.
        rules: Ids that the search must know.
        longest_target: Tokens of the longest training target, EOS included.
        """
        self._coders, self._config, self._rules = tuple(coders), config, rules
        self._target, self._longest_target = coders[0].target, longest_target
        self._draws = config.method in ("sample", "stochastic_beam")

    def read(self, request: Request) -> Read:
        """Returns a request with its source as ids."""
        return Read(request, tuple(coder.source_ids(request.text) for coder in self._coders))

    def cuts(self, text: str) -> bool:
        """Returns whether a source has more steps than any of the models reads."""
        return any(coder.cuts(text) for coder in self._coders)

    def limit(self, source_lengths):
        """Returns the most tokens, EOS counted, of an answer to a source of this many."""
        config = self._config
        added = np.floor(config.max_length_ratio * source_lengths).astype(np.int32)
        if config.max_length is not None:
            return config.max_length + added
        return np.maximum(self._longest_target, 2 * source_lengths).astype(np.int32) + 10 + added

    def asked(
        self,
        reads: Sequence[Read],
        numbers: Sequence[int],
        size: int,
        like: Sequence[Read] = (),
    ) -> tuple[tuple[Padded, ...], Asked]:
        """Returns the sources as each model reads them, and what else belongs to the sentences.

        Args:
          reads: What is asked.
          numbers: Of the requests, for draws.
          size: Rows; those beyond the requests are empty.
          like: All that these are a part of: what any of them wants, the others have room for.
        """
        sources = tuple(
            padded([read.sources[number] for read in reads], size, coder.source.pad_id)
            for number, coder in enumerate(self._coders)
        )
        requests, lengths = [read.request for read in reads], sources[0].lengths
        prefixed = any(read.request.prefix for read in like or reads)
        requiring = any(read.request.required for read in like or reads)
        return sources, Asked(
            memory=(),
            limits=np.where(lengths > 0, self.limit(lengths), 0).astype(np.int32),
            keys=row_keys(self._config.seed, numbers, size) if self._draws else (),
            source=self._as_target(requests, sources[0].values.shape[1], size),
            prefix=self._prefixes(requests, size) if prefixed else (),
            required=self._required(requests, size) if requiring else (),
        )

    def trouble(self, request: Request) -> Trouble | None:
        """Returns why no answer can hold what a request wants; None if one can."""
        limit = int(self.limit(np.array(self.read(request).length)))
        prefix = self._said(request.prefix, request)
        why = self._why_not("prefix", request.prefix, prefix)
        if why is None and len(prefix) >= limit:
            why = _too_long(len(prefix) + 1, limit)
        if why is not None:
            return Trouble(True, why)
        needed = len(prefix) + 1
        for text in request.required:
            phrase = self._said(text, request)
            why = self._why_not("phrase", text, phrase) if phrase else "a phrase is empty"
            needed += len(phrase)
            if why is None and needed > limit:
                why = _too_long(needed, limit)
            if why is not None:
                return Trouble(False, why)
        return None

    def _why_not(self, what: str, text: str, ids: list[int]) -> str | None:
        unknown = self._target.unk_id
        if unknown in ids:
            token = self._target.cut(text)[ids.index(unknown)]
            return f"the {what} {text!r} has {token!r}, which the target vocabulary lacks"
        return f"the {what} {text!r} is forbidden, too" if self._rules.forbids(ids) else None

    def _said(self, text: str, request: Request) -> list[int]:
        """Returns a part of an answer as ids."""
        return self._coders[0].target_ids(text, request.text)[:-1].tolist()

    def _as_target(self, requests: Sequence[Request], width: int, size: int) -> Padded | tuple[()]:
        """Returns sources in ids of the target vocabulary, without what it does not know."""
        config = self._config
        if config.encoder_repetition_penalty == 1.0 and not config.encoder_no_repeat_ngram:
            return ()
        unknown = self._target.unk_id
        texts = [request.text for request in requests]
        ids = [[one for one in self._target.encode(text) if one != unknown] for text in texts]
        return padded([one[:width] for one in ids], size, self._target.pad_id)

    def _prefixes(self, requests: Sequence[Request], size: int) -> Padded:
        ids = [self._said(request.prefix, request) for request in requests]
        return padded(ids, size, self._target.pad_id)

    def _required(self, requests: Sequence[Request], size: int) -> Required:
        phrases = [
            [self._said(phrase, request) for phrase in request.required] for request in requests
        ]
        count = max(1, *map(len, phrases))
        longest = max([len(phrase) for of_one in phrases for phrase in of_one], default=1)
        values = np.full((size, count, longest), self._target.pad_id, np.int32)
        lengths = np.zeros((size, count), np.int32)
        for row, of_one in enumerate(phrases):
            for place, phrase in enumerate(of_one):
                values[row, place, : len(phrase)] = phrase
                lengths[row, place] = len(phrase)
        return Required(values, lengths)


def _too_long(needed: int, limit: int) -> str:
    return f"it needs {needed} tokens, EOS counted, and there is room for {limit}"

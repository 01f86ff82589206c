"""Targets as chunks: what each token of their source stands for."""

import collections
import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from seqjax.data.alignment import Chunk, best_cut, learn_emissions
from seqjax.data.vocabulary import SPECIALS, TokenKind, Vocabulary
from seqjax.errors import InputError
from seqjax.files import parse_json, read_text

LEAST = -20.0
"""Log-probability, in nats, of the least likely chunk of a source token that is remembered."""
UNSEEN, STRANGE = 1.5 * LEAST, 3.0 * LEAST
"""What counts for a chunk that a source token never stood for, and for one that none ever did."""
SHOWN_EMPTY = "-"
"""What the empty chunk is called."""


class Chunks:
    """The chunks that source tokens stand for, their ids, and how a target is cut into them.

    What is said of it as of a text (`cut`, `join`, `tokens_of`) is said of the tokens of a target,
    not of chunks. The specials of a `Vocabulary` have the first ids.

    Attributes:
      units: Cuts texts into target tokens; it knows none.
      most: Target tokens of the longest chunk.
      chunks: In the order of their ids.
      tokens: Their names.
      emissions: By source id and chunk, log-probabilities in nats.
    """

    pad_id, bos_id, eos_id, unk_id = range(4)
    specials = len(SPECIALS)

    def __init__(
        self,
        kind: TokenKind,
        most: int,
        chunks: Sequence[Chunk],
        emissions: Mapping[int, Mapping[Chunk, float]],
    ):
        """Args:
        kind: What a target token is: `chars` or `words`.
        most: Target tokens of the longest chunk.
        chunks: Distinct ones.
        emissions: Of these chunks.
        """
        self.units, self.most, self.chunks = Vocabulary(kind, ()), most, tuple(chunks)
        self.emissions = emissions
        self.tokens = tuple(" ".join(map(str, chunk)) or SHOWN_EMPTY for chunk in chunks)
        self._ids = {chunk: number for number, chunk in enumerate(chunks, start=self.specials)}

    @classmethod
    def build(
        cls,
        pairs: Iterable[tuple[Sequence[int], str]],
        kind: TokenKind,
        *,
        most: int,
        min_count: int = 1,
    ) -> "Chunks":
        """Returns the chunks that targets of training are cut into, the most frequent first.

        Args:
          pairs: Ids of a source, and a target; those that cannot be aligned are passed over.
          kind: What a target token is.
          most: Target tokens of the longest chunk.
          min_count: Rarer chunks are none: their targets are cut otherwise, if they can be.

        Raises:
          InputError: If no pair can be aligned, or no chunk is left.
        """
        cut = Vocabulary(kind, ()).cut
        cuts = ((source, tuple(cut(target))) for source, target in pairs)
        kept = [(source, target) for source, target in cuts if len(target) <= most * len(source)]
        kept = [(source, target) for source, target in kept if source]
        if not kept:
            raise InputError(
                f"no target of the training data has at most {most} tokens for each of its source; "
                "raise --data.max-chunk, or leave --model.decoder aligned out"
            )
        units = sorted({unit for _, target in kept for unit in target})
        ids = {unit: number for number, unit in enumerate(units)}
        found = learn_emissions(
            [np.array(source, np.int64) for source, _ in kept],
            [np.array([ids[unit] for unit in target], np.int64) for _, target in kept],
            most,
        )
        everything = [tuple(units[unit] for unit in chunk) for chunk in found.chunks]
        entries = zip(
            found.source_ids.tolist(),
            found.chunk_ids.tolist(),
            found.log_probs.tolist(),
            strict=True,
        )
        emissions = collections.defaultdict(dict)
        for source_id, chunk_id, log_prob in entries:
            if log_prob >= LEAST:
                emissions[source_id][everything[chunk_id]] = round(log_prob, 4)
        first = cls(kind, most, everything, emissions)
        counts = collections.Counter(
            chunk for source, target in kept for chunk in first.align(source, target)
        )
        chunks = [chunk for chunk, count in counts.items() if count >= min_count]
        if not chunks:
            raise InputError(
                f"no chunk occurs {min_count} times in the training data; lower --data.min-count"
            )
        chunks.sort(key=lambda chunk: (-counts[chunk], chunk))
        among = set(chunks)
        left = {
            source_id: {chunk: one for chunk, one in given.items() if chunk in among}
            for source_id, given in sorted(emissions.items())
        }
        return cls(kind, most, chunks, left)

    def __len__(self) -> int:
        return self.specials + len(self.chunks)

    def cut(self, text: str) -> list[str]:
        """Returns the tokens of a target."""
        return self.units.cut(text)

    def join(self, tokens: Sequence[str]) -> str:
        """Returns the text of target tokens."""
        return self.units.join(tokens)

    def fits(self, source: Sequence[int], text: str) -> bool:
        """Returns whether a target can be cut into as many chunks as its source has tokens."""
        return len(self.cut(text)) <= self.most * len(source)

    def encode(self, source: Sequence[int], text: str) -> list[int]:
        """Returns the ids of the chunks of a target, one for each token of its source.

        It is the likeliest cut. A chunk that is none of training is unknown, and avoided.

        Args:
          source: Ids.
          text: A target that fits.
        """
        found = self.align(source, tuple(self.cut(text)))
        return [self._ids.get(chunk, self.unk_id) for chunk in found]

    def align(self, source: Sequence[int], target: Chunk) -> list[Chunk]:
        """Returns the likeliest cut of a target that fits into the chunks of its source."""
        return best_cut(source, target, self._score, self.most)

    def tokens_of(self, ids: Iterable[int], beyond: Sequence[str] = ()) -> list[str]:
        """Returns the target tokens that chunks are made of; specials have none."""
        del beyond
        known = (one - self.specials for one in ids if one >= self.specials)
        return [str(unit) for one in known for unit in self.chunks[one]]

    def fingerprint(self) -> str:
        """Returns the SHA-256 of all that decides which ids a target has, in hexadecimal."""
        return hashlib.sha256(json.dumps(self._document()).encode()).hexdigest()

    def save(self, directory: Path, name: str) -> None:
        """Writes `<name>.json` into `directory`."""
        document = self._document() | {"fingerprint": self.fingerprint()}
        text = json.dumps(document, ensure_ascii=False) + "\n"
        (directory / f"{name}.json").write_text(text, encoding="utf-8", newline="\n")

    @classmethod
    def load(cls, directory: Path, name: str) -> "Chunks":
        """Reads what `save` wrote.

        Raises:
          InputError: With the file, if anything about it is not as `save` writes it.
        """
        path = directory / f"{name}.json"
        try:
            document = parse_json(read_text(path))
            found = cls(*_checked(document))
        except ValueError as error:
            raise InputError(f"{path}: no chunks ({error}); restore the file") from None
        if found.fingerprint() != document["fingerprint"]:
            raise InputError(f"{path}: changed since it was written; restore the file")
        return found

    def _score(self, source_id: int, chunk: Chunk) -> float:
        score = self.emissions.get(source_id, {}).get(chunk)
        if score is not None:
            return score
        return UNSEEN if chunk in self._ids else STRANGE

    def _document(self) -> dict[str, Any]:
        emissions = [
            [source_id, self._ids[chunk] - self.specials, log_prob]
            for source_id, given in sorted(self.emissions.items())
            for chunk, log_prob in sorted(given.items())
        ]
        return {
            "format_version": 1,
            "kind": self.units.kind,
            "most": self.most,
            "chunks": [list(chunk) for chunk in self.chunks],
            "emissions": emissions,
        }


def _checked(document: Any) -> tuple[Any, int, list[Chunk], dict[int, dict[Chunk, float]]]:
    """Returns what makes `Chunks`, or raises ValueError."""
    fields = {"format_version", "kind", "most", "chunks", "emissions", "fingerprint"}
    if not isinstance(document, dict) or set(document) != fields:
        raise ValueError(f"its fields must be {sorted(fields)}")
    if document["format_version"] != 1:
        raise ValueError(f"format_version must be 1, got {document['format_version']!r}")
    if document["kind"] not in ("chars", "words"):
        raise ValueError(f"unknown kind {document['kind']!r}")
    most = document["most"]
    if type(most) is not int or most < 1:
        raise ValueError("most must be at least 1")
    chunks = list(_chunks(document["chunks"], most))
    if not chunks or len(set(chunks)) < len(chunks):
        raise ValueError("there must be chunks, each of them once")
    emissions: dict[int, dict[Chunk, float]] = collections.defaultdict(dict)
    if not isinstance(document["emissions"], list):
        raise ValueError("emissions must be a list")
    for entry in document["emissions"]:
        if not (isinstance(entry, list) and list(map(type, entry)) == [int, int, float]):
            raise ValueError(f"{entry!r} is no emission")
        source_id, chunk_id, log_prob = entry
        if source_id < 0 or not 0 <= chunk_id < len(chunks) or not math.isfinite(log_prob):
            raise ValueError(f"{entry!r} is no emission")
        emissions[source_id][chunks[chunk_id]] = log_prob
    return document["kind"], most, chunks, emissions


def _chunks(given: Any, most: int) -> Iterator[Chunk]:
    for chunk in given if isinstance(given, list) else ():
        if not isinstance(chunk, list) or len(chunk) > most:
            raise ValueError(f"{chunk!r} is no chunk")
        if not all(isinstance(unit, str) and unit for unit in chunk):
            raise ValueError(f"{chunk!r} is no chunk")
        yield tuple(chunk)

"""Training text into vocabularies and ids: in memory, or once for all in a store on disk.

Text is gone through line by line, so that of a stream neither it nor its ids are ever all in
memory.
"""

import contextlib
import dataclasses
import hashlib
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from seqjax.config import Config, DataConfig
from seqjax.data.batching import Examples
from seqjax.data.chunks import Chunks
from seqjax.data.coding import PairCoder
from seqjax.data.ragged import Ragged, RowWriter
from seqjax.data.sides import Side, SideKind, build_side, holds_floats, load_side
from seqjax.data.store import stored
from seqjax.errors import InputError

SIDES = ("source", "target")
PairsFn = Callable[[], Iterable[tuple[str, str]]]
"""Goes through all pairs from the beginning, each time that it is called."""
CoderFn = Callable[[Mapping[str, Any]], PairCoder]
"""Returns what texts are to a model of some vocabularies."""


class Coded(NamedTuple):
    """Training data as ids.

    Attributes:
      vocabularies: By side; `text` of a running text.
      content: `Examples`, or `[tokens]` of a running text.
      fingerprint: SHA-256 of text and vocabularies: two runs with the same one learn from the same.
      pairs, too_long: How many there were, and of these had too many tokens and were left out.
      unaligned: How many more were left out because their source can have no such target.
      skipped: Lines that were left out because they could not be used.
    """

    vocabularies: dict[str, Any]
    content: Any
    fingerprint: str
    pairs: int = 0
    too_long: int = 0
    unaligned: int = 0
    skipped: int = 0


def code_pairs(
    config: Config,
    pairs_fn: PairsFn,
    skipped_fn: Callable[[], int],
    kinds: Mapping[str, SideKind],
    coder_fn: CoderFn,
) -> Coded:
    """Returns pairs as `Examples`, without those that are too long.

    Args:
      config: With `data.store` they are kept there, and looked for there before.
      pairs_fn: The training pairs.
      skipped_fn: Lines that the last pass left out.
      kinds: Of the tokens of each side that has a vocabulary.
      coder_fn: See `CoderFn`.

    Raises:
      InputError: If nothing is left, or the store cannot be used.
    """
    if config.data.store is None:
        streams = {side: io.BytesIO() for side in SIDES}
        vocabularies = _pair_vocabularies(config.data, pairs_fn, kinds)
        dtypes = {
            side: np.float32 if holds_floats(kind) else np.int32 for side, kind in kinds.items()
        }
        writers = {side: RowWriter(streams[side].write, dtypes[side]) for side in SIDES}
        notes = _write_pairs(config, pairs_fn(), coder_fn(vocabularies), writers)
        content = Examples(
            *(
                writers[side].over(np.frombuffer(streams[side].getbuffer(), dtypes[side]))
                for side in SIDES
            )
        )
        notes["skipped"] = skipped_fn()
    else:

        def make(folder: Path) -> dict[str, Any]:
            made = _pair_vocabularies(config.data, pairs_fn, kinds)
            _save_vocabularies(folder, made)
            with contextlib.ExitStack() as files:
                opened = {
                    side: files.enter_context((folder / f"{side}.ids").open("wb")) for side in SIDES
                }
                writers = {side: RowWriter(file.write) for side, file in opened.items()}
                found = _write_pairs(config, pairs_fn(), coder_fn(made), writers)
            for side, writer in writers.items():
                writer.offsets.tofile(folder / f"{side}.offsets")
            return found | {"skipped": skipped_fn()}

        folder = Path(config.data.store)
        notes = stored(folder, config.train, _settings(config), make)
        vocabularies = {side: load_side(folder, side, kinds[side]) for side in SIDES}
        values = {side: np.memmap(folder / f"{side}.ids", np.int32, "r") for side in SIDES}
        offsets = {side: np.fromfile(folder / f"{side}.offsets", np.int64) for side in SIDES}
        if config.model.copying:
            values = values | {"source": values["source"].reshape(-1, 2)}
        content = Examples(*(Ragged(values[side], offsets[side]) for side in SIDES))
    counts = {name: notes[name] for name in ("pairs", "too_long", "unaligned", "skipped")}
    return Coded(vocabularies, content, _fingerprint(notes["digests"], vocabularies), **counts)


def code_text(config: Config, lines_fn: Callable[[], Iterable[str]], kind: SideKind) -> Coded:
    """Returns a running text as `[tokens]` ids.

    Args:
      config: As in `code_pairs`.
      lines_fn: Its lines, each with the line feed that ends it, each time from the beginning.
      kind: Of its tokens.

    Raises:
      InputError: If no token is left, or the store cannot be used.
    """
    if config.data.store is None:
        stream, vocabulary = io.BytesIO(), _text_vocabulary(config.data, lines_fn, kind)
        notes = _write_text(lines_fn(), vocabulary, stream.write)
        tokens = np.frombuffer(stream.getbuffer(), np.int32)
    else:

        def make(folder: Path) -> dict[str, Any]:
            made = _text_vocabulary(config.data, lines_fn, kind)
            _save_vocabularies(folder, {"text": made})
            with (folder / "text.ids").open("wb") as file:
                return _write_text(lines_fn(), made, file.write)

        folder = Path(config.data.store)
        notes = stored(folder, config.train, _settings(config), make)
        vocabulary = load_side(folder, "text", kind)
        tokens = np.memmap(folder / "text.ids", np.int32, "r")
    vocabularies = {"text": vocabulary}
    return Coded(vocabularies, tokens, _fingerprint(notes["digests"], vocabularies))


def lines_of(text: str) -> Iterator[str]:
    """Yields the lines of a text with the line feeds that end them.

    >>> list(lines_of("a\\n\\nb"))
    ['a\\n', '\\n', 'b']
    """
    return iter(io.StringIO(text, newline="\n"))


@dataclasses.dataclass(frozen=True)
class _Texts:
    """The texts of one side of pairs, from the beginning each time."""

    pairs_fn: PairsFn
    side: int

    def __iter__(self) -> Iterator[str]:
        return (pair[self.side] for pair in self.pairs_fn())


@dataclasses.dataclass(frozen=True)
class _Lines:
    """Lines, from the beginning each time."""

    lines_fn: Callable[[], Iterable[str]]

    def __iter__(self) -> Iterator[str]:
        return iter(self.lines_fn())


def _pair_vocabularies(
    data: DataConfig, pairs_fn: PairsFn, kinds: Mapping[str, SideKind]
) -> dict[str, Any]:
    found: dict[str, Any] = {
        side: build_side(_Texts(pairs_fn, SIDES.index(side)), kind, data)
        for side, kind in kinds.items()
        if kind != "chunks"
    }
    if kinds["target"] == "chunks":
        read = found["source"].encode
        found["target"] = Chunks.build(
            ((read(source), target) for source, target in pairs_fn()),
            data.target_tokens,
            most=data.max_chunk,
            min_count=data.min_count,
        )
    return found


def _text_vocabulary(
    data: DataConfig, lines_fn: Callable[[], Iterable[str]], kind: SideKind
) -> Side:
    return build_side(_Lines(lines_fn), kind, data)


def _write_pairs(
    config: Config,
    pairs: Iterable[tuple[str, str]],
    coder: PairCoder,
    writers: dict[str, RowWriter],
) -> dict[str, Any]:
    data = config.data
    digests = [hashlib.sha256() for _ in SIDES]
    count = too_long = unaligned = 0
    for pair in pairs:
        for digest, text in zip(digests, pair, strict=True):
            digest.update(text.encode("utf-8", "surrogatepass") + b"\0")
        source = coder.source_ids(pair[0])
        if source.dtype != np.int32:  # the text of a source only names it
            digests[0].update(source.tobytes())
        count += 1
        if not coder.fits(pair[1], pair[0]):
            unaligned += 1
            continue
        target = coder.target_ids(pair[1], pair[0])
        if len(source) > data.max_source or len(target) - coder.ends > data.max_target:
            too_long += 1
        else:
            writers["source"].add(source)
            writers["target"].add(target)
    if count == too_long + unaligned:
        raise InputError(
            f"all {too_long} training pairs are longer than --data.max-source {data.max_source} "
            f"or --data.max-target {data.max_target}"
        )
    found = [digest.hexdigest() for digest in digests]
    return {"pairs": count, "too_long": too_long, "unaligned": unaligned, "digests": found}


def _write_text(
    lines: Iterable[str], vocabulary: Any, write_fn: Callable[[bytes], Any]
) -> dict[str, Any]:
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line.encode("utf-8", "surrogatepass"))
        write_fn(np.array(vocabulary.encode(line), np.int32).tobytes())
    return {"digests": [digest.hexdigest()]}


def _save_vocabularies(folder: Path, vocabularies: dict[str, Any]) -> None:
    for name, vocabulary in vocabularies.items():
        vocabulary.save(folder, name)


def _settings(config: Config) -> dict[str, Any]:
    """All that decides which ids a text becomes."""
    names = ("source_tokens", "target_tokens", "min_count", "subword_vocab", "lowercase")
    names += ("max_source", "max_target", "max_chunk", "long_sources", "on_bad_line")
    settings = {name: getattr(config.data, name) for name in names}
    model = {name: getattr(config.model, name) for name in ("copying", "decoder")}
    return {"task": config.task, **model, **settings}


def _fingerprint(digests: list[str], vocabularies: dict[str, Any]) -> str:
    parts = [*digests, *(vocabularies[name].fingerprint() for name in sorted(vocabularies))]
    return hashlib.sha256("".join(parts).encode()).hexdigest()

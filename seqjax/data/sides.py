"""What the sources or targets of a task are to a model, whatever they are: tokens or vectors."""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal, get_args

from seqjax.config import DataConfig
from seqjax.config.data import VectorKind
from seqjax.data.chunks import Chunks
from seqjax.data.figures import Figures
from seqjax.data.frames import Frames
from seqjax.data.vocabulary import CLOSED, TokenKind, Vocabulary

ChunkKind = Literal["chunks"]
FigureKind = Literal["number"]
SideKind = Literal[TokenKind, VectorKind, ChunkKind, FigureKind]
"""`chunks` are what each token of a source stands for; see `Chunks`. A `number` is a whole text."""
Side = Vocabulary | Frames | Chunks | Figures


def holds_vectors(kind: SideKind) -> bool:
    """Returns whether texts of such a side name vectors."""
    return kind in get_args(VectorKind)


def holds_floats(kind: SideKind) -> bool:
    """Returns whether what a model reads or says on such a side is numbers, and no ids."""
    return kind == "number" or holds_vectors(kind)


def build_side(texts: Iterable[str], kind: SideKind, data: DataConfig) -> Side:
    """Returns how the texts of one side are read, given those of training.

    Raises:
      InputError: If they cannot be, or no token is left.
      ValueError: If they are chunks, which no side has by itself.
    """
    if kind == "chunks":
        raise ValueError("kind must be that of one side, got chunks, which Chunks.build makes")
    if kind == "number":
        return Figures.build(texts)
    if holds_vectors(kind):
        return Frames.build(texts, kind, bands=data.mel_bands)  # pyright: ignore[reportArgumentType]
    return Vocabulary.build(
        texts,
        kind,  # pyright: ignore[reportArgumentType]
        min_count=1 if kind in CLOSED else data.min_count,
        subword_vocab=data.subword_vocab,
    )


def load_side(directory: Path, name: str, kind: SideKind) -> Side:
    """Reads what a side's `save` wrote.

    Raises:
      InputError: If it is not as it was written.
    """
    if kind == "chunks":
        return Chunks.load(directory, name)
    if kind == "number":
        return Figures.load(directory, name)
    return (Frames if holds_vectors(kind) else Vocabulary).load(directory, name)

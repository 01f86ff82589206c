"""What the sources or targets of a task are to a model, whatever they are: tokens or vectors."""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal, get_args

from seqjax.config import DataConfig
from seqjax.data.frames import FrameKind, Frames
from seqjax.data.vocabulary import CLOSED, TokenKind, Vocabulary

SideKind = Literal[TokenKind, FrameKind]
Side = Vocabulary | Frames


def holds_vectors(kind: SideKind) -> bool:
    """Returns whether texts of such a side name vectors."""
    return kind in get_args(FrameKind)


def build_side(texts: Iterable[str], kind: SideKind, data: DataConfig) -> Side:
    """Returns how the texts of one side are read, given those of training.

    Raises:
      InputError: If they cannot be, or no token is left.
    """
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
    return (Frames if holds_vectors(kind) else Vocabulary).load(directory, name)

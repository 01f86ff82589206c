"""Tags that mark spans, and which of them can follow each other."""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from seqjax.data.vocabulary import TokenKind, Vocabulary
from seqjax.types import Transitions

TagScheme = Literal["bio", "bioes", "iob"]


def token_and_tag_counts(source: str, target: str, kind: TokenKind) -> tuple[int, int]:
    """Returns how many tokens a text has, and how many tags; they must be as many.

    >>> token_and_tag_counts("to Rome", "O B-city", "words")
    (2, 2)
    """
    return len(Vocabulary(kind, ()).cut(source)), len(target.split())


def allowed_transitions(tags: Sequence[str], scheme: TagScheme) -> Transitions:
    """Returns where a tag may begin a sequence, end one, and follow another one.

    A tag is `O`, or a letter and the type of the span with a dash between. In `bio` (IOB2) a span
    begins with B and goes on with I. In `bioes` one of several tokens ends with E, one of a single
    token is S, and no span is left open. In `iob` (IOB1) a span begins with I, and with B only
    where it follows another span of its type at once. `B` and the like without a type are of the
    empty type.

    Args:
      tags: Names, in the order of their ids.
      scheme: Which.

    Raises:
      ValueError: If a name is none of the scheme.

    >>> allowed_transitions(["O", "B-x", "I-x"], "bio").between.astype(int).tolist()
    [[1, 1, 0], [1, 1, 1], [1, 1, 1]]

    References:
      Ramshaw & Marcus, "Text chunking using transformation-based learning", 1995; Tjong Kim Sang &
      Veenstra, "Representing text chunks", 1999, for the names of the schemes.
    """
    letters = {"bio": "BIO", "bioes": "BIOES", "iob": "IBO"}[scheme]
    parts = [_parts(tag, letters) for tag in tags]
    outside = ("O", "")
    return Transitions(
        start=np.array([_may_follow(outside, part, scheme) for part in parts]),
        end=np.array([_may_follow(part, outside, scheme) for part in parts]),
        between=np.array([[_may_follow(one, two, scheme) for two in parts] for one in parts]),
    )


def _parts(tag: str, letters: str) -> tuple[str, str]:
    letter, _, kind = tag.partition("-")
    if letter not in letters or len(letter) != 1 or (letter == "O" and kind):
        raise ValueError(f"tags must be O or one of {letters} with a type, as B-x, got {tag!r}")
    return letter, kind


def _may_follow(one: tuple[str, str], other: tuple[str, str], scheme: TagScheme) -> bool:
    """Outside of sequences it is as after, or before, `O`."""
    (before, kind_before), (letter, kind) = one, other
    same = kind_before == kind
    match scheme:
        case "bio":
            return letter != "I" or (before in "BI" and same)
        case "bioes":
            if before in "BI":
                return letter in "IE" and same
            return letter not in "IE"
        case "iob":
            return letter != "B" or (before in "BI" and same)

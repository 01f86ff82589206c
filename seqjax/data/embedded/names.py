"""Names of vectors that are made and not read: `morse:SOS` is a recording, without a file."""

import hashlib
from pathlib import Path
from typing import Literal, get_args

import numpy as np

Scheme = Literal["morse", "image", "adding"]
"""What may stand before the colon. A file whose name begins so is written `./morse:SOS`."""


def made_name(name: str) -> tuple[Scheme, str] | None:
    """Returns the scheme and what follows it, or None if the name is that of a file.

    >>> made_name("morse:SOS#7"), made_name("./morse:SOS"), made_name("one.wav")
    (('morse', 'SOS#7'), None, None)
    """
    scheme, colon, what = name.partition(":")
    if not colon or scheme not in get_args(Scheme):
        return None
    return scheme, what  # pyright: ignore[reportReturnType]


def beside(folder: Path, name: str) -> str:
    """Returns a name that stands in a file of this folder, as seen from the working directory."""
    return name if made_name(name) else str(folder / name)


def chance(what: str) -> tuple[str, np.random.Generator]:
    """Returns what stands before a `#`, and where to draw from: a function of all of the text.

    >>> chance("SOS#7")[0], chance("SOS#7")[1].random() == chance("SOS#8")[1].random()
    ('SOS', False)
    """
    seed = hashlib.sha256(what.encode()).digest()
    return what.partition("#")[0], np.random.default_rng(list(seed))

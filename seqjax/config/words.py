"""How many words a setting may be given on the command line."""

from typing import Annotated

ANY_NUMBER = "any number of words"
"""Marks a tuple that takes all words up to the next flag. Others take files: one or two."""

Patterns = Annotated[tuple[str, ...], ANY_NUMBER]
"""Paths of weights, or beginnings of paths, with * for anything; see `seqjax.train.paths`."""

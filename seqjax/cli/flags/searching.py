"""Flags of how answers are searched for, and of what has a say beside the model."""

import dataclasses
from dataclasses import dataclass
from typing import Literal

from seqjax.cli.flags.check import at_least_one
from seqjax.cli.reading import unset
from seqjax.config import DecodeConfig
from seqjax.errors import InputError

_DIVISIBLE = 720_720
"""A beam that is divided by all numbers up to 16."""


@dataclass(frozen=True)
class BesideFlags:
    """What has a say beside the model."""

    forbid: str | None = None
    """File with words and phrases, one a line, that no answer may hold."""
    lexicon: str | None = None
    """File of `source token<TAB>target token` lines, for --unknown replace."""
    language_model: str | None = None
    """Run directory of a language model that is listened to at every step (shallow fusion)."""
    language_weight: float = 0.2
    """What its log-probabilities are multiplied by."""
    consensus: Literal["none", "bleu", "chrf", "edit"] = "none"
    """Put that of the n best answers first which is most like all of them, each counted by its
    probability (minimum Bayes risk)."""
    rerank: str | None = None
    """Run directory of a model, text-to-text or language model, that has a say in the order of the
    n best answers."""
    rerank_weight: float = 0.5
    """What its scores are multiplied by before they are added."""
    keep: int | None = None
    """How many of the n best are given, after their order has been decided; by default all."""

    def __post_init__(self):
        at_least_one("keep", self.keep)
        for name in ("language_weight", "rerank_weight"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must be at least 0, got {getattr(self, name)}")


@dataclass(frozen=True)
class SearchFlags(unset(DecodeConfig)):
    """How answers are searched for; what is not given is as in the run's config.
    docs/decoding.md has the formulas."""

    def __post_init__(self):
        # What the run says of the others is not known yet: each setting is looked at by itself, and
        # `decode_config` looks at all of them where the run is known.
        for name, value in vars(self).items():
            if value is not None:
                groups = 2 if name == "diversity" else 1
                anything = DecodeConfig(beam_size=_DIVISIBLE, beam_groups=groups)
                dataclasses.replace(anything, **{name: value})


def decode_config(config: DecodeConfig, flags: SearchFlags) -> DecodeConfig:
    """Returns the `decode` part of a run's config with what `flags` give on top of it.

    Raises:
      InputError: If the two do not go together (`--n-best 7` with a beam of 5).

    >>> decode_config(DecodeConfig(), SearchFlags(beam_size=3)).beam_size
    3
    """
    names = {entry.name for entry in dataclasses.fields(config)}
    given = {name: value for name, value in vars(flags).items() if name in names}
    given = {name: value for name, value in given.items() if value is not None}
    try:
        return dataclasses.replace(config, **given)
    except ValueError as error:
        raise InputError(str(error)) from None

"""From configuration to the text of training, validation and test: files, or what is built in."""

from typing import Any

import numpy as np

from seqjax.config import Config
from seqjax.data.dates import make_dates
from seqjax.data.docs import english_manual
from seqjax.data.readers import Pairs, PairStream, Splits, TextStream, read_pairs, read_text
from seqjax.data.toy import make_pairs
from seqjax.errors import InputError

VALID_SHARE, MOST_VALID = 0.05, 2_000
"""Of the training examples, held out for validation when no validation data is given."""


def pair_splits(config: Config) -> Splits:
    """Returns pairs; those of training are a `PairStream` where they are kept in a store.

    Raises:
      InputError: If a file cannot be used, or is too short to hold some out.
    """
    data = config.data
    if not config.train:
        match data.embedded:
            case "dates":
                return make_dates(data.examples, seed=config.seed)
            case "copy" | "reverse":
                return make_pairs(
                    data.embedded,
                    examples=data.examples,
                    min_length=data.min_length,
                    max_length=data.max_length,
                    seed=config.seed,
                )
            case "docs":
                raise InputError(
                    "--data.embedded docs is a running text; it needs --task language-model"
                )
    reading: Any = {"on_bad_line": data.on_bad_line, "lowercase": data.lowercase}
    if data.store is not None:
        return Splits(
            PairStream(config.train, **reading), read_pairs(config.valid, **reading), None
        )
    train = read_pairs(config.train, **reading)
    if not config.valid:
        return _held_out(train, config.seed)
    return Splits(train, read_pairs(config.valid, **reading), None)


def _held_out(pairs: Pairs, seed: int) -> Splits:
    """Whole sources are held out, with all their targets."""
    sources = sorted(set(pairs.sources))
    count = min(round(len(sources) * VALID_SHARE), MOST_VALID)
    if count < 1:
        raise InputError(
            f"{len(pairs.sources)} training pairs are too few to hold some out; "
            f"give validation data with --valid"
        )
    held = set(np.random.default_rng(seed).permutation(sources)[:count].tolist())
    sides = [[pair for pair in pairs.both() if (pair[0] in held) == out] for out in (False, True)]
    train, valid = (Pairs([s for s, _ in side], [t for _, t in side]) for side in sides)
    return Splits(train._replace(skipped=pairs.skipped), valid, None)


def text_splits(config: Config) -> Splits:
    """Returns running texts; that of training is a `TextStream` where it is kept in a store.

    Raises:
      InputError: As `pair_splits`.
    """
    if not config.train:
        if config.data.embedded != "docs":
            raise InputError(
                f"--data.embedded {config.data.embedded} is no running text; give --train FILE, "
                f"or --preset docs"
            )
        return english_manual()
    for name, paths in (("train", config.train), ("valid", config.valid)):
        if len(paths) > 1:
            raise InputError(f"--{name} of a language model is one text file, got {len(paths)}")
    lowercase = config.data.lowercase
    if config.data.store is not None:
        train = TextStream(config.train[0], lowercase=lowercase)
        return Splits(train, read_text(config.valid[0], lowercase=lowercase), None)
    train = read_text(config.train[0], lowercase=lowercase)
    if not config.valid:
        cut = train.rfind("\n", 0, int(len(train) * (1 - VALID_SHARE))) + 1
        if not cut or not train[cut:].strip():
            raise InputError(
                f"{config.train[0]}: has too few lines to hold some out; give --valid FILE"
            )
        return Splits(train[:cut], train[cut:], None)
    return Splits(train, read_text(config.valid[0], lowercase=lowercase), None)

"""From configuration to the text of training, validation and test: files, or what is built in."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from seqjax.config import Config
from seqjax.data.embedded.adding import make_adding
from seqjax.data.embedded.arithmetic import make_additions
from seqjax.data.embedded.dates import make_date_languages, make_date_parts, make_dates
from seqjax.data.embedded.docs import english_manual
from seqjax.data.embedded.images import make_images
from seqjax.data.embedded.inflection import make_inflections
from seqjax.data.embedded.memory import make_copy_memory
from seqjax.data.embedded.morse import make_morse
from seqjax.data.embedded.numbers import make_numbers
from seqjax.data.embedded.progressions import make_progressions
from seqjax.data.embedded.strings import make_pairs
from seqjax.data.hub import HubPairs, hub_text, open_hub
from seqjax.data.lines import TextStream, read_text
from seqjax.data.readers import FitsFn, Pairs, PairStream, Splits, anything, read_pairs
from seqjax.errors import InputError

VALID_SHARE, MOST_VALID = 0.05, 2_000
"""Of the training examples, held out for validation when no validation data is given."""
TASK_OF = {
    **dict.fromkeys(("dates", "copy", "reverse", "sort"), "text-to-text"),
    **dict.fromkeys(("addition", "numbers", "inflection"), "text-to-text"),
    "docs": "language-model",
    "date_language": "classify",
    **dict.fromkeys(("date_parts", "copy_memory"), "tag"),
    "morse": "transcribe",
    "images": "describe",
    "chords": "music",
    "adding": "regress",
}
"""What each of the built-in data is for."""


def pair_splits(
    config: Config,
    fits: FitsFn = anything,
    unseen_fits: Callable[[Iterable[str]], FitsFn] = lambda targets: anything,
    *,
    names: bool = False,
) -> Splits:
    """Returns pairs; those of training are a `PairStream` where they are kept in a store.

    Args:
      config: Of the run.
      fits: What must hold of every pair.
      unseen_fits: Given the targets of training, what must hold of the other pairs besides.
      names: Sources are names of vectors.

    Raises:
      InputError: If a file cannot be used, or is too short to hold some out.
    """
    data = config.data
    reading: Any = {"on_bad_line": data.on_bad_line, "lowercase": data.lowercase}

    def unseen(train: Pairs | PairStream) -> FitsFn:
        targets = train.targets if isinstance(train, Pairs) else (pair[1] for pair in train)
        also = unseen_fits(targets)
        return lambda source, target: fits(source, target) or also(source, target)

    if data.hub is not None:
        fields, places = (data.source_field, data.target_field), _hub_splits(config)

        def of_hub(place: str, rows: Any, fits: FitsFn) -> Pairs | None:
            if rows is None:
                return None
            return Pairs.of(HubPairs(place, rows, fields, fits=fits, **reading))

        train = of_hub(*places[0], fits)
        assert train is not None
        valid, test = (of_hub(*one, unseen(train)) for one in places[1:])
        if valid is None:
            return _held_out(train, config.seed)._replace(test=test)
        return Splits(train, valid, test)
    if not config.train:
        return embedded_splits(config)
    if data.store is not None:
        train = PairStream(config.train, fits=fits, names=names, **reading)
    else:
        train = read_pairs(config.train, fits=fits, names=names, **reading)
        if not config.valid:
            return _held_out(train, config.seed)
    return Splits(train, read_pairs(config.valid, fits=unseen(train), names=names, **reading), None)


def embedded_splits(config: Config) -> Splits:
    """Returns the built-in data.

    Raises:
      InputError: If it is for another task.
    """
    data = config.data
    _refuse_other_task(config)
    sizes: Any = {
        "examples": data.examples,
        "min_length": data.min_length,
        "max_length": data.max_length,
        "seed": config.seed,
    }
    match data.embedded:
        case "dates":
            return make_dates(data.examples, seed=config.seed)
        case "date_language":
            return make_date_languages(data.examples, seed=config.seed)
        case "date_parts":
            return make_date_parts(data.examples, seed=config.seed)
        case "copy" | "reverse" | "sort":
            return make_pairs(data.embedded, **sizes)
        case "addition":
            return make_additions(**sizes)
        case "numbers":
            return make_numbers(**sizes)
        case "inflection":
            return make_inflections(data.examples, seed=config.seed)
        case "copy_memory":
            return make_copy_memory(**sizes)
        case "morse":
            return make_morse(**sizes)
        case "images":
            return make_images(data.examples, seed=config.seed)
        case "adding":
            return make_adding(**sizes)
        case "docs":
            return english_manual()
        case "chords":
            return make_progressions(data.examples, seed=config.seed)


def _refuse_other_task(config: Config) -> None:
    task = TASK_OF[config.data.embedded]
    if task != config.task:
        raise InputError(
            f"--data.embedded {config.data.embedded} is for --task {task}, got {config.task}; "
            "give --train FILE, or another --data.embedded"
        )


def _held_out(pairs: Pairs, seed: int) -> Splits:
    """Whole sources are held out, with all their targets."""
    sources = sorted(set(pairs.sources))
    count = min(round(len(sources) * VALID_SHARE), MOST_VALID)
    if count < 1:
        raise InputError(
            "the training data has too few different sources to hold some out "
            f"({len(sources)}); give validation data with --valid"
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
    if config.data.hub is not None:
        return _hub_text_splits(config)
    if not config.train:
        return embedded_splits(config)
    for name, paths in (("train", config.train), ("valid", config.valid)):
        if len(paths) > 1:
            raise InputError(f"--{name} of a language model is one text file, got {len(paths)}")
    lowercase = config.data.lowercase
    if config.data.store is not None:
        train = TextStream(config.train[0], lowercase=lowercase)
        return Splits(train, read_text(config.valid[0], lowercase=lowercase), None)
    train = read_text(config.train[0], lowercase=lowercase)
    if not config.valid:
        return _held_out_text(config.train[0], train)
    return Splits(train, read_text(config.valid[0], lowercase=lowercase), None)


def _held_out_text(place: str, text: str) -> Splits:
    cut = text.rfind("\n", 0, int(len(text) * (1 - VALID_SHARE))) + 1
    if not cut or not text[cut:].strip():
        raise InputError(f"{place}: has too few lines to hold some out; give --valid FILE")
    return Splits(text[:cut], text[cut:], None)


def _hub_text_splits(config: Config) -> Splits:
    field, lowercase = config.data.target_field, config.data.lowercase
    splits = _hub_splits(config)
    texts = [None if rows is None else hub_text(place, rows, field) for place, rows in splits]
    train, valid, test = (text.lower() if text and lowercase else text for text in texts)
    return Splits(train, valid, test) if valid else _held_out_text(splits[0][0], train or "")


def _hub_splits(config: Config) -> list[tuple[str, Any]]:
    """Returns what training, validation and test are called, and their rows or None."""
    assert config.data.hub is not None
    found = open_hub(config.data.hub, config.data.hub_config)
    names = ("train", "validation", "test")
    return [(f"{config.data.hub}[{name}]", found.get(name)) for name in names]

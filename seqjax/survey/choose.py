"""From a task to what its files are looked at for."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from seqjax.config import Config
from seqjax.errors import InputError
from seqjax.survey.corpus import Split, read_pair_split, read_text_split
from seqjax.survey.finding import Survey
from seqjax.survey.labelled import survey_labelled
from seqjax.survey.pairs import survey_pairs
from seqjax.survey.recorded import survey_recorded
from seqjax.survey.running import survey_text
from seqjax.survey.tagged import survey_tagged
from seqjax.survey.tags import evenly_tagged, guess_tagged
from seqjax.survey.tokens import guess_kind

KNOWN = ("text-to-text", "language-model", "classify", "tag", "transcribe", "describe")
"""Tasks whose files are looked at."""


def read_splits(config: Config, test: tuple[str, ...]) -> dict[str, Split]:
    """Reads train, and those of valid and test that are given.

    Raises:
      InputError: If a file cannot be opened, nothing of it can be used, or no survey knows the
        task.
    """
    if config.task not in KNOWN:
        raise InputError(
            f"--task {config.task}: its files cannot be looked at with inspect --data; those of "
            f"{', '.join(KNOWN)} can"
        )
    read = read_text_split if config.task == "language-model" else read_pair_split
    given = {"train": config.train, "valid": config.valid, "test": test}
    return {name: read(name, paths) for name, paths in given.items() if paths}


def with_guessed_tokens(config: Config, train: Split) -> Config:
    """Returns the config with token kinds that suit the texts of train."""
    kinds: dict[str, Any] = {}
    match config.task:
        case "text-to-text":
            kinds["source_tokens"] = guess_kind(train.sources)
            kinds["target_tokens"] = guess_kind(train.targets)
        case "classify":
            kinds["source_tokens"] = guess_kind(train.sources)
        case "tag":
            kinds["source_tokens"] = guess_tagged(train)
        case "transcribe" | "describe":
            kinds["target_tokens"] = guess_kind(train.targets)
    return dataclasses.replace(config, data=dataclasses.replace(config.data, **kinds))


def usable(splits: Mapping[str, Split], config: Config) -> dict[str, Split]:
    """Returns the splits, what the task cannot use among their bad lines.

    Raises:
      InputError: If nothing else is left of one.
    """
    if config.task != "tag":
        return dict(splits)
    kind = config.data.source_tokens
    return {name: evenly_tagged(split, kind) for name, split in splits.items()}


def survey_of(splits: Mapping[str, Split], config: Config) -> Survey:
    """Returns all that is found in usable splits."""
    data, model = config.data, config.model
    if data.lowercase:
        named = bool(config.vectors)
        splits = {name: split.lowered(named=named) for name, split in splits.items()}
    match config.task:
        case "text-to-text":
            return survey_pairs(splits, data)
        case "language-model":
            return survey_text(splits, data)
        case "classify":
            return survey_labelled(splits, data)
        case "tag":
            scheme = model.tag_scheme
            return survey_tagged(splits, data, None if scheme == "any" else scheme)
        case "transcribe":
            return survey_recorded(splits, data, model, "sound")
        case "describe":
            return survey_recorded(splits, data, model, "arrays")
        case _:
            raise ValueError(f"task must be one of {', '.join(KNOWN)}, got {config.task!r}")

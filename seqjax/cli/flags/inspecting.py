"""Flags of `seqjax inspect` and `seqjax explain`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, NamedTuple

import tyro

from seqjax.cli.reading import fill, read_flags, read_values
from seqjax.config import Config, DataConfig, ModelConfig
from seqjax.config.run import Task
from seqjax.presets import PRESETS, START, PresetName


@dataclass(frozen=True)
class SurveyFlags:
    """What is looked at with --data, and what is done about it."""

    valid: tuple[str, ...] = ()
    """Validation data, in the same form."""
    test: tuple[str, ...] = ()
    """Test data, in the same form."""
    task: Task | None = None
    """What the data is for; by default as in the preset, or text-to-text."""
    preset: PresetName | None = None
    """Settings that the data is looked at with, as in `seqjax train`; other flags go on top."""
    ignore: str | None = None
    """Codes that do not count, with commas between them: SJ-D02,SJ-D05."""
    show: str | None = None
    """Print all places of this one finding, and nothing else."""
    fix: str | None = None
    """Codes that are mended, with commas between them, in a copy written to --out."""
    out: str | None = None
    """Directory of the mended copy; it must be new or empty."""

    def __post_init__(self):
        if bool(self.fix) != bool(self.out):
            raise ValueError("fix and out must be given together, got one of them")


@dataclass(frozen=True)
class SurveySettings:
    """What of a run's settings bears on its data and on what a model of it costs."""

    data: DataConfig = field(default_factory=DataConfig)
    model: ModelConfig = field(default_factory=ModelConfig)


@dataclass(frozen=True)
class InspectFlags:
    """Tells what runs are: settings, sizes, vocabulary and results. With --data, what is in files,
    before any model is trained on them."""

    runs: tyro.conf.Positional[tuple[str, ...]] = ()
    """The run directory; several are put side by side: settings that differ, scores, time."""
    json: bool = False
    """Print one JSON object."""
    data: tuple[str, ...] = ()
    """Training data. text-to-text: one file of `source<TAB>target` lines, one .jsonl, or two files
    with a line each; classify and tag: the same, a target being a label, or as many tags as the
    source has tokens; transcribe and describe: the same, a source being the name of a recording or
    of an array, beside the file; language-model: one text file. Any may be .gz."""
    survey: Annotated[SurveyFlags, tyro.conf.arg(name="")] = field(default_factory=SurveyFlags)
    settings: Annotated[SurveySettings, tyro.conf.arg(name="")] = field(
        default_factory=SurveySettings
    )

    def __post_init__(self):
        if bool(self.runs) == bool(self.data):
            got = "both" if self.runs else "neither"
            raise ValueError(f"run directories or --data must be given, got {got}")
        if self.runs and self.survey != SurveyFlags():
            given = next(name for name, value in vars(self.survey).items() if value)
            raise ValueError(f"{given} must be left out without --data")


class Inspection(NamedTuple):
    """What `inspect` was asked for.

    Attributes:
      flags: As they were given.
      config: With --data: the settings that a training of that data would have.
      guessing: Whether nothing says what a token is.
      given: Settings of data and model that were given, by dotted name.
    """

    flags: InspectFlags
    config: Config
    guessing: bool
    given: Mapping[str, Any]


@dataclass(frozen=True)
class ExplainFlags:
    """Tells what a code means, that a survey of data or the watch over a training gave."""

    codes: tyro.conf.Positional[tuple[str, ...]] = ()
    """Such as SJ-D04; by default all of them are listed."""


def inspect_flags(tokens: list[str]) -> Inspection:
    """Reads the command line of `inspect`; settings are found as those of `train` are.

    Raises:
      InputError: If a flag is unknown or its value impossible.
    """
    flags = read_flags(InspectFlags, tokens)
    values, preset = read_values(InspectFlags, tokens), flags.survey.preset
    start = Config()
    if preset is not None:
        start = PRESETS[preset]
    elif flags.survey.task in START:
        start = PRESETS[START[flags.survey.task]]
    config = fill(start, {**values, "train": flags.data})
    tokens_given = {"data.source_tokens", "data.target_tokens"} & set(values)
    given = {name: value for name, value in values.items() if name.startswith(("data.", "model."))}
    return Inspection(flags, config, preset is None and not tokens_given, given)

"""Flags of `seqjax train`, and how they become a configuration."""

import dataclasses
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import tyro

from seqjax import rundir
from seqjax.cli.flags.processes import ProcessFlags
from seqjax.cli.reading import fill, read_values
from seqjax.config import Config
from seqjax.errors import InputError
from seqjax.presets import NEEDS_TRAINING_FILE, PRESETS, START, PresetName


@dataclass(frozen=True)
class TrainFlags:
    """Trains a model, or goes on with a training that was interrupted."""

    preset: PresetName | None = None
    """Settings to start from. dates: built-in dates -> ISO 8601. short: one word in, a few symbols
    out (phones, by default). sentences: translation, a word a token. docs: a language model of the
    built-in English text. languages: built-in dates -> their language (classify). parts: built-in
    dates -> what each character belongs to (tag). chords: built-in progressions; chorales: some
    hundred pieces (music). adding: the adding problem (regress). Other flags go on top."""
    config: str | None = None
    """A config.json to start from, in place of a preset."""
    overwrite: bool = False
    """Delete what an earlier training left in the run directory and start anew."""
    resume: Literal["auto", "must", "never"] = "auto"
    """auto: go on where the run was left, or begin. must: stop if there is nothing to go on from.
    never: stop if the run directory is used."""
    deterministic: bool = False
    """On a GPU, let XLA use nothing whose result changes from run to run; slower. A CPU needs no
    telling."""
    dry_run: bool = False
    """Build everything, time a few steps of each shape, say what the run would take, and write
    nothing."""
    profile_steps: str | None = None
    """Steps to record for TensorBoard's profiler, as 10:20: what the device does from step 10 on up
    to step 20, both included."""
    processes: ProcessFlags = field(default_factory=ProcessFlags)
    settings: Annotated[Config, tyro.conf.arg(name="")] = field(default_factory=Config)

    def __post_init__(self):
        if self.profile_steps is not None and not re.fullmatch(
            r"[1-9]\d*:[1-9]\d*", self.profile_steps
        ):
            raise ValueError(f"profile_steps must be like 10:20, got {self.profile_steps!r}")
        first, last = self.profiled or (1, 1)
        if last < first:
            raise ValueError(f"profile_steps must not end before it begins, got {first}:{last}")
        if last - first >= MOST_PROFILED:
            raise ValueError(
                f"profile_steps must be at most {MOST_PROFILED} steps, got {last - first + 1}"
            )

    @property
    def profiled(self) -> tuple[int, int] | None:
        """First and last step of `profile_steps`."""
        if self.profile_steps is None:
            return None
        first, last = map(int, self.profile_steps.split(":"))
        return first, last


MOST_PROFILED = 100
"""Steps of one profile: a profile holds every operation of them, and is opened in a browser."""


def train_flags(tokens: list[str]) -> TrainFlags:
    """Reads the command line of `train`: defaults < preset < --config < the other flags.

    Returns:
      The flags; `settings.run_dir` is set in any case.

    Raises:
      InputError: If a flag is unknown or its value impossible.
    """
    values = read_values(TrainFlags, tokens)
    preset, config = values.get("preset"), values.get("config")
    start = Config()
    if config is not None:
        start = rundir.read_config(Path(config))
    elif preset is not None:
        start = PRESETS[preset]
        if values.get("task", start.task) != start.task:
            raise InputError(
                f"--preset {preset} is of {start.task}, got --task {values['task']}; leave one of "
                "them out"
            )
    elif values.get("task") in START:
        start = PRESETS[START[values["task"]]]
    settings = fill(start, values)
    if preset in NEEDS_TRAINING_FILE and not (settings.train or settings.data.hub):
        raise InputError(f"--preset {preset} has no built-in data; give --train FILE")
    overwrite, resume = values.get("overwrite", False), values.get("resume", "auto")
    if overwrite and resume == "must":
        raise InputError("--overwrite leaves nothing to go on from; leave --resume must out")
    run_dir = Path(settings.run_dir or Path("runs") / _name(preset, settings))
    try:
        return TrainFlags(
            preset=preset,
            config=config,
            overwrite=overwrite,
            resume=resume,
            deterministic=values.get("deterministic", False),
            dry_run=values.get("dry_run", False),
            profile_steps=values.get("profile_steps"),
            processes=fill(ProcessFlags(), values, "processes."),
            settings=dataclasses.replace(settings, run_dir=str(run_dir)),
        )
    except ValueError as error:
        raise InputError(f"--{str(error).replace('_', '-', 1)}") from None


def _name(preset: str | None, settings: Config) -> str:
    if preset is None and settings.data.hub:
        return Path(settings.data.hub).name
    if preset is not None or not settings.train:
        return preset or settings.data.embedded
    return Path(Path(settings.train[0]).name.removesuffix(".gz")).stem

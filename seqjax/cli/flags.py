"""What can be said on the command line: one frozen dataclass for each command.

The string below a field is its help. `train` takes the fields of `Config` itself as flags.
"""

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import tyro

from seqjax import rundir
from seqjax.cli.reading import fill, read_flags, read_values, unset
from seqjax.config import Config, DataConfig, DecodeConfig, ModelConfig
from seqjax.errors import InputError
from seqjax.presets import NEEDS_TRAINING_FILE, PRESETS, START, PresetName


@dataclass(frozen=True)
class ProcessFlags:
    """Processes that train together, on one host or several; docs/scaling.md has how to start them.

    With none of these, JAX is asked to find the others where SLURM, Open MPI, Kubernetes or a TPU
    pod has started several."""

    coordinator: str | None = None
    """HOST:PORT of the process with index 0, which listens there. The same for all."""
    count: int | None = None
    """How many processes there are."""
    index: int | None = None
    """Which of them this is, from 0."""
    detect: Literal["auto", "always", "never"] = "auto"
    """Whether JAX is asked to find the others: where the environment shows a cluster, always (a TPU
    virtual machine shows nothing to us), or never."""
    wait: int = 300
    """Seconds to wait for the others at the start."""
    timeout: int = 30
    """Seconds without a sign of life after which a process counts as gone, and all others stop."""

    def __post_init__(self):
        given = [self.coordinator, self.count, self.index]
        if any(value is None for value in given) and any(value is not None for value in given):
            raise ValueError("coordinator, count and index must be given together or not at all")
        if self.coordinator is not None and not re.fullmatch(r"\S+:\d{1,5}", self.coordinator):
            raise ValueError(f"coordinator must be HOST:PORT, got {self.coordinator!r}")
        if self.count is not None and self.index is not None:
            if self.count < 1:
                raise ValueError(f"count must be at least 1, got {self.count}")
            if not 0 <= self.index < self.count:
                raise ValueError(f"index must be in [0, {self.count}), got {self.index}")
        for name in ("wait", "timeout"):
            _at_least_one(name, getattr(self, name))

    def asks(self, environment: Mapping[str, str]) -> bool:
        """Returns whether JAX shall find the others, where no coordinator is given."""
        match self.detect:
            case "always":
                return True
            case "never":
                return False
        return (
            any(
                int(environment[name]) > 1 if counts else "," in environment[name]
                for needs, name, counts in _CLUSTERS
                if all(variable in environment for variable in (*needs, name))
            )
            or {"KUBERNETES_SERVICE_HOST", "JOB_COMPLETION_INDEX"} <= environment.keys()
        )


_CLUSTERS = (
    (("SLURM_JOB_ID", "SLURM_STEP_NODELIST", "SLURM_PROCID"), "SLURM_STEP_NUM_TASKS", True),
    (("OMPI_COMM_WORLD_RANK",), "OMPI_COMM_WORLD_SIZE", True),
    ((), "TPU_WORKER_HOSTNAMES", False),
)
"""What srun, mpirun and a TPU pod set: variables that are there, and one that holds how many
processes there are, or lists their hosts."""


@dataclass(frozen=True)
class TrainFlags:
    """Trains a model, or goes on with a training that was interrupted."""

    preset: PresetName | None = None
    """Settings to start from. dates: built-in dates -> ISO 8601. short: one word in, a few symbols
    out (phones, by default). sentences: translation, a word a token. docs: a language model of the
    built-in English text. languages: built-in dates -> their language (classify). parts: built-in
    dates -> what each character belongs to (tag). Other flags go on top."""
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
        _at_least_one("keep", self.keep)
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


@dataclass(frozen=True)
class EvaluateFlags:
    """Measures a trained run, or several that answer together, on data not seen yet."""

    runs: tuple[str, ...]
    """The run directory; of several, their ensemble is measured."""
    data: tuple[str, ...] = ()
    """One file of pairs, two files with a line each, or one text file for a language model; by
    default the validation data of the run."""
    limit: int | None = None
    """Look at this many examples only."""
    output: str | None = None
    """Also write the answers to this file, one a line."""
    report: bool = False
    """Also tell whether it is the search or the model that falls short: the model's own scores of
    the answers, of greedy ones and of the references, and how the answers repeat themselves, with
    intervals."""
    bleu_tokenizer: Literal["13a", "none", "char", "intl", "zh"] | None = None
    """How sacreBLEU cuts the texts, if not as the run's validation does; none for texts that are
    tokenised already."""
    json: bool = False
    """Print the results as one JSON object."""
    beside: Annotated[BesideFlags, tyro.conf.arg(name="")] = field(default_factory=BesideFlags)
    search: Annotated[SearchFlags, tyro.conf.arg(name="")] = field(default_factory=SearchFlags)

    def __post_init__(self):
        _at_least_one("limit", self.limit)


@dataclass(frozen=True)
class DecodeFlags:
    """Answers each line of a file or of standard input."""

    runs: tuple[str, ...]
    """The run directory; several of one target vocabulary answer together, as an ensemble."""
    input: str | None = None
    """File with one input a line; by default standard input."""
    output: Literal["text", "tokens", "jsonl"] = "text"
    """Answers as text, as tokens with blanks between them, or as one JSON object for each input."""
    scores: bool = False
    """Put each answer's score before it, with a tab between them."""
    stream: bool = False
    """Answer each line before the next one is read, in place of whole batches."""
    targets: str | None = None
    """Search nothing: score the answers in this file, one a line, as if they had been found."""
    prefix: str | None = None
    """File with what the answer to each line must begin with; an empty line for nothing."""
    require: str | None = None
    """File with phrases, tabs between them, that the answer to each line must hold."""
    beside: Annotated[BesideFlags, tyro.conf.arg(name="")] = field(default_factory=BesideFlags)
    search: Annotated[SearchFlags, tyro.conf.arg(name="")] = field(default_factory=SearchFlags)

    def __post_init__(self):
        for name in ("prefix", "require", "targets"):
            if self.stream and getattr(self, name):
                raise ValueError(f"stream must be left out with {name}, got both")
        if self.targets and (self.prefix or self.require):
            raise ValueError("targets must be left out with prefix and require, got both")


@dataclass(frozen=True)
class GenerateFlags:
    """Lets a language model go on from a prompt, by draws (unless --method says otherwise)."""

    run: str
    """The run directory."""
    prompt: str | None = None
    """Text to go on from; by default each line of standard input."""
    forbid: str | None = None
    """File with words and phrases, one a line, that are never written."""
    json: bool = False
    """Print one JSON object for each text."""
    search: Annotated[SearchFlags, tyro.conf.arg(name="")] = field(default_factory=SearchFlags)


@dataclass(frozen=True)
class PredictFlags:
    """Gives each line of a file or of standard input its label, or a tag for each of its tokens."""

    run: str
    """The run directory, of a run that classifies or tags."""
    input: str | None = None
    """File with one text a line; by default standard input."""
    n_best: int = 1
    """Labels, or sequences of tags, given for each line, the most probable first, with tabs between
    them."""
    probs: bool = False
    """Put its probability after each label."""
    stream: bool = False
    """Answer each line before the next one is read."""
    json: bool = False
    """Print one JSON object for each line."""

    def __post_init__(self):
        _at_least_one("n_best", self.n_best)


@dataclass(frozen=True)
class SurveyFlags:
    """What is looked at with --data, and what is done about it."""

    valid: tuple[str, ...] = ()
    """Validation data, in the same form."""
    test: tuple[str, ...] = ()
    """Test data, in the same form."""
    task: Literal["text-to-text", "language-model"] | None = None
    """What the data is for; by default as in the preset, or text-to-text."""
    preset: Literal["dates", "short", "sentences", "docs"] | None = None
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
    with a line each; language-model: one text file. Any may be .gz."""
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
    """

    flags: InspectFlags
    config: Config
    guessing: bool


@dataclass(frozen=True)
class ExplainFlags:
    """Tells what a code means, that a survey of data or the watch over a training gave."""

    codes: tyro.conf.Positional[tuple[str, ...]] = ()
    """Such as SJ-D04; by default all of them are listed."""


@dataclass(frozen=True)
class AverageFlags:
    """Makes a run of the mean of several sets of weights, of equal models and vocabularies."""

    runs: tuple[str, ...]
    """The run directories, whose best weights are averaged."""
    output: str | None = None
    """Directory of the run that is made; it must not be one already."""
    last: int | None = None
    """Average this many of the newest checkpoints (of each run) in place of the best weights; a
    run keeps as many as --keep says."""

    def __post_init__(self):
        _at_least_one("last", self.last)
        if self.output is None:
            raise ValueError("output must be given, a directory for the mean")
        if len(self.runs) * (self.last or 1) < 2:
            raise ValueError("runs must be several, or last at least 2: one alone has no mean")


@dataclass(frozen=True)
class DoctorFlags:
    """Tells what this installation is made of and checks that it computes rightly."""

    json: bool = False
    """Print one JSON object."""


BENCHMARKS = (
    "recurrent",
    "seq2seq",
    "decode",
    "memory",
    "growth",
    "allocator",
    "scaling",
    "gpu",
    "host",
    "corpus",
)


@dataclass(frozen=True)
class BenchFlags:
    """Times what is ours beside what is others', in turn. Run it from the source tree, on a machine
    that does nothing else."""

    benchmark: str
    """recurrent: one layer, forward and backward, beside PyTorch's and Flax's. seq2seq: a whole
    training step beside PyTorch's. decode: a trained run decodes a file, in batches and a line at a
    time. memory: what a training step takes. growth: time by length and by rows, and compilations.
    allocator: a whole training step, with scratch memory kept and given back. scaling: what a
    training exchanges on 1 to 256 devices, and the step time that predicts. gpu: on a GPU, whether
    all ways through time agree, one LSTM in three precisions, and one training. host: what data,
    dispatch and metrics add to a step. corpus: what 50 million tokens take of memory."""
    runs: int = 7
    """Times that each is measured; the median counts."""
    size: str | None = None
    """Batch, time and width of the layer (recurrent, gpu), as 64x50x512; by default several."""
    run: str | None = None
    """Directory of the trained run that decodes (decode)."""
    input: str | None = None
    """File with one source a line (decode)."""
    opennmt: tuple[str, ...] = ()
    """The Python that OpenNMT-py is installed for, and a model that it has trained, to be measured
    beside ours (decode)."""
    joeynmt: tuple[str, ...] = ()
    """The same for Joey NMT, with the directory of a training (decode)."""
    json: bool = False
    """Print one JSON object for each comparison."""

    def __post_init__(self):
        _at_least_one("runs", self.runs)
        for name in ("run", "input", "opennmt", "joeynmt"):
            if self.benchmark != "decode" and getattr(self, name):
                raise ValueError(f"{name} must be left out of {self.benchmark}")
        if self.benchmark == "decode" and not (self.run and self.input):
            raise ValueError("run and input must be given for decode")
        for name in ("opennmt", "joeynmt"):
            given = getattr(self, name)
            if len(given) not in (0, 2):
                raise ValueError(f"{name} must be a Python and a model, got {' '.join(given)}")
        if self.benchmark not in BENCHMARKS:
            known = ", ".join(BENCHMARKS)
            raise ValueError(f"benchmark must be one of {known}, got {self.benchmark!r}")
        if self.size is not None and not re.fullmatch(r"[1-9]\d*x[1-9]\d*x[1-9]\d*", self.size):
            raise ValueError(f"size must be like 64x50x512, got {self.size!r}")
        if self.size is not None and self.benchmark not in ("recurrent", "gpu"):
            raise ValueError(f"size must be left out of {self.benchmark}, got {self.size!r}")

    @property
    def sizes(self) -> list[tuple[int, ...]]:
        """What `size` says; empty if it says nothing."""
        return [tuple(map(int, self.size.split("x")))] if self.size else []


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
    return Inspection(flags, config, guessing=preset is None and not tokens_given)


def _name(preset: str | None, settings: Config) -> str:
    if preset is None and settings.data.hub:
        return Path(settings.data.hub).name
    if preset is not None or not settings.train:
        return preset or settings.data.embedded
    return Path(Path(settings.train[0]).name.removesuffix(".gz")).stem


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


def _at_least_one(name: str, value: int | None) -> None:
    if value is not None and value < 1:
        raise ValueError(f"{name} must be at least 1, got {value}")

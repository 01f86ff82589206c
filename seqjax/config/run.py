"""A whole run."""

import dataclasses
from dataclasses import dataclass, field
from typing import Literal

from seqjax.config.between import check_between
from seqjax.config.data import DataConfig, VectorKind
from seqjax.config.decode import DecodeConfig
from seqjax.config.mesh import MeshConfig
from seqjax.config.model import ModelConfig
from seqjax.config.objective import ObjectiveConfig
from seqjax.config.optimizer import OptimizerConfig
from seqjax.config.require import require
from seqjax.config.validation import ValidationConfig
from seqjax.config.words import Patterns

Task = Literal[
    "text-to-text",
    "language-model",
    "classify",
    "tag",
    "transcribe",
    "describe",
    "music",
    "regress",
]


@dataclass(frozen=True)
class Config:
    """A whole run. Stored as `config.json` in the run directory."""

    task: Task = "text-to-text"
    """What is learnt: to answer one text with another, to continue a text, to say to which class a
    text belongs, to say of each of its tokens what it is, to write down what a recording says, to
    describe vectors, to say which keys sound next in a piece of music, or which number belongs to
    a text or to vectors."""
    train: tuple[str, ...] = ()
    """Training data. text-to-text: one file of `source<TAB>target` lines, one .jsonl, or two files
    with a line each; classify and tag: the same, a target being a label, or as many tags, with
    blanks between them, as the source has tokens; transcribe and describe: the same, a source
    being the name of a recording (wav, flac, ogg), or of an array [time, features] (FILE.npy or
    FILE.npz#NAME), beside the file; regress: a target is a number; language-model: one text file;
    music: one text file with a piece a line (60+64+67 are the pitches of a chord, - is silence), or
    a .json of pieces, which may have train, valid and test in it. Any may be .gz. None: built-in
    data."""
    valid: tuple[str, ...] = ()
    """Validation data, in the same form."""
    start_from: str | None = None
    """Run directory whose best weights this run begins with. Tokens that it knows too are taken
    over one by one. It is not needed again."""
    start_from_parts: Patterns = ()
    """Which of its weights, by paths or the beginning of paths, with * for anything; by default
    all."""
    run_dir: str | None = None
    """Where the run is kept; by default runs/ and the name of preset or training file."""
    steps: int | None = None
    """Stop after this many updates."""
    epochs: int | None = None
    """Stop after this many passes over the training data."""
    minutes: float | None = None
    """Stop after this many minutes of training (compilation and validation included)."""
    save_every: int | None = None
    """Steps between checkpoints; by default each validation."""
    keep: int = 2
    """Newest checkpoints that stay."""
    seed: int = 0
    """Seed of everything that is random."""
    data: DataConfig = field(default_factory=DataConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    objective: ObjectiveConfig = field(default_factory=ObjectiveConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    validation: ValidationConfig = field(default_factory=ValidationConfig)
    decode: DecodeConfig = field(default_factory=DecodeConfig)
    mesh: MeshConfig = field(default_factory=MeshConfig)

    @property
    def vectors(self) -> VectorKind | None:
        """What sources are where they are not texts."""
        match self.task:
            case "transcribe":
                return "sound"
            case "describe":
                return "arrays"
        return None if self.data.source_kind == "texts" else self.data.source_kind

    def __post_init__(self):
        require(self.keep >= 1, "keep", "at least 1", self.keep)
        require(0 <= self.seed < 2**32, "seed", "in [0, 2 ** 32)", self.seed)
        require(self.run_dir is None or bool(self.run_dir.strip()), "run_dir", "not empty", "''")
        for name in ("steps", "epochs", "save_every"):
            value = getattr(self, name)
            require(value is None or value >= 1, name, "at least 1", value)
        require(self.minutes is None or self.minutes > 0, "minutes", "positive", self.minutes)
        check_between(self)


def differing_fields(ours: Config, theirs: Config) -> list[tuple[str, object, object]]:
    """Returns `(dotted name, ours, theirs)` of every field in which two configs differ."""

    def flat(config):
        for entry in dataclasses.fields(config):
            value = getattr(config, entry.name)
            if dataclasses.is_dataclass(value):
                yield from ((f"{entry.name}.{name}", inner) for name, inner in flat(value))
            else:
                yield entry.name, value

    return [
        (name, one, other)
        for (name, one), (_, other) in zip(flat(ours), flat(theirs), strict=True)
        if one != other
    ]

"""Flags of the commands that use a trained run."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import tyro

from seqjax.cli.flags.check import at_least_one
from seqjax.cli.flags.searching import BesideFlags, SearchFlags


@dataclass(frozen=True)
class EvaluateFlags:
    """Measures a trained run, or several that answer together, on data not seen yet."""

    runs: tuple[str, ...]
    """The run directory; of several, their ensemble is measured."""
    data: tuple[str, ...] = ()
    """One file of pairs, two files with a line each, or one text file for a language model; pieces
    for music (of a file with several sets, the test set); by default the validation data of the
    run."""
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
    rouge: bool = False
    """Also tell ROUGE-1, -2 and -L, as --validation.rouge of a run does."""
    dialogues: bool = False
    """Also tell how many lines and dialogues are answered right, as --validation.dialogues does."""
    json: bool = False
    """Print the results as one JSON object."""
    beside: Annotated[BesideFlags, tyro.conf.arg(name="")] = field(default_factory=BesideFlags)
    search: Annotated[SearchFlags, tyro.conf.arg(name="")] = field(default_factory=SearchFlags)

    def __post_init__(self):
        at_least_one("limit", self.limit)


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
    """Lets a model of language or music go on from a prompt, by draws (unless --method says
    otherwise)."""

    run: str
    """The run directory."""
    prompt: str | None = None
    """Text, or piece (60+64+67 62+65), to go on from; by default each line of standard input."""
    forbid: str | None = None
    """File with words and phrases, one a line, that are never written."""
    json: bool = False
    """Print one JSON object for each text."""
    search: Annotated[SearchFlags, tyro.conf.arg(name="")] = field(default_factory=SearchFlags)


@dataclass(frozen=True)
class PredictFlags:
    """Gives each line of a file or of standard input its label, a tag for each of its tokens, or a
    number."""

    run: str
    """The run directory, of a run that classifies, tags or says numbers."""
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
        at_least_one("n_best", self.n_best)


@dataclass(frozen=True)
class FeaturesFlags:
    """Writes what a trained model makes of each line of a file or of standard input: the outputs of
    the top layer of its encoder, or of a language model."""

    run: str
    """The run directory."""
    output: str | None = None
    """File to write. .npy: one array [lines, features] (not of steps). .npz: an array for each
    line, named by its number from 0. .jsonl: a list for each line."""
    input: str | None = None
    """File with one text a line (recordings and arrays by name); by default standard input."""
    pool: Literal["steps", "mean", "max", "last"] = "mean"
    """One vector a line: the mean or the highest unit by unit, or the last; or steps, all of them.
    """

    def __post_init__(self):
        if self.output is None:
            raise ValueError("output must be given, a file that ends in .npy, .npz or .jsonl")
        suffix = Path(self.output).suffix
        if suffix not in (".npy", ".npz", ".jsonl"):
            raise ValueError(f"output must end in .npy, .npz or .jsonl, got {self.output!r}")
        if suffix == ".npy" and self.pool == "steps":
            raise ValueError("output must be .npz or .jsonl when pool is steps, got .npy")


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
        at_least_one("last", self.last)
        if self.output is None:
            raise ValueError("output must be given, a directory for the mean")
        if len(self.runs) * (self.last or 1) < 2:
            raise ValueError("runs must be several, or last at least 2: one alone has no mean")

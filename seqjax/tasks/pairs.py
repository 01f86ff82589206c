"""What all tasks of examples share: each has a source that is read, and a target."""

import dataclasses
import functools
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from seqjax.build.coded import code_pairs
from seqjax.build.splits import pair_splits
from seqjax.config import Config, DecodeConfig
from seqjax.data.batching import BatchPlan, Examples, fit_shapes
from seqjax.data.coding import PairCoder, cut_note, encode_pairs
from seqjax.data.counts import token_counts
from seqjax.data.frames import Likeness
from seqjax.data.plan_report import plan_report
from seqjax.data.planning import Shape
from seqjax.data.readers import FitsFn, Pairs, Splits, anything, read_pairs
from seqjax.data.sides import SideKind
from seqjax.errors import InputError
from seqjax.predict.features import encoder_outputs
from seqjax.predict.labels import Sayer, SayFn
from seqjax.predict.looking import LookFn, looks_nowhere
from seqjax.survey.finding import percent
from seqjax.survey.leakage import seen_in_training
from seqjax.tasks.task import Learnt, TaskData, Vocabularies
from seqjax.train.compiled import AnnounceFn
from seqjax.types import Batch, Padded

NAMES = {"label": "labels", "number": "number", "sound": "mel bands", "arrays": "numbers a step"}
"""Of kinds, where their own does not serve."""


@dataclasses.dataclass(frozen=True)
class PairTask:
    """From files of pairs to batches, and back; see `Task`.

    Attributes:
      config: Of the run.
    """

    config: Config
    loss_unit: ClassVar[str] = "nats per token"
    likely: ClassVar[bool] = True
    ends: ClassVar[bool] = True
    """Whether targets have EOS after them."""
    whole: ClassVar[bool] = False
    """Whether sources are read to their end, whatever `data.max_source`, when they are not learnt:
    where each step has an answer of its own."""

    @property
    def kinds(self) -> dict[str, SideKind]:
        """What there is on each side."""
        data = self.config.data
        source: SideKind = self.config.vectors or data.source_tokens
        return {"source": source, "target": data.target_tokens}

    @property
    def of_vectors(self) -> bool:
        """Whether sources are names of what is vectors."""
        return self.config.vectors is not None

    def coder(self, vocabularies: Vocabularies, *, learning: bool = False) -> PairCoder:
        """Returns what sources and targets are to the model.

        Args:
          vocabularies: By side.
          learning: Of pairs that are learnt, whose sources are cut only if `data.long_sources` says
            so; of others they are, unless they are read `whole`.
        """
        data = self.config.data
        cutting = data.long_sources == "cut" if learning else not self.whole
        return self.coder_of(vocabularies, data.max_source if cutting else None)

    def coder_of(self, vocabularies: Vocabularies, most_source: int | None) -> PairCoder:
        """Returns what sources, cut after `most_source` steps, and targets are to the model."""
        return PairCoder(
            vocabularies["source"],
            vocabularies["target"],
            copying=self.config.model.copying,
            ends=self.ends,
            most_source=most_source,
        )

    def fits(self, source: str, target: str) -> str | None:
        """Returns why a source cannot have such a target, or None."""
        return None

    def readable(self, vocabularies: Vocabularies | None = None) -> FitsFn:
        """Returns what must hold of every pair of a file: that it `fits`, and where sources are
        names of vectors, that these can be read and are like those of training.

        Args:
          vocabularies: Of training; by default training is what is read first.
        """
        kind = self.config.vectors
        if kind is None:
            return self.fits
        common = None if vocabularies is None else vocabularies["source"].common
        likeness = Likeness(kind, common)
        return lambda source, target: likeness.trouble(source) or self.fits(source, target)

    def possible(self, pairs: Pairs, vocabularies: Vocabularies) -> Pairs:
        """Returns the pairs that the model can say at all; there is no likelihood of others."""
        return pairs

    def unseen_fits(self, targets: Iterable[str]) -> FitsFn:
        """Returns what else must hold of a pair that is not learnt, given the targets that are."""
        return anything

    def splits(self) -> Splits:
        """Reads or makes the data as text; see `pair_splits`."""
        return pair_splits(self.config, self.readable(), self.unseen_fits, names=self.of_vectors)

    def data(self) -> TaskData:
        """Reads or makes the data; see `Task`."""
        return self.data_of(self.splits())

    def data_of(self, splits: Splits) -> TaskData:
        """Returns the data that these texts are."""
        config, train = self.config, splits.train
        pairs_fn = train.both if isinstance(train, Pairs) else train.__iter__
        coder_fn = functools.partial(self.coder, learning=True)
        coded = code_pairs(config, pairs_fn, lambda: train.skipped, self.kinds, coder_fn)
        vocabularies, examples = coded.vocabularies, coded.content
        lengths = examples.sources.lengths, examples.targets.lengths
        report = plan_report(*lengths, config.data)
        pad_id = vocabularies["target"].pad_id
        feed = BatchPlan(examples, report.shapes, pad_id, seed=config.seed)
        longest = [int(side.max()) for side in lengths]
        statistics = {
            "task": config.task,
            "fingerprint": coded.fingerprint,
            "train": len(lengths[0]),
            "valid": len(splits.valid.sources),
            "skipped_lines": coded.skipped,
            "too_long": coded.too_long,
            "unaligned": coded.unaligned,
            "source_tokens": int(lengths[0].sum(dtype=np.int64)),
            "target_tokens": int(lengths[1].sum(dtype=np.int64)),
            "longest_source": longest[0],
            "longest_target": longest[1],
            **{f"{side}_vocabulary": len(words) for side, words in vocabularies.items()},
            **report.document(),
        }
        valid = self.possible(splits.valid, vocabularies)
        coded_valid = self._coded(valid, vocabularies)
        valid_plan = _plan(coded_valid, vocabularies, report.shapes)
        counted = examples.targets.values.dtype.kind == "i"
        counts = token_counts(examples.targets.values if counted else [])
        return TaskData(
            vocabularies,
            feed,
            lambda: valid_plan.batches(0),
            splits.valid,
            splits.test,
            next(feed.batches(0)),
            counts,
            max(len(vocabularies["target"]), len(counts)),  # what is copied has ids behind them
            statistics,
            [
                self._line(statistics),
                f"batches  {report.line()}",
                *self._cut(valid, coded_valid, vocabularies),
                *_leak(config, splits),
            ],
        )

    def example(self, sizes: Mapping[str, int]) -> Batch:
        """Returns the smallest batch; see `Task`."""
        one = Padded(np.zeros((1, 1), np.int32), np.ones((1,), np.int32))
        source = one
        if self.config.model.copying:  # a source token has two ids
            source = one._replace(values=np.zeros((1, 1, 2), np.int32))
        if self.of_vectors:
            source = one._replace(values=np.zeros((1, 1, sizes["source"]), np.float32))
        return Batch(source, one)

    def read(self, paths: Sequence[str], vocabularies: Vocabularies) -> Pairs:
        """Reads pairs; see `Task`."""
        data = self.config.data
        fits = self.readable(vocabularies)
        also = self.unseen_fits(vocabularies["target"].tokens)
        return read_pairs(
            paths,
            on_bad_line=data.on_bad_line,
            lowercase=data.lowercase,
            fits=lambda source, target: fits(source, target) or also(source, target),
            names=self.of_vectors,
        )

    def batches(
        self, examples: Pairs, vocabularies: Vocabularies, statistics: Mapping[str, Any]
    ) -> Iterator[Batch]:
        """Returns batches of the shapes of training and one more if needed; see `Task`."""
        shapes = [Shape(*shape) for shape in statistics["shapes"]]
        coded = self._coded(self.possible(examples, vocabularies), vocabularies)
        return _plan(coded, vocabularies, shapes).batches(0)

    def sayer(
        self,
        say_fn: SayFn,
        vocabularies: Vocabularies,
        announce: AnnounceFn,
        decode: DecodeConfig | None = None,
    ) -> Sayer:
        """Returns what asks a model that says something of each source at once.

        Args:
          say_fn: The model.
          vocabularies: By side.
          announce: Told of compilations.
          decode: How many at a time; by default as the run does.
        """
        return Sayer(
            say_fn,
            self.coder(vocabularies),
            batch_size=(decode or self.config.decode).batch_size,
            announce=announce,
        )

    def states(self, learnt: Learnt, announce: AnnounceFn) -> Sayer:
        """Returns what gives the outputs of the encoder; see `Task`."""
        return self.sayer(encoder_outputs(learnt.learner.model), learnt.vocabularies, announce)

    def look_fn(self, learnt: Learnt, announce: AnnounceFn) -> LookFn:
        """Returns what shows where a model looks, where one does; see `AnsweringTask`."""
        return looks_nowhere

    def _coded(self, pairs: Pairs, vocabularies: Vocabularies) -> Examples:
        """Returns what is not learnt as the model reads it."""
        for target in pairs.targets if not vocabularies["target"].specials else ():
            unknown = vocabularies["target"].unknown(target)
            if unknown is not None:  # files were held against training when they were read
                raise InputError(
                    f"{unknown!r} is a target of what is held out and of nothing that is trained "
                    "on; give validation data with --valid"
                )
        return encode_pairs(pairs, self.coder(vocabularies))

    def _cut(self, valid: Pairs, coded: Examples, vocabularies: Vocabularies) -> list[str]:
        """A line on validation sources that are not read to their end; none if all are, as by
        baselines."""
        if self.config.model.kind != "network":
            return []
        coder, most = self.coder(vocabularies), self.config.data.max_source
        full = np.flatnonzero(coded.sources.lengths == most)  # only these can have been cut
        count = sum(coder.cuts(valid.sources[number]) for number in full)
        return [cut_note(count, len(valid.sources), most, "valid sources")] if count else []

    def _line(self, found: Mapping[str, Any]) -> str:
        """Returns what there is, in one line."""
        left_out = [
            f"{found[name]:,} {why}"
            for name, why in (
                ("skipped_lines", "lines skipped"),
                ("too_long", "pairs too long"),
                ("unaligned", "pairs of too many target tokens for their source"),
            )
            if found[name]
        ]
        kinds = [
            f"{found[f'{side}_vocabulary']:,} {side} {NAMES.get(kind, kind)}"
            for side, kind in self.kinds.items()
        ]
        return (
            f"data     {found['train']:,} train · {found['valid']:,} valid pairs"
            + "".join(f" · {text}" for text in left_out)
            + f" · {', '.join(kinds)} · longest {found['longest_source']} -> "
            f"{found['longest_target']}"
        )


def not_of_training(what: str, names: Sequence[str], known: Container[str]) -> str | None:
    """Returns why names cannot be used, if training has one of them not."""
    strange = next((name for name in names if name not in known), None)
    return None if strange is None else f"training has no {what} {strange!r}"


def _plan(coded: Examples, vocabularies: Vocabularies, shapes: Sequence[Shape]) -> BatchPlan:
    """Returns batches of what is not learnt, in order, of these shapes and more if needed."""
    pad_id = vocabularies["target"].pad_id
    return BatchPlan(coded, fit_shapes(shapes, coded), pad_id, shuffled=False)


def _leak(config: Config, splits: Splits) -> list[str]:
    """A line on validation pairs that are trained on; none for what is held out or on disk."""
    if not config.valid or not isinstance(splits.train, Pairs):
        return []
    count, whole = seen_in_training(splits.valid.both(), splits.train.both()), len(splits.valid[0])
    said = f"{count:,} of {whole:,} valid pairs ({percent(count, whole)}) also stand in train"
    return [f"warning  SJ-D03  {said} (seqjax explain SJ-D03)"] if count else []

"""Music: say which keys sound next in a piece."""

import dataclasses
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import jax.numpy as jnp
import numpy as np

from seqjax.baselines.chords import train_usual_keys
from seqjax.build.chords import build_chord_learner, build_chord_model, piece_splits, read_pieces
from seqjax.build.learner import Learner
from seqjax.build.teacher import Teacher
from seqjax.config import Config, DecodeConfig
from seqjax.data.batching import BatchPlan, Examples, fit_shapes
from seqjax.data.chords import KEYS, Keyboard, Piece, heard_before, to_roll, written
from seqjax.data.coding import PairCoder
from seqjax.data.plan_report import plan_report
from seqjax.data.planning import Shape
from seqjax.data.ragged import Ragged
from seqjax.data.readers import Splits
from seqjax.data.sides import SideKind
from seqjax.data.vocabulary import Vocabulary
from seqjax.errors import InputError
from seqjax.predict.composer import Composer
from seqjax.predict.features import language_outputs
from seqjax.predict.labels import Sayer
from seqjax.predict.voices import Weights
from seqjax.survey.finding import percent
from seqjax.tasks.task import Learnt, Simple, TaskData, Vocabularies
from seqjax.train.compiled import AnnounceFn
from seqjax.types import Batch, Padded


@dataclasses.dataclass(frozen=True)
class Music:
    """Stacked layers hear a piece and say what sounds next, key by key; see `Task`.

    A piece is a row that begins with a state of zeros. Its first chord counts like every other: it
    is said from nothing. The 88 keys of a piano are no vocabulary: there is nothing to learn of
    them before training.

    Attributes:
      config: Of the run.
    """

    config: Config
    loss_unit: ClassVar[str] = "nats per step"
    searches: ClassVar[bool] = False

    @property
    def kinds(self) -> dict[str, SideKind]:
        return {}

    def learner(self, sizes: Mapping[str, int], teachers: Sequence[Teacher] = ()) -> Learner:
        return build_chord_learner(build_chord_model(self.config.model))

    def example(self, sizes: Mapping[str, int]) -> Batch:
        one = Padded(np.zeros((1, 1, KEYS), np.float32), np.ones((1,), np.int32))
        return Batch(one, one)

    def data(self) -> TaskData:
        return self.data_of(piece_splits(self.config))

    def data_of(self, splits: Splits) -> TaskData:
        """Returns the data that these pieces are."""
        config, most = self.config, self.config.data.max_target
        pieces = [piece for piece in splits.train.pieces if len(piece) <= most]
        if not pieces:
            raise InputError(
                f"all {len(splits.train.pieces)} training pieces are longer than "
                f"--data.max-target {most}"
            )
        lengths = [len(piece) for piece in pieces]
        report = plan_report(lengths, lengths, config.data)
        feed = BatchPlan(_examples(pieces), report.shapes, 0, seed=config.seed)
        valid = splits.valid.pieces
        statistics = {
            "task": config.task,
            "fingerprint": _fingerprint(splits.train.pieces),
            "train": len(pieces),
            "valid": len(valid),
            "skipped_lines": splits.train.skipped,
            "too_long": len(splits.train.pieces) - len(pieces),
            "steps": sum(lengths),
            "longest_target": max(lengths),
            **report.document(),
        }
        return TaskData(
            {},
            feed,
            lambda: self.batches(valid, {}, statistics),
            valid,
            None if splits.test is None else splits.test.pieces,
            next(feed.batches(0)),
            np.zeros(0, np.int64),
            KEYS,
            statistics,
            [
                _line(statistics, sum(map(len, valid))),
                f"batches  {report.line()}",
                *_leak(config, valid, splits.train.pieces),
            ],
        )

    def read(self, paths: Sequence[str], vocabularies: Vocabularies) -> list[Piece]:
        """Reads pieces; of a file that is split, those to test on. See `Task`."""
        return read_pieces(self.config, "test", paths).pieces

    def batches(
        self, examples: Sequence[Piece], vocabularies: Vocabularies, statistics: Mapping[str, Any]
    ) -> Iterator[Batch]:
        coded = _examples(examples)
        shapes = fit_shapes([Shape(*shape) for shape in statistics["shapes"]], coded)
        return BatchPlan(coded, shapes, 0, shuffled=False).batches(0)

    def simple(self, data: TaskData) -> Simple:
        """How often each key of the validation data sounds."""
        rolls = [to_roll(piece) for piece in data.valid]
        return Simple(
            {"knowing how often each key sounds": {"loss": train_usual_keys(rolls).cost(rolls)}}
        )

    def states(self, learnt: Learnt, announce: AnnounceFn) -> Sayer:
        outputs_fn = language_outputs(learnt.learner.model)

        def after_chords(weights: Weights, source: Padded) -> Padded:
            heard = jnp.pad(source.values, ((0, 0), (1, 0), (0, 0)))  # nothing is heard first
            found = outputs_fn(weights, Padded(heard, source.lengths + 1))
            return Padded(found.values[:, 1:], source.lengths)

        nothing = Vocabulary("words", ())  # is said of a piece that is only read
        return Sayer(
            after_chords,
            PairCoder(Keyboard(), nothing),
            batch_size=self.config.decode.batch_size,
            announce=announce,
        )

    def continuer(
        self,
        learnt: Learnt,
        decode: DecodeConfig,
        announce: AnnounceFn,
        *,
        forbidden: Sequence[str] = (),
    ) -> Composer:
        """Returns what draws how a piece goes on; see `ContinuingTask`."""
        model: Any = learnt.learner.model
        return Composer(model, decode, announce=announce)


def _examples(pieces: Sequence[Piece]) -> Examples:
    """Returns what is heard before each step, and what sounds at it."""
    rolls = [to_roll(piece) for piece in pieces]
    heard = Ragged.of(map(heard_before, rolls), np.float32)
    return Examples(heard, Ragged.of(rolls, np.float32))


def _fingerprint(pieces: Sequence[Piece]) -> str:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update((written(piece) + "\n").encode())
    return digest.hexdigest()


def _line(found: Mapping[str, Any], valid_steps: int) -> str:
    left_out = [
        f" · {found[name]:,} {why}"
        for name, why in (("skipped_lines", "pieces skipped"), ("too_long", "pieces too long"))
        if found[name]
    ]
    return (
        f"data     {found['train']:,} train · {found['valid']:,} valid pieces · "
        f"{found['steps']:,} · {valid_steps:,} steps{''.join(left_out)} · "
        f"longest {found['longest_target']}"
    )


def _leak(config: Config, valid: Sequence[Piece], train: Sequence[Piece]) -> list[str]:
    """A line on validation pieces that are trained on; of the built-in ones, none."""
    known = set(train) if config.train else set()
    count = sum(piece in known for piece in valid)
    said = f"{count:,} of {len(valid):,} valid pieces ({percent(count, len(valid))})"
    told = f"warning  SJ-D03  {said} also stand in train (seqjax explain SJ-D03)"
    return [told] if count else []

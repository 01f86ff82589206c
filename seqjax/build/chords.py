"""From configuration to pieces of music, and to a network that learns from them."""

import functools
from typing import Any

import numpy as np

from seqjax.build.learner import Learner, applied
from seqjax.build.model import build_cell, build_compute_dtype, build_stack, build_unroll
from seqjax.build.splits import MOST_VALID, VALID_SHARE, embedded_splits
from seqjax.cells.cell import CellFn
from seqjax.config import Config, ModelConfig
from seqjax.data.chords import KEYS, Pieces
from seqjax.data.music import read_music
from seqjax.data.readers import Splits
from seqjax.errors import InputError
from seqjax.losses import chord_means
from seqjax.metrics.likelihood import step_scores
from seqjax.models.chord_model import ChordModel
from seqjax.types import Batch, Key, Parameters


def piece_splits(config: Config) -> Splits:
    """Returns pieces, each split as `Pieces`.

    A training file that is split already (see `read_music`) is used as it is.

    Raises:
      InputError: If a file cannot be used, or is too short to hold some out.
    """
    if not config.train:
        return embedded_splits(config)
    train, valid, test = read_music(_one("train", config.train), on_bad_line=_bad(config))
    if config.valid:
        if valid is not None:
            raise InputError(f"{config.train[0]}: holds valid data itself; leave --valid out")
        return Splits(train, read_pieces(config, "valid", config.valid), test)
    if valid is None:
        train, valid = _held_out(config.train[0], train, config.seed)
    return Splits(train, valid, test)


def read_pieces(config: Config, name: str, paths: Any) -> Pieces:
    """Returns the pieces of one file; of a file with several sets, those that are called `name`.

    Raises:
      InputError: If the file cannot be used, or has no such set.
    """
    found = read_music(_one(name, paths), on_bad_line=_bad(config))
    chosen = found.train if found.valid is found.test is None else getattr(found, name)
    if chosen is None:
        raise InputError(f"{paths[0]}: holds no {name} data; give another file")
    return chosen


def _bad(config: Config) -> Any:
    return config.data.on_bad_line


def _one(name: str, paths: Any) -> str:
    if len(paths) > 1:
        raise InputError(f"music is one file, got {len(paths)} as {name} data")
    return paths[0]


def _held_out(place: str, train: Pieces, seed: int) -> tuple[Pieces, Pieces]:
    """Whole pieces are held out, with all copies of them."""
    distinct = sorted(set(train.pieces))
    count = min(max(round(len(distinct) * VALID_SHARE), 1), MOST_VALID)
    if len(distinct) < 2:
        raise InputError(f"{place}: one piece is too few to hold some out; give --valid FILE")
    order = np.random.default_rng(seed).permutation(len(distinct))
    held = {distinct[number] for number in order[:count]}
    kept, out = ([piece for piece in train.pieces if (piece in held) == side] for side in (0, 1))
    return Pieces(kept, train.skipped), Pieces(out)


def build_chord_model(config: ModelConfig, *, cell_fn: CellFn | None = None) -> ChordModel:
    """Returns a model of music; for `cell_fn` see `build_seq2seq`."""
    cell_fn = cell_fn or functools.partial(build_cell, config)
    return ChordModel(
        keys=KEYS,
        features=config.embedding_size,
        cells=build_stack(cell_fn, config, config.embedding_size),
        dropout_rate=config.dropout,
        same_dropout=config.same_dropout,
        residual=config.residual,
        unroll_fn=build_unroll(config),
        compute_dtype=build_compute_dtype(config),
    )


def build_chord_learner(model: ChordModel) -> Learner:
    """Returns the task of saying the next chord of a piece, which begins from nothing."""

    def asked(params: Parameters, batch: Batch) -> tuple:
        carry = model.initial_carry(batch.inputs.lengths.shape[0])
        return {"params": params}, batch.inputs, carry

    def loss_fn(
        params: Parameters, memory: Any, batch: Batch, key: Key, step: Any, *, train: bool, given=()
    ):
        (_, logits), _ = applied(model, asked(params, batch), key, train)
        targets: Any = batch.targets
        loss, means = chord_means(logits, targets)
        return loss, (means, memory)

    def init(batch: Batch, key: Key) -> Parameters:
        variables: Any = model.init(key, *asked({}, batch)[1:])
        return variables["params"]

    return Learner(model, init, loss_fn, (), {}, scores_fn=step_scores)

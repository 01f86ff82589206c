"""Weights of another run as the start of a new one, token by token where they belong to tokens."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from seqjax.build.tables import Tables, vocabulary_axis, vocabulary_of
from seqjax.config import Config
from seqjax.data.vocabulary import SPECIALS, Vocabulary
from seqjax.errors import InputError
from seqjax.rundir import load_weights, open_run
from seqjax.train.paths import check_patterns, flat, map_with_paths, named
from seqjax.types import Parameters


class Match(NamedTuple):
    """Where one weight starts from.

    Attributes:
      values: The other run's weight.
      axis: Which axis of it are tokens, or None.
      ours, theirs: Ids of the shared tokens here and there, in the same order.
    """

    values: np.ndarray
    axis: int | None = None
    ours: np.ndarray | None = None
    theirs: np.ndarray | None = None


class Start(NamedTuple):
    """What a run takes from another one.

    Attributes:
      matches: By the path of the weight.
      lines: What there is to say about it.
    """

    matches: Mapping[str, Match]
    lines: tuple[str, ...]


NOTHING = Start({}, ())


def build_start(
    config: Config, shapes: Any, vocabularies: Mapping[str, Any], tables: Tables
) -> Start:
    """Returns what `config.start_from` has for a model of these `shapes`.

    Every weight is taken, or those that `config.start_from_parts` name. Tokens are known by their
    text; their rows of an embedding, and their columns and biases of an output layer, are taken,
    and those of other tokens stay as they begin.

    Raises:
      InputError: If it is no such run, or a weight that is wanted is missing there or of another
        shape.
    """
    if config.start_from is None:
        return NOTHING
    run = open_run(config.start_from)
    task = run.read_network_config().task
    if task != config.task:
        raise InputError(f"{run.path}: is a {task} run, and what is to be trained a {config.task}")
    there = flat(load_weights(run.best_weights)[0])
    here, patterns = flat(shapes), config.start_from_parts
    _refuse_unknown(shapes, here, there, patterns, str(run.path))
    ours = {side: one for side, one in vocabularies.items() if isinstance(one, Vocabulary)}
    pairs = {
        side: _shared(one, Vocabulary.load(run.vocabulary, side)) for side, one in ours.items()
    }
    matches, used = {}, set()
    for path in here:
        if patterns and not named(path, patterns):
            continue
        names = tuple(path.split("/"))
        side, axis = vocabulary_of(names, tables), vocabulary_axis(names)
        _refuse_shape(path, here[path].shape, there[path].shape, axis, str(run.path))
        matches[path] = Match(there[path], axis, *(pairs[side] if side else ()))
        used.add(side)
    lines = [f"start    {len(matches)} of {len(here)} weights from {run.path}"]
    for side in (side for side in ours if side in used):
        shared, whole = len(pairs[side][0]) - len(SPECIALS), len(ours[side].tokens)
        lines.append(
            f"start    {shared:,} of {whole:,} {side} tokens are known there, "
            f"{whole - shared:,} begin anew"
        )
    return Start(matches, tuple(lines))


def started(params: Parameters, start: Start) -> Parameters:
    """Returns the weights with what the other run has in place of theirs."""

    def taken(path: str, leaf):
        match = start.matches.get(path)
        if match is None:
            return leaf
        if match.axis is None:
            return jnp.asarray(match.values, leaf.dtype)
        mixed, values = np.moveaxis(np.array(leaf), match.axis, 0), match.values
        mixed[match.ours] = np.moveaxis(values, match.axis, 0)[match.theirs]
        return jnp.asarray(np.moveaxis(mixed, 0, match.axis))

    return map_with_paths(taken, params) if start.matches else params


def _shared(ours: Vocabulary, theirs: Vocabulary) -> tuple[np.ndarray, np.ndarray]:
    special = range(len(SPECIALS))
    tokens = [token for token in ours.tokens if token in theirs.ids]
    return (
        np.array([*special, *(ours.ids[token] for token in tokens)]),
        np.array([*special, *(theirs.ids[token] for token in tokens)]),
    )


def _refuse_unknown(
    shapes: Any, here: dict[str, Any], there: dict[str, Any], patterns: Sequence[str], run: str
) -> None:
    try:
        check_patterns(shapes, patterns, "--start-from-parts")
    except ValueError as error:
        raise InputError(str(error)) from None
    wanted = {path for path in here if not patterns or named(path, patterns)}
    for path in sorted(wanted - there.keys()):
        raise InputError(f"{run}: has no {path}; {_MEND}")
    for path in sorted(there.keys() - here.keys()) if not patterns else ():
        raise InputError(f"{run}: has {path}, which the model to be trained lacks; {_MEND}")


def _refuse_shape(
    path: str, ours: tuple[int, ...], theirs: tuple[int, ...], axis: int | None, run: str
) -> None:
    """Axes of tokens may differ, others not."""
    kept = [
        tuple(size for number, size in enumerate(shape) if number != axis)
        for shape in (ours, theirs)
    ]
    if kept[0] != kept[1]:
        raise InputError(f"{run}: {path} is {theirs} there and {ours} here; {_MEND}")


_MEND = "choose the same --model settings, or name what to take with --start-from-parts"

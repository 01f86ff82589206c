"""The mean of the weights of several runs, or of the last checkpoints of a run, as a run."""

import json
import shutil
from collections.abc import Sequence

import numpy as np

from seqjax.errors import InputError
from seqjax.rundir import RunDir, create_run, save_weights
from seqjax.runs.trained import Trained, load_network
from seqjax.train.checkpoint import Checkpoints
from seqjax.train.paths import flat, map_with_paths
from seqjax.types import Parameters


def average(runs: Sequence[str], output: str, last: int | None = None) -> list[str]:
    """Writes the mean to a run directory of its own, and returns what went into it.

    Of every run its best weights go in, or with `last` those of its newest checkpoints (the moving
    average where the run keeps one, as for an evaluation). Each counts the same. Everything else is
    that of the first run; there is no history, and no training to go on with.

    Raises:
      InputError: If a run is none, if they do not fit together, if there are fewer checkpoints, or
        if there is a run at `output` already.
    """
    trained = [load_network(path) for path in runs]
    first = trained[0]
    for other in trained[1:]:
        _refuse_others(first, other)
    sources, total = [], None
    for one in trained:
        for name, params in _weights(one, last):
            sources.append(name)
            wide = map_with_paths(lambda path, leaf: np.asarray(leaf, np.float64), params)
            total = wide if total is None else map_with_paths(_add, total, wide)
    mean = map_with_paths(lambda path, leaf: (leaf / len(sources)).astype(np.float32), total)
    _write(create_run(output), first, mean, sources)
    return sources


def _add(path: str, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return one + other


def _weights(trained: Trained, last: int | None) -> list[tuple[str, Parameters]]:
    """What each goes by, and its weights."""
    if last is None:
        return [(str(trained.run.best_weights), trained.params)]
    checkpoints = Checkpoints(trained.run.checkpoints)
    steps = checkpoints.steps()[-last:]
    if len(steps) < last:
        raise InputError(
            f"{trained.run.path}: has {len(steps)} checkpoints, --last {last} needs more; train "
            f"with --keep {last}"
        )
    return [(f"{trained.run.checkpoints}/{step}", checkpoints.weights(step)) for step in steps]


def _refuse_others(first: Trained, other: Trained) -> None:
    """Weights can be averaged if every number stands for the same thing."""
    here, there = flat(first.params), flat(other.params)
    for path in sorted(here.keys() | there.keys()):
        ours, theirs = (side[path].shape if path in side else "nothing" for side in (here, there))
        if ours != theirs:
            raise InputError(
                f"{other.run.path}: {path} is {theirs} there and {ours} in {first.run.path}; "
                f"give runs of equal models"
            )
    for side, vocabulary in first.vocabularies.items():
        if other.vocabularies[side].fingerprint() != vocabulary.fingerprint():
            raise InputError(
                f"{other.run.path}: its {side} vocabulary is not that of {first.run.path}; "
                f"give runs of equal vocabularies"
            )


def _write(run: RunDir, first: Trained, mean: Parameters, sources: list[str]) -> None:
    if run.config.exists() or run.best_weights.exists():
        raise InputError(f"{run.path}: a run is there already; choose another --output")
    run.write_config(first.config)
    shutil.copytree(first.run.vocabulary, run.vocabulary)
    shutil.copyfile(first.run.data, run.data)
    save_weights(run.best_weights, mean, {"averaged": json.dumps(sources)})

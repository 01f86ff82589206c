"""The short road: from a configuration to a fitted baseline."""

import time
from typing import NamedTuple

from seqjax.config import Config
from seqjax.errors import InputError
from seqjax.rundir import RunDir, create_run, locked, save_weights
from seqjax.runs.fitted import KIND
from seqjax.runs.going_on import Resume, describe, prepare
from seqjax.runs.spectator import Silent, Spectator
from seqjax.tasks.choose import build_baseline
from seqjax.tasks.task import TaskData


class Fit(NamedTuple):
    """How a fit ended.

    Attributes:
      run: Where everything is.
      data: What it was fitted to.
      seconds: That it took.
      finished_before: Nothing was left to do, and nothing was touched.
    """

    run: RunDir
    data: TaskData
    seconds: float
    finished_before: bool = False


def fit(
    config: Config,
    spectator: Spectator = Silent(),
    *,
    resume: Resume = "auto",
    overwrite: bool = False,
) -> Fit:
    """Fits the baseline that `config` describes, in one go.

    Args:
      config: With a `run_dir`.
      spectator: Told of everything as it happens.
      resume: Whether the directory must be unused (`never`); there is no half a fit to go on with.
      overwrite: Remove what an earlier training left there, once there is something better.

    Raises:
      InputError: If data, run directory or configuration cannot be used, or another process trains
        there.
    """
    kind = config.model.kind
    assert config.run_dir is not None
    if resume == "must":
        raise InputError(
            f"{config.run_dir}: --resume must, but {kind} is fitted in one go and nothing is left "
            "to go on with; leave --resume out"
        )
    run = create_run(config.run_dir)
    with locked(run.lock, spectator.note):
        if not overwrite:
            prepare(run, config, resume=resume)
        baseline = build_baseline(config)
        material = baseline.material()
        for line in (*material.data.summary, f"model    {kind}"):
            spectator.note(line)
        if run.best_weights.exists() and not overwrite:
            describe(run, config, material.data)
            return Fit(run, material.data, 0.0, finished_before=True)
        started = time.monotonic()
        arrays = baseline.fit(material)
        seconds = time.monotonic() - started
        if overwrite:
            run.clear()
        describe(run, config, material.data)
        save_weights(run.best_weights, arrays, {KIND: kind})
    return Fit(run, material.data, seconds)

"""Whether a run may be gone on with, from where, and what it is said to be."""

import dataclasses
import json
from collections.abc import Callable
from typing import Any, Literal

from seqjax.config import Config, differing_fields
from seqjax.errors import InputError
from seqjax.files import write_text
from seqjax.rundir import RunDir
from seqjax.tasks.task import TaskData
from seqjax.train.checkpoint import Checkpoints
from seqjax.train.processes import gathered, jointly
from seqjax.train.progress import Progress
from seqjax.train.step import TrainState

Resume = Literal["auto", "must", "never"]
"""What to do in a directory: go on if there is something to go on from, only then, or not at all.
"""
MAY_CHANGE = (
    *("train", "valid", "run_dir", "steps", "epochs", "minutes", "save_every", "keep"),
    *("decode.", "mesh.", "data.store"),
)
"""Settings that a run may be continued with another value of (files by what is in them)."""


def prepare(run: RunDir, config: Config, *, resume: Resume) -> None:
    """Refuses what may not be gone on with.

    Raises:
      InputError: If `resume` says otherwise than the directory, or the settings are not those that
        the run was begun with.
    """
    Checkpoints(run.checkpoints).sweep()
    if resume == "must" and not Checkpoints(run.checkpoints).steps():
        raise InputError(
            f"{run.path}: --resume must, but no checkpoint is there to go on from; "
            f"give the directory of a run that has saved one, or leave --resume out"
        )
    if resume == "never" and (run.config.exists() or Checkpoints(run.checkpoints).steps()):
        raise InputError(
            f"{run.path}: --resume never, but a run is there already; choose another --run-dir, "
            f"or --overwrite to start anew"
        )
    _refuse_another_config(run, config)


def _refuse_another_config(run: RunDir, config: Config) -> None:
    """A run goes on with the settings it was begun with, or it is another run."""
    if not run.config.exists():
        return
    before = run.read_config()
    falls = config.optimizer.needs_last_step
    allowed = tuple(n for n in MAY_CHANGE if not (falls and n in ("steps", "epochs")))
    changed = [
        f"{name} {old!r} -> {new!r}"
        for name, old, new in differing_fields(before, config)
        if not name.startswith(allowed)
    ]
    if changed:
        raise InputError(
            f"{run.path}: begun with other settings ({', '.join(changed)}); "
            f"choose another --run-dir, or --overwrite to start anew"
        )


def describe(run: RunDir, config: Config, data: TaskData) -> None:
    """Writes config, vocabularies and statistics, unless they stand there.

    Raises:
      InputError: If the run was begun on other data.
    """
    begun = run.data.exists()
    if begun and run.read_statistics().get("fingerprint") != data.statistics["fingerprint"]:
        raise InputError(
            f"{run.path}: the training data is not what the run was begun with; "
            f"choose another --run-dir, or --overwrite to start anew"
        )
    if not run.config.exists() or run.read_config() != config:
        run.write_config(config)
    if not (begun and run.vocabulary.is_dir()):
        run.vocabulary.mkdir(exist_ok=True)
        for name, vocabulary in data.vocabularies.items():
            vocabulary.save(run.vocabulary, name)
        # Last: where it stands, all of this does.
        write_text(run.data, json.dumps(data.statistics, indent=2, ensure_ascii=False) + "\n")


def refuse_other_data(run: RunDir, data: TaskData) -> None:
    """Raises InputError unless all processes have read the same."""
    found = gathered(data.statistics["fingerprint"])
    other = next((index for index, said in enumerate(found) if said != found[0]), None)
    if other is not None:
        raise InputError(
            f"{run.path}: process {other} has read other training data than process 0; give all "
            f"of them the same files and settings"
        )


def refuse_another_directory(run: RunDir) -> None:
    """Raises InputError unless this process sees what the first one has written."""
    if not run.config.exists():
        raise InputError(
            f"{run.path}: one of the processes does not see what the first one has written there; "
            f"--run-dir must be on a file system that all of them share"
        )


def restored(
    checkpoints: Checkpoints, state: TrainState, run: RunDir, note: Callable[[str], None]
) -> tuple[TrainState, Progress]:
    """Returns where the run goes on, and makes its history end there.

    Args:
      checkpoints: Of the run.
      state: What it begins with if nothing was saved; its structure and devices in any case.
      run: The run.
      note: Told of damage, and where the run goes on.

    Raises:
      InputError: If no checkpoint is whole, they are another model's, or those of a training that
        came to its end are gone.
    """
    found = checkpoints.restore(state, lambda text: note(f"warning  {text}"))
    steps = gathered(int(found[0].step) if found else None)
    if len(set(steps)) > 1:
        raise InputError(
            f"{run.path}: the processes would go on from different steps ({steps}); --run-dir must "
            f"be on a file system that all of them share"
        )
    if found is None:
        if run.results.exists():
            raise InputError(
                f"{run.checkpoints}: no checkpoint is left of a training that has ended; restore "
                f"it, choose another --run-dir, or --overwrite to start anew"
            )
        jointly(lambda: run.history.keep_until(0), first_only=True)
        return state, Progress()
    state, stored = found
    progress = progress_of(checkpoints, stored)
    jointly(lambda: keep_history(run, progress), first_only=True)
    return state, progress


def keep_history(run: RunDir, progress: Progress) -> None:
    """Makes a run's history end where it stands."""
    run.history.keep_until(
        progress.step, validated=progress.validated_step, rolled_back=progress.rolled_back
    )


def progress_of(checkpoints: Checkpoints, stored: dict[str, Any]) -> Progress:
    """Returns what was saved of where a run stands.

    Raises:
      InputError: If it is no such thing.
    """
    kinds = {entry.name: type(getattr(Progress(), entry.name)) for entry in _FIELDS}
    kinds["best"] = float
    for name, value in stored.items():
        kind = kinds.get(name)
        if kind is None or not isinstance(value, (kind, int) if kind is float else kind):
            if name == "best" and value is None:
                continue
            raise InputError(
                f"{checkpoints.directory}: progress has {str(name)[:40]} = {str(value)[:40]}; "
                f"it was saved by another version or changed by hand"
            )
    return Progress(**stored)


_FIELDS = dataclasses.fields(Progress)

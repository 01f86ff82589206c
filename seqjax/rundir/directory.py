"""The run directory: the one place that knows what its files are called."""

import dataclasses
import difflib
import os
import shutil
from pathlib import Path
from typing import Any

from seqjax.config import Config
from seqjax.errors import InputError
from seqjax.files import parse_json, read_text, writing
from seqjax.rundir import config_file
from seqjax.rundir.history import History

MOST_TOKENS = 1 << 26
"""That a batch may have, padding counted, in a run which we did not train."""


@dataclasses.dataclass(frozen=True)
class RunDir:
    """Where the files of one run stand. Making one touches nothing on disk.

    Attributes:
      path: The directory, as the user wrote it.
    """

    path: Path

    @property
    def config(self) -> Path:
        """Every setting of the run."""
        return self.path / "config.json"

    @property
    def vocabulary(self) -> Path:
        """Directory of what turns text into ids and back."""
        return self.path / "vocabulary"

    @property
    def data(self) -> Path:
        """Statistics of the training data."""
        return self.path / "data.json"

    @property
    def metrics(self) -> Path:
        """One JSON object a line, in the order of training."""
        return self.path / "metrics.jsonl"

    @property
    def history(self) -> History:
        """What `metrics` holds."""
        return History(self.metrics)

    @property
    def results(self) -> Path:
        """What the finished run scored."""
        return self.path / "results.json"

    @property
    def checkpoints(self) -> Path:
        """Directory of all that training needs in order to go on."""
        return self.path / "checkpoints"

    @property
    def best_weights(self) -> Path:
        """Weights of the best validation so far."""
        return self.path / "best.safetensors"

    @property
    def pictures(self) -> Path:
        """Directory of figures."""
        return self.path / "pictures"

    @property
    def crash(self) -> Path:
        """Directory of batches after which training could not go on."""
        return self.path / "crash"

    @property
    def lock(self) -> Path:
        """Held by the process that trains; not there otherwise."""
        return self.path / "trainer.lock"

    @property
    def process_logs(self) -> Path:
        """Directory of what libraries said in each of several processes, in use from before a run
        is cleared until they end."""
        return self.path / "processes"

    @property
    def events(self) -> Path:
        """Directory of TensorBoard's event files."""
        return self.path / "events"

    @property
    def profile(self) -> Path:
        """Directory of what the device did in some steps, if that was recorded."""
        return self.path / "profile"

    @property
    def answers(self) -> Path:
        """Directory of decoded examples."""
        return self.path / "answers"

    def everything(self) -> tuple[Path, ...]:
        """Returns all that a run writes, whether it is there yet or not."""
        return (
            *(self.config, self.vocabulary, self.data, self.metrics, self.results),
            *(
                self.checkpoints,
                self.best_weights,
                self.pictures,
                self.events,
                self.answers,
                self.profile,
            ),
            self.crash,
        )

    def write_config(self, config: Config) -> None:
        """Stores `config`; see `config_file.write_config`."""
        config_file.write_config(self.config, config)

    def read_config(self) -> Config:
        """Returns the stored config with this directory as `run_dir`; see `config_file`."""
        return dataclasses.replace(config_file.read_config(self.config), run_dir=str(self.path))

    def read_network_config(self) -> Config:
        """Returns `read_config`, for what takes a network.

        Raises:
          InputError: If the run is a baseline.
        """
        config = self.read_config()
        if config.model.kind != "network":
            raise InputError(
                f"{self.path}: is of model.kind {config.model.kind}; this takes a network"
            )
        return config

    def read_statistics(self) -> dict[str, Any]:
        """Returns what is stored of the training data.

        Raises:
          InputError: If it cannot be read, or claims batches of more than `MOST_TOKENS`.
        """
        try:
            found = parse_json(read_text(self.data))
        except ValueError as error:
            raise InputError(f"{self.data}: broken JSON ({error}); restore the file") from None
        match found:
            case {"task": "language-model", "fingerprint": str()}:
                return found
            case {
                "task": str(),
                "fingerprint": str(),
                "shapes": [_, *_] as shapes,
                "longest_target": longest,
            } if all(map(_is_batch, [*shapes, [1, longest, 1]])):
                return found
            case _:
                raise InputError(f"{self.data}: not the statistics of a run; restore the file")

    def clear(self) -> None:
        """Removes what a run writes here and nothing else. Links are removed, not followed."""
        for path in self.everything():
            with writing(path):
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                else:
                    path.unlink(missing_ok=True)


def create_run(path: str | os.PathLike[str]) -> RunDir:
    """Makes the directory and its parents, unless they are there, and returns the run.

    Raises:
      InputError: If a file is in the way, nothing may be written there, or a file of the run is a
        link that leads out of the directory.
    """
    run = RunDir(Path(path))
    probe = run.path / f".probe.{os.getpid()}"
    try:
        run.path.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except (FileExistsError, NotADirectoryError):
        raise InputError(
            f"{run.path}: a file is in the way of the run directory; choose another with --run-dir"
        ) from None
    except OSError as error:
        raise InputError(
            f"{run.path}: cannot be written ({error.strerror}); choose another with --run-dir"
        ) from None
    _refuse_links_outwards(run)
    return run


def open_run(path: str | os.PathLike[str]) -> RunDir:
    """Returns the run at `path`; it has a config and weights.

    Raises:
      InputError: If there is no such directory (the nearest run beside it is named), it is no run,
        nothing has been learnt in it yet, or a link leads out of it.
    """
    run = RunDir(Path(path))
    if run.path.exists() and not run.path.is_dir():
        raise InputError(f"{run.path}: a file; give the run directory, perhaps {run.path.parent}")
    if not run.path.exists():
        near = difflib.get_close_matches(run.path.name, _runs_in(run.path.parent), n=1)
        hint = f"did you mean {run.path.parent / near[0]}?" if near else "seqjax train makes one"
        raise InputError(f"{run.path}: there is no such run; {hint}")
    if not run.config.exists():
        inside = _runs_in(run.path)
        hint = f"did you mean {run.path / inside[0]}?" if inside else "seqjax train makes one"
        raise InputError(f"{run.path}: not a run, it has no {run.config.name}; {hint}")
    _refuse_links_outwards(run)
    if not run.best_weights.exists():
        if run.results.exists():
            raise InputError(
                f"{run.path}: this run has lost its {run.best_weights.name}; restore it, or train "
                "anew with --overwrite"
            )
        raise InputError(
            f"{run.path}: this run has no {run.best_weights.name} yet; wait for its first "
            f"validation or go on with seqjax train --config {run.config} --run-dir {run.path}"
        )
    return run


def _runs_in(directory: Path) -> list[str]:
    """Returns the names of the runs in `directory`, sorted; none if it is missing or closed."""
    try:
        return sorted(entry.parent.name for entry in directory.glob("*/config.json"))
    except OSError:
        return []


def _refuse_links_outwards(run: RunDir) -> None:
    home = run.path.resolve()
    for folder, folders, files in os.walk(run.path):  # which follows none
        for name in [*folders, *files]:
            path = Path(folder, name)
            if path.is_symlink() and not path.resolve().is_relative_to(home):
                raise InputError(f"{path}: a link that leads out of the run directory; remove it")


def _is_batch(shape: Any) -> bool:
    """Whether these are source tokens, target tokens and rows, and not too many of them."""
    match shape:
        case [int(source), int(target), int(rows)] if min(shape) >= 0:
            return rows * max(source, target) <= MOST_TOKENS
        case _:
            return False

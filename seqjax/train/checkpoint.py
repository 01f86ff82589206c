"""Saving and restoring everything a run needs to go on: one directory a step.

`arrays-<process>-of-<processes>.safetensors` holds what that process has of the state, and says in
its header what the state is as a whole; `progress.json` says where the run stands. Layout and
seals are those of `seqjax.rundir.steps`.
"""

import contextlib
import json
import re
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np

from seqjax.errors import InputError, first_line
from seqjax.files import parse_json, read_bytes
from seqjax.rundir.steps import DamagedError, Steps
from seqjax.rundir.tensors import Tensors, open_tensors, write_tensors
from seqjax.train.parts import Leaf, Piece, described, joined, located, parts_of, placed
from seqjax.train.processes import is_first, jointly, told
from seqjax.train.step import TrainState
from seqjax.types import Parameters

PROGRESS = "progress.json"
TREE = "tree"
"""Key of a file's metadata that says what the whole state is: `{leaf: [shape, dtype]}`."""


class Checkpoints:
    """The checkpoints of a run; the newest `keep` of them stay.

    An older one goes after the newer one is sealed. Only one training at a time may save; its
    processes all call the same methods, each writes what it has, and the first one seals it.
    """

    def __init__(self, directory: Path, *, keep: int = 2):
        self.directory = directory
        self._steps, self._keep = Steps(directory), keep

    def steps(self) -> list[int]:
        """Returns the steps that are there, oldest first, damaged or not."""
        return self._steps.numbers()

    def sweep(self) -> None:
        """Removes what a process left here that was killed while it saved."""
        self._steps.sweep()

    def save(self, state: TrainState, progress: dict[str, Any], *, again: bool = False) -> None:
        """Writes one step; one that is there already and whole stays as it is, unless `again`.

        Raises:
          InputError: If it cannot be written (a full disk, a directory made read-only). What was
            saved before is untouched.
        """
        step = int(state.step)
        if not again and told(step in self.steps() and self._is_whole(step)):
            return

        def seal() -> None:
            (folder / PROGRESS).write_text(_progress_text(progress), encoding="utf-8")
            self._steps.commit(step)

        folder = self._steps.hidden(step)
        try:
            try:
                jointly(lambda: self._steps.begin(step), first_only=True)
                jointly(lambda: _write_own_parts(folder, state))
                jointly(seal, first_only=True)
            finally:
                if is_first():
                    self._steps.abandon(step)
        except OSError as error:
            raise InputError(
                f"{self.directory}: step {step} could not be saved "
                f"({error.strerror or first_line(error)}); earlier checkpoints are intact: make "
                f"room and run the same command again"
            ) from error
        if is_first():
            with contextlib.suppress(OSError):  # the next save tries again
                self._steps.prune(step, self._keep)

    def restore(
        self, template: TrainState, warn: Callable[[str], None], *, good: bool = False
    ) -> tuple[TrainState, dict[str, Any]] | None:
        """Returns the newest whole step and its progress, or None if there is none to go on from.

        Args:
          template: A state of the right structure, shapes and dtypes, on the devices that shall
            hold it.
          warn: Told, in one line, which steps had to be passed over and why.
          good: Pass over steps that were saved while updates were being skipped.

        Raises:
          InputError: If there are steps but none is whole, or the newest whole one is of another
            model or optimizer.
        """
        steps, damaged, reason = self.steps(), [], ""
        for step in reversed(steps):
            try:
                state, progress = self._read(step, template)
            except DamagedError as error:
                reason = reason or str(error)
                damaged.append(step)
                continue
            if good and int(state.skipped_in_a_row):
                continue
            if damaged:
                warn(
                    f"checkpoint of step {_listed(damaged)} is damaged ({reason}); "
                    f"going on from step {step}"
                )
            return state, progress
        if damaged:
            raise InputError(
                f"{self.directory}: no checkpoint is whole (steps {_listed(damaged)}: {reason}); "
                f"bring one back, or start anew with seqjax train ... --overwrite"
            )
        return None

    def weights(self, step: int) -> Parameters:
        """Returns the weights of a step as NumPy arrays: their average where it has one.

        Raises:
          InputError: If the step is damaged.
        """
        try:
            names, home = self._steps.verify(step), self._steps.path(step)
            stored = _Stored([open_tensors(home / name) for name in _complete(names)])
            found: Parameters = {}
            for kind in ("average/", "params/"):
                for name, leaf in stored.leaves.items():
                    if name.startswith(kind):
                        whole = tuple(slice(0, size) for size in leaf.shape)
                        *rooms, last = name.removeprefix(kind).split("/")
                        inner = found
                        for room in rooms:
                            inner = inner.setdefault(room, {})
                        inner[last] = stored.read(name, whole)
                if found:
                    break
            return found
        except (DamagedError, OSError, ValueError) as error:
            raise InputError(
                f"{self._steps.path(step)}: damaged ({error}); leave it out or bring it back"
            ) from None

    def _is_whole(self, step: int) -> bool:
        try:
            self._steps.verify(step)
        except DamagedError:
            return False
        return True

    def _read(self, step: int, template: TrainState) -> tuple[TrainState, dict[str, Any]]:
        names, home = self._steps.verify(step), self._steps.path(step)
        try:
            progress = parse_json(read_bytes(home / PROGRESS))
            files = [open_tensors(home / name) for name in _complete(names)]
            stored = _Stored(files)
        except (OSError, ValueError, InputError) as error:
            raise DamagedError(_without(home, error)) from None
        if not isinstance(progress, dict):
            raise DamagedError(f"{PROGRESS} is no object")
        self._refuse_another_tree(step, stored.leaves, described(template))
        try:
            return placed(template, stored.read), progress
        except (InputError, ValueError) as error:
            raise DamagedError(_without(home, error)) from None

    def _refuse_another_tree(self, step: int, there: dict[str, Leaf], here: dict[str, Leaf]):
        for name in sorted(there.keys() | here.keys()):
            if there.get(name) != here.get(name):
                before, now = (_words(side.get(name)) for side in (there, here))
                raise InputError(
                    f"{self.directory}: step {step} is of another model or optimizer: {name} is "
                    f"{before} there and {now} here; go on with the settings it was begun with"
                )


class _Stored:
    """The state in the files of one step."""

    def __init__(self, files: list[Tensors]):
        self.leaves = _tree(files)
        self._pieces: dict[str, list[tuple[Piece, Tensors, str]]] = defaultdict(list)
        for file in files:
            for part, entry in file.entries.items():
                name, piece = located(part, entry.shape, self.leaves)
                leaf = self.leaves[name]
                ends = (a + n for a, n in zip(piece.start, piece.shape, strict=True))
                if len(entry.shape) != len(leaf.shape) or any(
                    end > size for end, size in zip(ends, leaf.shape, strict=True)
                ):
                    raise ValueError(f"{part} reaches out of {name}")
                if not leaf.dtype.startswith("key") and entry.dtype.name != leaf.dtype:
                    raise ValueError(f"{part} is {entry.dtype.name}, not {leaf.dtype}")
                self._pieces[name].append((piece, file, part))

    def read(self, name: str, region: tuple[slice, ...]) -> np.ndarray:
        """Returns a region of a leaf; see `parts.joined`."""
        pieces = self._pieces[name]
        dtype = pieces[0][1].entries[pieces[0][2]].dtype if pieces else np.dtype(np.uint32)
        readers = [(piece, lambda f=file, p=part: f.read(p)) for piece, file, part in pieces]
        try:
            return joined(readers, region, dtype)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None


def _arrays(process: int, processes: int) -> str:
    return f"arrays-{process:05}-of-{processes:05}.safetensors"


def _write_own_parts(folder: Path, state: TrainState) -> None:
    own = parts_of(state, others_have_the_rest=not is_first())
    name = _arrays(jax.process_index(), jax.process_count())
    write_tensors(folder / name, own, _header(state))


def _complete(names: list[str]) -> list[str]:
    """Returns the files of arrays, one of each process."""
    found = [name for name in names if re.fullmatch(r"arrays-\d{5}-of-\d{5}\.safetensors", name)]
    expected = [_arrays(number, len(found)) for number in range(len(found))]
    if not found or sorted(found) != expected or PROGRESS not in names:
        raise ValueError("its seal does not name the arrays of every process and the progress")
    return expected


def _header(state: TrainState) -> dict[str, str]:
    return {TREE: json.dumps(described(state))}


def _tree(files: list[Tensors]) -> dict[str, Leaf]:
    """What the whole state is, on which all files have to agree."""
    texts = {file.metadata.get(TREE, "") for file in files}
    document = parse_json(texts.pop()) if len(texts) == 1 else None
    if not isinstance(document, dict):
        raise ValueError("the files do not say, or not as one, what the state is")
    leaves = {}
    for name, said in document.items():
        match said:
            case [list(shape), str(dtype)] if all(type(size) is int for size in shape):
                leaves[name] = Leaf(tuple(shape), dtype)
            case _:
                raise ValueError("a leaf of the state has no shape and dtype")
    return leaves


def _progress_text(progress: dict[str, Any]) -> str:
    return json.dumps(progress, indent=2, allow_nan=False) + "\n"


def _without(home: Path, error: Exception) -> str:
    return str(error).replace(f"{home}/", "").split("; ")[0]


def _listed(steps: list[int]) -> str:
    return ", ".join(map(str, steps))


def _words(leaf: Leaf | None) -> str:
    return "nothing" if leaf is None else f"{leaf.dtype} {leaf.shape}"

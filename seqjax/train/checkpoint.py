"""Saving and restoring everything a run needs to go on: one directory per step, by Orbax."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import orbax.checkpoint as ocp

from seqjax.errors import InputError, first_line
from seqjax.train.step import TrainState


class Checkpoints:
    """The step directories of a run. A step is complete or it is not listed.

    Only the newest `keep` are kept; an older one goes after the newer one is complete.
    """

    def __init__(self, directory: Path, *, keep: int = 2):
        # Orbax narrates every save, and puts a traceback there of each error that it raises too.
        logging.getLogger("absl").setLevel(logging.CRITICAL)
        self.directory = directory
        options = ocp.CheckpointManagerOptions(max_to_keep=keep, enable_async_checkpointing=False)
        self._manager = ocp.CheckpointManager(directory.absolute(), options=options)

    def steps(self) -> list[int]:
        """Returns the complete steps, oldest first."""
        return sorted(self._manager.all_steps())

    def save(self, state: TrainState, progress: dict[str, Any]) -> None:
        """Writes one step; a step that is there already stays as it is.

        Raises:
          InputError: If it cannot be written (a full disk, a directory made read-only). What was
            saved before is untouched.
        """
        step = int(state.step)
        if step in self.steps():
            return
        try:
            self._manager.save(
                step,
                args=ocp.args.Composite(
                    state=ocp.args.StandardSave(state), progress=ocp.args.JsonSave(progress)
                ),
                force=True,
            )
            self._manager.wait_until_finished()
        except (OSError, ValueError) as error:
            raise InputError(
                f"{self.directory}: step {step} could not be saved ({first_line(error)}); "
                f"earlier checkpoints are intact: make room and run the same command again"
            ) from error

    def restore(
        self, template: TrainState, warn: Callable[[str], None]
    ) -> tuple[TrainState, dict[str, Any]] | None:
        """Returns the newest step that can be read and its progress, or None if there is no step.

        Args:
          template: A state of the right structure, shapes and dtypes.
          warn: Told of every step that had to be passed over.

        Raises:
          InputError: If there are steps but none can be read.
        """
        abstract = jax.tree.map(ocp.utils.to_shape_dtype_struct, template)
        for step in reversed(self.steps()):
            try:
                restored = self._manager.restore(
                    step,
                    args=ocp.args.Composite(
                        state=ocp.args.StandardRestore(abstract), progress=ocp.args.JsonRestore()
                    ),
                )
            except Exception as error:  # a damaged file may surface as nearly anything
                warn(f"checkpoint of step {step} cannot be read ({first_line(error)})")
            else:
                return restored["state"], restored["progress"]
        if self.steps():
            raise InputError(
                f"{self.directory}: none of the steps {self.steps()} can be read; "
                f"use --overwrite to start anew"
            )
        return None

    def close(self) -> None:
        self._manager.close()

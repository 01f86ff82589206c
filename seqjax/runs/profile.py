"""A profile of some steps: what the device does in them, for TensorBoard or Perfetto to show."""

from collections.abc import Callable
from pathlib import Path

import jax

from seqjax.errors import InputError


class Profiled:
    """Wraps a compiled training step, and records it from one step to another.

    Before the first and after the last of them it waits for the device, so that these steps and
    nothing else are recorded.

    Args:
      step_fn: `(state, batch, key) -> (state, metrics)`.
      steps: First and last step that are recorded; steps count from 1.
      done: Steps that were made before.
      directory: Where the record goes.
      note: Told where it is.
    """

    def __init__(
        self,
        step_fn: Callable,
        steps: tuple[int, int],
        done: int,
        directory: Path,
        note: Callable[[str], None],
    ):
        self._step_fn, self._directory, self._note = step_fn, directory, note
        self._first, self._last = steps
        self._step, self._records = done, False

    def __call__(self, state, batch, key):
        self._step += 1
        if self._step == self._first:
            jax.block_until_ready(state)
            jax.profiler.start_trace(str(self._directory))
            self._records = True
        if not self._records:
            return self._step_fn(state, batch, key)
        with jax.profiler.StepTraceAnnotation("train", step_num=self._step):
            found = self._step_fn(state, batch, key)
        if self._step == self._last:
            jax.block_until_ready(found)
            self.close()
        return found

    def close(self) -> None:
        """Ends a record that has not come to its last step."""
        if self._records:
            jax.profiler.stop_trace()
            self._records = False
            last = min(self._step, self._last)
            self._note(
                f"profile  steps {self._first} to {last} in {self._directory}; tensorboard "
                f"--logdir {self._directory} shows it (with tensorboard-plugin-profile), or open "
                f"its .trace.json.gz in ui.perfetto.dev"
            )
        elif self._step < self._first:
            self._note(f"profile  nothing was recorded: the run ended at step {self._step}")


def refuse_unreachable(steps: tuple[int, int], total_steps: int | None, done: int) -> None:
    """Raises InputError if these steps are over already or will never come."""
    first, last = steps
    if total_steps is not None and last > total_steps:
        raise InputError(
            f"--profile-steps {first}:{last}: the run has {total_steps} steps; choose earlier ones"
        )
    if first <= done:
        raise InputError(
            f"--profile-steps {first}:{last}: the run goes on from step {done}; choose later ones"
        )

"""What a training would take, found out without training: nothing is written, and no run begun."""

import itertools
import statistics
import time
from collections.abc import Iterable
from typing import Any, NamedTuple

import jax

from seqjax.build.mesh import build_layout
from seqjax.build.model import params_by_module
from seqjax.config import Config
from seqjax.runs.setup import Step, set_up, shape_name
from seqjax.runs.spectator import Silent, Spectator
from seqjax.tasks.choose import build_task
from seqjax.train.mesh import put
from seqjax.types import Batch

MOST_BATCHES, MOST_SECONDS = 512, 20.0
"""Of an epoch that are looked at to see which shapes there are; the time that may take."""
TIMED = 3
"""Steps of each shape that are timed; the median counts."""


class ShapeCost(NamedTuple):
    """What one shape of batches takes.

    Attributes:
      share: Of the steps of an epoch.
      seconds: One step.
      compile_seconds: Once.
      memory: Bytes on each device, arguments and results and all in between, by the compiler's own
        analysis.
    """

    share: float
    seconds: float
    compile_seconds: float
    memory: int


class Rehearsal(NamedTuple):
    """What a training would take.

    Attributes:
      parameters: Weights, by module.
      shapes: By name.
      epoch_steps: Steps of an epoch.
      steps: Most steps of the run; None if nothing but validation ends it.
      checkpoint: Bytes of one.
    """

    parameters: dict[str, int]
    shapes: dict[str, ShapeCost]
    epoch_steps: int
    steps: int | None
    checkpoint: int

    @property
    def step_seconds(self) -> float:
        """Of a step, on average over an epoch."""
        return sum(cost.share * cost.seconds for cost in self.shapes.values())

    @property
    def compile_seconds(self) -> float:
        """Of all shapes together."""
        return sum(cost.compile_seconds for cost in self.shapes.values())

    @property
    def memory(self) -> int:
        """Bytes of the shape that takes most."""
        return max(cost.memory for cost in self.shapes.values())


def rehearse(config: Config, spectator: Spectator = Silent()) -> Rehearsal:
    """Builds everything that `config` describes, times a few steps of each shape, and throws it
    away. Nothing is written.

    Raises:
      InputError: If data or configuration cannot be used.
    """
    layout = build_layout(config)
    task = build_task(config)
    data = task.data()
    setup = set_up(task, layout, data)
    for line in (*data.summary, *setup.lines()):
        spectator.note(line)
    counts, batches = _shapes_of(data.feed.batches(0, 0))
    state, key = setup.first_state(), put(setup.key, layout.everywhere)
    costs, step_fn = {}, Step(setup, spectator.compiling)
    for name, batch in batches.items():
        began = time.monotonic()
        executable = step_fn.executable(state, layout.put_rows(batch), key)
        compile_seconds = time.monotonic() - began
        taken = []
        for _ in range(1 + TIMED):  # the first one touches memory that is new
            placed, began = layout.put_rows(batch), time.monotonic()
            state, metrics = step_fn(state, placed, key)
            jax.block_until_ready(metrics)
            taken.append(time.monotonic() - began)
        share = counts[name] / sum(counts.values())
        costs[name] = ShapeCost(
            share, statistics.median(taken[1:]), compile_seconds, _memory_of(executable)
        )
    rehearsal = Rehearsal(
        params_by_module(state.params),
        costs,
        data.feed.batches_per_epoch,
        setup.total_steps,
        sum(leaf.nbytes for leaf in jax.tree.leaves(state)),
    )
    for line in lines_of(rehearsal, config):
        spectator.note(line)
    return rehearsal


def _shapes_of(batches: Iterable[Batch]) -> tuple[dict[str, int], dict[str, Batch]]:
    """Returns how often each shape comes, as far as is looked, and a batch of each."""
    counts: dict[str, int] = {}
    examples: dict[str, Batch] = {}
    began = time.monotonic()
    for batch in itertools.islice(batches, MOST_BATCHES):
        name = shape_name(batch)
        counts[name] = counts.get(name, 0) + 1
        examples.setdefault(name, batch)
        if time.monotonic() - began > MOST_SECONDS:
            break
    return counts, examples


def _memory_of(compiled: Any) -> int:
    """Bytes of all that is alive at once; what a result takes over from an argument counts once."""
    found = compiled.memory_analysis()
    return (
        found.argument_size_in_bytes
        + found.output_size_in_bytes
        - found.alias_size_in_bytes
        + found.temp_size_in_bytes
    )


def lines_of(found: Rehearsal, config: Config) -> list[str]:
    """Returns what a person is told, line by line."""
    lines = [f"{'':<9}{count:>12,}  {name}" for name, count in found.parameters.items()]
    for name, cost in found.shapes.items():
        lines.append(
            f"step     {name}  {100 * cost.share:.0f}% of the steps · {1000 * cost.seconds:,.0f} ms"
            f" · {_megabytes(cost.memory)}"
        )
    weights = 4 * sum(found.parameters.values())
    minutes = found.step_seconds * found.epoch_steps / 60
    lines += [
        f"memory   {_megabytes(found.memory)} for training steps, by the compiler's analysis",
        f"disk     {_megabytes(found.checkpoint)} a checkpoint, {config.keep} of which are kept · "
        f"{_megabytes(weights)} for the best weights",
        f"time     {found.compile_seconds:.0f} s to compile · {minutes:.1f} minutes an epoch of "
        f"{found.epoch_steps:,} steps, validation not counted",
        f"plan     {_plan_line(found, config)}",
        "dry run  nothing was written",
    ]
    return lines


def _plan_line(found: Rehearsal, config: Config) -> str:
    ends = []
    if found.steps is not None:
        minutes = (found.step_seconds * found.steps + found.compile_seconds) / 60
        ends.append(f"{found.steps:,} steps, {minutes:.1f} minutes")
    if config.minutes is not None:
        ends.append(f"{config.minutes:g} minutes, as was asked for")
    if config.validation.patience:
        ends.append(f"{config.validation.patience} validations without a new best")
    return "at most " + ", or ".join(ends) if ends else "goes on until it is stopped"


def _megabytes(count: int) -> str:
    return f"{count / 1e6:,.1f} MB" if count < 1e9 else f"{count / 1e9:,.2f} GB"

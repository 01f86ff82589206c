"""On a GPU: whether every way through time agrees, how fast one LSTM is, and one training.

    seqjax bench gpu [--runs 7] [--json] [--size 64x50x512]

Agreement is in full float32. Speed is forward and backward, to weights and inputs, in

- float32: products in full float32, the only kind that method `cudnn` knows;
- tf32: float32 whose products may be of TensorFloat-32, as JAX has it by default;
- bfloat16: weights, inputs and state.

PyTorch (cuDNN) takes part where it is installed and has the GPU. `floor` is what a time step costs
when there is next to nothing to do in it, `ceiling` what a large product reaches in that precision.
"""

import dataclasses
import itertools
import tempfile
import time
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.gpu_speed import PRECISIONS, speed
from benchmarks.layer import Ours
from benchmarks.timing import line
from seqjax.cells.cell import RecurrentCell
from seqjax.cells.gru import GRUCell
from seqjax.cells.lstm import LSTMCell
from seqjax.cells.minimal import MinGRUCell
from seqjax.config import Config
from seqjax.errors import InputError
from seqjax.presets import PRESETS
from seqjax.runs import conclude, road
from seqjax.runs.trained import load_network
from seqjax.unroll.unroll import UnrollMethod

SIZES = ((64, 50, 512), (64, 50, 1_024), (64, 50, 2_048))
"""Batch, time, input = hidden."""
EPOCHS = 2


def measurements(
    *,
    runs: int,
    sizes: list[tuple[int, ...]],
    require_gpu: bool = True,
    settings: Config = dataclasses.replace(PRESETS["dates"], epochs=EPOCHS),
) -> Iterator[dict[str, Any]]:
    """Yields all rows; of `SIZES`, if none are given.

    Raises:
      InputError: If there is no GPU, and one is required.
    """
    on_gpu = jax.default_backend() == "gpu"
    if require_gpu and not on_gpu:
        raise InputError(
            f"bench gpu needs a GPU, JAX has {jax.default_backend()}; ask `seqjax doctor`"
        )
    sizes = sizes or list(SIZES)
    yield from agreement(sizes[0], on_gpu)
    for precision, size in itertools.product(PRECISIONS, sizes):
        yield from speed(precision, size, runs, on_gpu)
    yield training(settings)


def agreement(size: tuple[int, ...], on_gpu: bool) -> Iterator[dict[str, Any]]:
    """Yields the largest difference between any two ways through time of the same cell."""
    batch, steps, hidden = size
    draw = np.random.default_rng(0)
    inputs = jnp.asarray(draw.normal(size=size), jnp.float32)
    lengths = jnp.asarray(draw.integers(0, steps + 1, batch), jnp.int32).at[0].set(steps)
    ways: list[tuple[RecurrentCell, list[UnrollMethod]]] = [
        (LSTMCell(hidden, hidden), ["scan", "fused", *(["cudnn"] if on_gpu else [])]),
        (GRUCell(hidden, hidden), ["scan", "fused"]),
        (MinGRUCell(hidden, hidden), ["scan", "parallel"]),
    ]
    for cell, methods in ways:
        found = {method: _results(cell, method, inputs, lengths) for method in methods}
        for one, other in itertools.combinations(methods, 2):
            differences = jax.tree.map(_largest_difference, found[one], found[other])
            values, gradients = (max(jax.tree.leaves(part)) for part in differences)
            yield {
                "case": f"{type(cell).__name__} {batch} x {steps} x {hidden}, {one} and {other}",
                "values differ by": values,
                "gradients differ by": gradients,
            }


def _results(cell: RecurrentCell, method: UnrollMethod, inputs: Any, lengths: Any) -> Any:
    """Returns outputs, and gradients of weights and inputs, in full float32."""
    variables = jax.jit(Ours(cell, "scan").init)(jax.random.key(0), inputs, lengths)

    def loss(variables, inputs):
        outputs: Any = Ours(cell, method).apply(variables, inputs, lengths)
        return jnp.mean(jnp.sin(3 * outputs)), outputs

    with jax.default_matmul_precision("highest"):
        gradients, outputs = jax.jit(jax.grad(loss, (0, 1), has_aux=True))(variables, inputs)
    return outputs, gradients


def _largest_difference(one: Any, other: Any) -> float:
    """Relative to the largest number in it; nothing differs from nothing by 0."""
    size = jnp.maximum(jnp.max(jnp.abs(one)), jnp.finfo(one.dtype).tiny)
    return float(f"{jnp.max(jnp.abs(one - other)) / size:.2g}")


def training(settings: Config) -> dict[str, Any]:
    """Returns what a training came to, with all that a user waits for: compiling, validating."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.monotonic()
        outcome = road.train(dataclasses.replace(settings, run_dir=f"{folder}/run"))
        seconds = time.monotonic() - started
        trained = load_network(str(outcome.run.path))
        scores = conclude.evaluate(trained, outcome.data.test or outcome.data.valid).scores
    return {
        "case": f"training {settings.data.embedded}, {outcome.progress.step} steps",
        "seconds": round(seconds, 1),
        "exact match": scores["exact_match"],
        "sequences/s decoded": scores["sentences_per_second"],
    }


def line_of(row: dict[str, Any]) -> str:
    """Returns a row as a line: one without `peer` is a case and anything named that was found."""
    if "peer" not in row:
        parts = (f"{name} {value:.4g}" for name, value in row.items() if name != "case")
        return f"{row['case']:<54} {', '.join(parts)}"
    return (
        f"{line(row)}  {row['ours_step_us']:.1f} / {row['peer_step_us']:.1f} us a step, floor "
        f"{row['floor_step_us']:.1f}  {row['ours_share']:.1%} / {row['peer_share']:.1%} of ceiling"
    )

"""How time grows with the length of a sequence and with the batch, and how often it is compiled.

    seqjax bench growth [--runs 7] [--json]

One LSTM layer, forward and backward, over 25 to 200 steps and with 8 to 64 rows; and the training
step of `benchmarks/seq2seq.py` with 12, 25 and 50 tokens on both sides. `units` are time steps,
rows, or tokens of a side. `of_first` and `of_largest` are the time per unit over that of the first
case of the group and of its largest one: all 1 if time is proportional to the units, above 1 where
they are few if something has to be done whatever their number. `compilations` counts what JAX has
compiled while the case was run, over all of its runs: a shape is compiled once.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks import seqjax_seq2seq
from benchmarks.layer import Ours, gradient_fn
from benchmarks.seq2seq import Size
from benchmarks.timing import Way, interleaved, rounded
from seqjax.cells.lstm import LSTMCell
from seqjax.train.allocator import keep_freed_memory

HIDDEN = 256
LENGTHS, ROWS = (25, 50, 100, 200), (8, 16, 32, 64)
"""Of the layer: lengths with 32 rows, and rows with 50 steps."""
TOKENS = (12, 25, 50)
COMPILED = "/jax/core/compile/backend_compile_duration"
"""What JAX announces whenever it has compiled a program."""


@contextlib.contextmanager
def counted() -> Iterator[Callable[[], int]]:
    """Lets the block ask how many programs JAX has compiled since it began."""
    count = 0

    def listen(event: str, duration_secs: float, **_: Any) -> None:
        nonlocal count
        count += event == COMPILED

    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        yield lambda: count
    finally:
        jax.monitoring.unregister_event_duration_listener(listen)


def layer_ways(shapes: Sequence[tuple[int, int]], hidden: int) -> list[Way]:
    """Returns forward and backward passes of one layer, as `(rows, time)` says."""
    layer = Ours(LSTMCell(hidden, hidden))
    gradient = jax.jit(gradient_fn(layer))
    variables: Any = jax.jit(layer.init)(
        jax.random.key(0), jnp.zeros((1, 1, hidden)), jnp.ones((1,), jnp.int32)
    )

    def way(rows: int, time: int) -> Way:
        draw = np.random.default_rng(0).normal
        inputs = jnp.asarray(draw(size=(rows, time, hidden)).astype(np.float32))
        lengths = jnp.asarray(np.full(rows, time, np.int32))
        return lambda: jax.block_until_ready(gradient(variables, inputs, lengths))

    return [way(*shape) for shape in shapes]


def step_ways(sizes: Sequence[Size]) -> list[Way]:
    """Returns updates of one model, with batches of different lengths."""
    learner = seqjax_seq2seq.build(sizes[0], False)
    state, training = seqjax_seq2seq.start(learner, sizes[0])
    step, key = jax.jit(training.step_fn, donate_argnums=0), jax.random.key(1)

    def way(size: Size) -> Way:
        batch = jax.tree.map(jnp.asarray, seqjax_seq2seq.batch_of(size))

        def update():
            nonlocal state
            state, metrics = step(state, batch, key)
            return jax.block_until_ready(metrics)

        return update

    return [way(size) for size in sizes]


def measure(case: str, units: Sequence[int], ways: Sequence[Way], runs: int) -> list[dict]:
    """Returns a row for each number of units."""
    compilations = dict.fromkeys(units, 0)
    with counted() as count:

        def watched(number: int, way: Way) -> Way:
            def run():
                before = count()
                way()
                compilations[number] += count() - before

            return run

        timings = interleaved(
            {str(number): watched(number, way) for number, way in zip(units, ways, strict=True)},
            runs,
        )
    per_unit = {number: timings[str(number)].median / number for number in units}
    found = []
    for number in units:
        timing = timings[str(number)]
        found.append(
            {
                "case": f"{case} {number}",
                "units": number,
                "ours_s": rounded(timing.median),
                "ours_range_s": [rounded(timing.fastest), rounded(timing.slowest)],
                "per_unit_s": rounded(per_unit[number]),
                "of_first": round(per_unit[number] / per_unit[units[0]], 2),
                "of_largest": round(per_unit[number] / per_unit[max(units)], 2),
                "compilations": compilations[number],
            }
        )
    return found


def measurements(
    *,
    runs: int,
    lengths: Sequence[int] = LENGTHS,
    rows: Sequence[int] = ROWS,
    tokens: Sequence[int] = TOKENS,
    hidden: int = HIDDEN,
    size: Size | None = None,
) -> Iterator[dict[str, Any]]:
    """Yields a row for every length, number of rows, and number of tokens of the whole step.

    Args:
      runs: Times that each is measured.
      lengths, rows: Of the layer.
      tokens: On both sides of the seq2seq.
      hidden: Width of the layer.
      size: Of the seq2seq, its tokens aside; `Size()` if it is not given.
    """
    keep_freed_memory()
    size = size or Size()
    ways = layer_ways([(32, length) for length in lengths], hidden)
    yield from measure(f"lstm 32 x _ x {hidden}: length", lengths, ways, runs)
    ways = layer_ways([(row, 50) for row in rows], hidden)
    yield from measure(f"lstm _ x 50 x {hidden}: rows", rows, ways, runs)
    ways = step_ways([size._replace(source=number, target=number) for number in tokens])
    yield from measure("seq2seq step: tokens", tokens, ways, runs)


def line_of(row: dict[str, Any]) -> str:
    """Returns a row as a line of a table."""
    low, high = row["ours_range_s"]
    return (
        f"{row['case']:<30} {1e3 * row['ours_s']:>9.2f} ms ({1e3 * low:.2f}–{1e3 * high:.2f})  "
        f"{1e3 * row['per_unit_s']:>8.3f} ms each, {row['of_first']:.2f} of the first, "
        f"{row['of_largest']:.2f} of the largest, compiled {row['compilations']} x"
    )

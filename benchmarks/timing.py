"""Ways of doing the same thing, timed in turn; what counts are their ratios.

JAX is imported only where it is used: the process of a peer is to have nothing of it.
"""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]

Way = Callable[[], Any]
"""Does the work once and returns when it is done."""
PAUSE = 0.05
"""Seconds between two measurements, in which another library's waiting threads go to sleep."""


class Timing(NamedTuple):
    """Seconds of one way: the median of its runs, the fastest and the slowest."""

    median: float
    fastest: float
    slowest: float


def timing(seconds: Sequence[float]) -> Timing:
    """Returns what several runs of one way come to."""
    return Timing(statistics.median(seconds), min(seconds), max(seconds))


def interleaved(ways: dict[str, Way], runs: int) -> dict[str, Timing]:
    """Returns the timing of each way: all of them once to warm up, then in turn, `runs` times."""
    for way in ways.values():
        way()
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(runs):
        for name, way in ways.items():
            time.sleep(PAUSE)
            started = time.perf_counter()
            way()
            seconds[name].append(time.perf_counter() - started)
    return {name: timing(taken) for name, taken in seconds.items()}


def in_turn_processes(
    module: str, arguments: Mapping[str, Sequence[object]], runs: int
) -> dict[str, list[Any]]:
    """Returns what each way says in processes of its own, `runs` of them, which take turns.

    For what is of a process: its memory, and how the C library deals with it.

    Args:
      module: Run as `python -m module *arguments`; prints one JSON value.
      arguments: By way.
      runs: Processes of each way.
    """
    said: dict[str, list[Any]] = {name: [] for name in arguments}
    for _ in range(runs):
        for name, words in arguments.items():
            command = [sys.executable, "-m", module, *map(str, words)]
            done = subprocess.run(command, stdout=subprocess.PIPE, check=True, cwd=ROOT)
            said[name].append(json.loads(done.stdout))
    return said


def median_of_runs(way: Way, runs: int, *, warm_up: int) -> float:
    """Returns the median seconds of one way after `warm_up` runs that do not count."""
    seconds = []
    for _ in range(warm_up + runs):
        started = time.perf_counter()
        way()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds[warm_up:])


def compiled(function: Callable, *arguments: Any) -> Way:
    """Returns a compiled function of fixed arguments as a way."""
    import jax

    executable = jax.jit(function).lower(*arguments).compile()
    return lambda: jax.block_until_ready(executable(*arguments))


def product_rate(size: int = 2_048, runs: int = 9, dtype: Any = "float32") -> float:
    """Returns GFLOP/s of a large matrix product by JAX: the ceiling of what can be had."""
    import jax
    import jax.numpy as jnp

    square = jax.random.normal(jax.random.key(0), (size, size)).astype(dtype)
    found = interleaved({"product": compiled(jnp.matmul, square, square)}, runs)["product"]
    return 2 * size**3 / found.median / 1e9


def rows(
    case: str,
    ours: str,
    timings: dict[str, Timing],
    *,
    gflop: float | None = None,
    ceiling: float | None = None,
) -> list[dict[str, Any]]:
    """Returns a row for every way but ours: `ratio` is its time over ours, above 1 we are faster.

    Args:
      case: What was done.
      ours: Which of the ways is ours.
      timings: By way.
      gflop: What the work is, if it is known, in 1e9 floating-point operations.
      ceiling: The GFLOP/s that can be had; see `product_rate`.
    """
    mine = timings[ours]
    return [
        {
            "case": case,
            "ours_s": rounded(mine.median),
            "peer": name,
            "peer_s": rounded(peer.median),
            "ratio": round(peer.median / mine.median, 2),
            "gflops": gflop and round(gflop / mine.median, 1),
            "ceiling_gflops": ceiling and round(ceiling, 1),
            "ours_range_s": [rounded(mine.fastest), rounded(mine.slowest)],
            "peer_range_s": [rounded(peer.fastest), rounded(peer.slowest)],
        }
        for name, peer in timings.items()
        if name != ours
    ]


def line(row: dict[str, Any]) -> str:
    """Returns a row of `rows` as a line of a table."""
    low, high = row["ours_range_s"]
    rate = f"{row['gflops']:>6} of {row['ceiling_gflops']} GFLOP/s  " if row["gflops"] else ""
    return (
        f"{row['case']:<30} {1e3 * row['ours_s']:>9.2f} ms ({1e3 * low:.2f}–{1e3 * high:.2f})  "
        f"{rate}{row['ratio']:>6.2f} x {row['peer']} ({1e3 * row['peer_s']:.2f} ms)"
    )


def show(
    found: Iterable[dict[str, Any]],
    *,
    as_json: bool,
    line_fn: Callable[[dict[str, Any]], str] = line,
) -> None:
    """Prints rows as they come: JSON objects, or lines of a table."""
    for row in found:
        print(json.dumps(row) if as_json else line_fn(row), flush=True)


def rounded(seconds: float) -> float:
    """Returns four digits that count."""
    return float(f"{seconds:.4g}")

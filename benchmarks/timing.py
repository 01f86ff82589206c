"""Ways of doing the same thing, timed in turn in one process; what counts are their ratios."""

import json
import statistics
import time
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

Way = Callable[[], Any]
"""Does the work once and returns when it is done."""
PAUSE = 0.05
"""Seconds between two measurements, in which another library's waiting threads go to sleep."""


class Timing(NamedTuple):
    """Seconds of one way: the median of its runs, the fastest and the slowest."""

    median: float
    fastest: float
    slowest: float


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
    return {
        name: Timing(statistics.median(taken), min(taken), max(taken))
        for name, taken in seconds.items()
    }


def compiled(function: Callable, *arguments: Any) -> Way:
    """Returns a compiled function of fixed arguments as a way."""
    executable = jax.jit(function).lower(*arguments).compile()
    return lambda: jax.block_until_ready(executable(*arguments))


def product_rate(size: int = 2_048, runs: int = 9, dtype: Any = jnp.float32) -> float:
    """Returns GFLOP/s of a large matrix product by JAX: the ceiling of what can be had."""
    square = jax.random.normal(jax.random.key(0), (size, size)).astype(dtype)
    timing = interleaved({"product": compiled(jnp.matmul, square, square)}, runs)["product"]
    return 2 * size**3 / timing.median / 1e9


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
            "ours_s": _rounded(mine.median),
            "peer": name,
            "peer_s": _rounded(timing.median),
            "ratio": round(timing.median / mine.median, 2),
            "gflops": gflop and round(gflop / mine.median, 1),
            "ceiling_gflops": ceiling and round(ceiling, 1),
            "ours_range_s": [_rounded(mine.fastest), _rounded(mine.slowest)],
            "peer_range_s": [_rounded(timing.fastest), _rounded(timing.slowest)],
        }
        for name, timing in timings.items()
        if name != ours
    ]


def show(found: Iterable[dict[str, Any]], *, as_json: bool) -> None:
    """Prints rows as they come: JSON objects, or lines of a table.

    A row without `peer` is a case and anything named that was found.
    """
    for row in found:
        if as_json:
            print(json.dumps(row), flush=True)
            continue
        if "peer" not in row:
            parts = (f"{name} {value:.4g}" for name, value in row.items() if name != "case")
            print(f"{row['case']:<54} {', '.join(parts)}", flush=True)
            continue
        low, high = row["ours_range_s"]
        rate = f"{row['gflops']:>6} of {row['ceiling_gflops']} GFLOP/s  " if row["gflops"] else ""
        print(
            f"{row['case']:<30} {1e3 * row['ours_s']:>9.2f} ms ({1e3 * low:.2f}–{1e3 * high:.2f})  "
            f"{rate}{row['ratio']:>6.2f} x {row['peer']} ({1e3 * row['peer_s']:.2f} ms)"
            f"{_steps(row)}",
            flush=True,
        )


def _steps(row: dict[str, Any]) -> str:
    """What a row says of a time step and of the ceiling, if it does; ours / the peer's."""
    if "floor_step_us" not in row:
        return ""
    return (
        f"  {row['ours_step_us']:.1f} / {row['peer_step_us']:.1f} us a step, floor "
        f"{row['floor_step_us']:.1f}  {row['ours_share']:.1%} / {row['peer_share']:.1%} of ceiling"
    )


def _rounded(seconds: float) -> float:
    return float(f"{seconds:.4g}")

"""`seqjax bench`: the measurements of `benchmarks/`, which are part of the source tree."""

import sys
from pathlib import Path

from seqjax.cli.flags import BenchFlags
from seqjax.errors import InputError


def run(flags: BenchFlags) -> int:
    """Runs one benchmark, which prints what it finds."""
    root = Path(__file__).parents[2]
    if not (root / "benchmarks").is_dir():
        raise InputError(f"{root}: has no benchmarks; run this from a checkout of the source")
    sys.path.insert(0, str(root))
    from benchmarks import allocator, gpu, recurrent
    from benchmarks.timing import show

    match flags.benchmark:
        case "recurrent":
            found = recurrent.measurements(runs=flags.runs, sizes=flags.sizes)
        case "gpu":
            found = gpu.measurements(runs=flags.runs, sizes=flags.sizes)
        case _:
            found = allocator.measurements(runs=flags.runs)
    show(found, as_json=flags.json)
    return 0

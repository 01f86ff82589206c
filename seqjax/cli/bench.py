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
    from benchmarks import (
        allocator,
        corpus,
        ctc,
        decode,
        gpu,
        growth,
        host,
        memory,
        recurrent,
        scaling,
        seq2seq,
    )
    from benchmarks.timing import line, show

    runs, line_fn = flags.runs, line
    match flags.benchmark:
        case "recurrent":
            found = recurrent.measurements(runs=runs, sizes=flags.sizes)
        case "seq2seq":
            found, line_fn = seq2seq.measurements(runs=runs), seq2seq.line_of
        case "decode":
            assert flags.run and flags.input
            given = {"opennmt": flags.opennmt, "joeynmt": flags.joeynmt}
            peers = [decode.Peer(name, *words) for name, words in given.items() if words]
            found = decode.measurements(
                run=str(Path(flags.run).resolve()),
                data=str(Path(flags.input).resolve()),
                runs=runs,
                peers=peers,
            )
            line_fn = decode.line_of
        case "memory":
            found, line_fn = memory.measurements(runs=runs), memory.line_of
        case "growth":
            found, line_fn = growth.measurements(runs=runs), growth.line_of
        case "scaling":
            found, line_fn = scaling.measurements(), scaling.line_of
        case "gpu":
            found, line_fn = gpu.measurements(runs=runs, sizes=flags.sizes), gpu.line_of
        case "host":
            found, line_fn = host.measurements(runs=runs), host.line_of
        case "corpus":
            found, line_fn = corpus.measurements(), corpus.line_of
        case "ctc":
            found = ctc.measurements(runs=runs)
        case _:
            found = allocator.measurements(runs=runs)
    show(found, as_json=flags.json, line_fn=line_fn)
    return 0

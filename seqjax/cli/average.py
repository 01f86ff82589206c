"""`seqjax average`: the mean of several sets of weights, as a run of its own."""

from seqjax.cli.flags import AverageFlags
from seqjax.runs.average import average


def run(flags: AverageFlags) -> int:
    """Runs the command; see `main` for exit codes."""
    assert flags.output is not None
    sources = average(flags.runs, flags.output, flags.last)
    for source in sources:
        print(f"average  {source}")
    print(f"run      {flags.output}, the mean of {len(sources)}")
    return 0

"""`seqjax inspect`: looks at runs, or at data before there is a run."""

from seqjax.cli.flags import InspectFlags
from seqjax.errors import InputError


def run(flags: InspectFlags) -> int:
    """Runs the command; see `main` for exit codes."""
    if flags.data:
        raise InputError("--data: no survey of files yet")
    from seqjax.cli import inspect_runs

    return inspect_runs.run(flags)

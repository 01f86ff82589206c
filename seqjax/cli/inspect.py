"""`seqjax inspect`: looks at runs, or at data before there is a run."""

from seqjax.cli.flags import Inspection


def run(inspection: Inspection) -> int:
    """Runs the command; see `main` for exit codes."""
    if inspection.flags.data:
        from seqjax.cli import inspect_data

        return inspect_data.run(inspection)
    if len(inspection.flags.runs) > 1:
        from seqjax.cli import inspect_several

        return inspect_several.run(inspection.flags.runs, as_json=inspection.flags.json)
    from seqjax.cli import inspect_runs

    return inspect_runs.run(inspection.flags)

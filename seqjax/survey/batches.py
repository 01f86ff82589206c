"""What batches of this data would be like."""

import numpy as np

from seqjax.config import DataConfig
from seqjax.data.plan_report import plan_report
from seqjax.errors import InputError
from seqjax.survey.finding import Finding, percent
from seqjax.survey.lengths import Lengths

MUCH = 0.15
LESS = "more shapes (--data.buckets), or no very long pairs (--data.max-source, --data.max-target)"
FILLED = 0.03
FULLER = (
    "smaller batches (--data.batch-size) or fewer shapes (--data.buckets) leave fewer rows empty"
)


def batch_plan(sides: Lengths, data: DataConfig, *, ends: bool = True) -> Finding:
    """Returns the shapes that batches of train would have, and how much of them is padding.

    Args:
      sides: Of both.
      data: The limits, and how batches are made.
      ends: Whether targets have EOS after them.
    """
    sources, targets = sides["source"]["train"], sides["target"]["train"]
    if data.long_sources == "cut":
        sources = np.minimum(sources, data.max_source)
    fits = (sources <= data.max_source) & (targets <= data.max_target)
    if not fits.any():
        return Finding("SJ-D21", "error", "no pair is short enough to be trained on")
    try:
        report = plan_report(sources[fits], targets[fits] + ends, data)
    except InputError as error:
        return Finding("SJ-D21", "error", str(error))
    much, empty = report.padding > MUCH, report.padding_and_filling - report.padding > FILLED
    told = " ".join(f"{shape.source}x{shape.target}·{shape.rows}" for shape in report.shapes)
    filled = percent(round(report.padding_and_filling, 4), 1)
    return Finding(
        "SJ-D21",
        "warning" if much else "info",
        f"{report.batches:,} batches an epoch, {percent(round(report.padding, 4), 1)} padding "
        f"({filled} with filling rows), {report.compilations} compilations; shapes (source x "
        f"target · rows) {told}",
        mend=LESS if much else FULLER if empty else "",
        numbers=report.document(),
    )

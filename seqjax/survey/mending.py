"""A copy of the data in which findings are mended. The files that were given are left alone.

Mending one thing can bring another to light (without its invisible characters a text may be one
that was there before), so that all that is asked for is done again until nothing changes. A second
mending of the copy therefore changes nothing.
"""

import collections
from collections.abc import Sequence
from typing import NamedTuple

from seqjax.config import Config
from seqjax.errors import InputError
from seqjax.survey.codes import FIXABLE
from seqjax.survey.corpus import Form, Split
from seqjax.survey.faults import Splits, changed_splits, unwanted_rows

ORDER = (
    *("SJ-D11", "SJ-D27", "SJ-D10", "SJ-D12", "SJ-D37"),
    *("SJ-D17", "SJ-D06", "SJ-D15", "SJ-D16", "SJ-D14", "SJ-D31"),
    *("SJ-D26", "SJ-D02", "SJ-D03", "SJ-D05", "SJ-D30", "SJ-D04"),
)
"""Texts are changed before they are compared, and noise leaves before leaks are looked for."""
_PAIRS, _LABELS = ("text-to-text", "classify", "tag"), ("classify", "tag")
_TASKS_OF = {
    **dict.fromkeys(("SJ-D02", "SJ-D03", "SJ-D04", "SJ-D05", "SJ-D14", "SJ-D26"), _PAIRS),
    **dict.fromkeys(("SJ-D06", "SJ-D15", "SJ-D16"), ("text-to-text",)),
    **dict.fromkeys(("SJ-D30", "SJ-D31"), ("language-model",)),
    "SJ-D37": _LABELS,
}
"""Of codes that not every task has, those that have them."""
_OF_NAMES = ("transcribe", "describe")
"""Tasks whose files name others, which a copy elsewhere would not find."""


class Repair(NamedTuple):
    """What was done to one split for one code.

    Attributes:
      code: Of the finding.
      split: train, valid or test.
      changed: Texts, or line ends, that are others now.
      removed: Pairs or lines that are gone.
    """

    code: str
    split: str
    changed: int
    removed: int


def mendable(task: str) -> list[str]:
    """Returns the codes that can be mended in files of a task.

    >>> "SJ-D31" in mendable("language-model"), "SJ-D31" in mendable("tag"), mendable("describe")
    (True, False, [])
    """
    if task in _OF_NAMES:
        return []
    return [code for code in FIXABLE if task in _TASKS_OF.get(code, (task,))]


def mend(splits: Splits, codes: Sequence[str], config: Config) -> tuple[Splits, list[Repair]]:
    """Returns the splits without what the codes name, and what was done.

    What leaks is taken out of train (out of valid, if it stands in test), what looks wrong out of
    every split. Lines that cannot be used are always left out.

    Raises:
      InputError: If a code is none of the task's, names would no longer be found, a split has two
        files of different length, or nothing would be left.
    """
    _check(splits, codes, config.task)
    tally: dict[tuple[str, str], list[int]] = collections.defaultdict(lambda: [0, 0])
    for name, split in splits.items():
        tally["SJ-D01", name][1] += len(split.bad)
        if "SJ-D11" in codes:
            tally["SJ-D11", name][0] += sum(f.carriage_returns + f.mark for f in split.forms)
    splits = {name: split._replace(bad=[]) for name, split in splits.items()}
    # A copy can only hold what comes back when it is read.
    order = [code for code in ORDER if code in codes or code == "SJ-D11"]
    changing = True
    while changing:
        changing = False
        for code in order:
            for name, (split, changed) in changed_splits(splits, code, config).items():
                splits = {**splits, name: split}
                tally[code, name][0] += changed
                changing |= changed > 0
            for name, rows in unwanted_rows(splits, code, config).items():
                split = splits[name]
                gone = set(rows)
                kept = [row for row in range(len(split.targets)) if row not in gone]
                if not any(split.targets[row].strip() for row in kept):
                    raise InputError(f"{split.paths[0]}: nothing of it is left after {code}")
                splits = {**splits, name: split.kept(kept)}
                tally[code, name][1] += len(gone)
                changing |= bool(gone)
    splits = {name: split._replace(forms=_plain_forms(split)) for name, split in splits.items()}
    repairs = [Repair(*key, *counts) for key, counts in tally.items() if any(counts)]
    return splits, sorted(repairs, key=lambda repair: repair.code)


def _check(splits: Splits, codes: Sequence[str], task: str) -> None:
    if task in _OF_NAMES:
        raise InputError(
            f"--fix: files of --task {task} name others beside them, which a copy in another "
            "directory would not find; mend them where they are"
        )
    for code in codes:
        if code not in mendable(task):
            raise InputError(f"--fix: {code} is a finding of --task {', '.join(_TASKS_OF[code])}")
    for split in splits.values():
        if len({form.lines for form in split.forms}) > 1:
            raise InputError(
                f"{' and '.join(split.paths)} differ in their number of lines (SJ-D18): nothing "
                f"can be mended before line n of one goes with line n of the other"
            )


def _plain_forms(split: Split) -> list[Form]:
    return [Form(path, len(split.targets), 0, False, True) for path in split.paths]

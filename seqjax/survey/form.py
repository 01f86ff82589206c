"""How the files are written: lines that cannot be used, line ends, numbers of lines."""

import collections
from collections.abc import Mapping, Sequence

from seqjax.survey.corpus import Split
from seqjax.survey.finding import Finding, Place, Section, counted, several


def form_table(splits: Mapping[str, Split]) -> Section:
    """Returns the files with their sizes."""
    table, numbers = [], {}
    for name, split in splits.items():
        files = " + ".join(form.path.rsplit("/", 1)[-1] for form in split.forms)
        lines = " / ".join(f"{number:,}" for number in dict.fromkeys(f.lines for f in split.forms))
        what = f"{len(split.targets):,} pairs · " if split.sources else ""
        table.append(f"{name:<6} {files} · {what}{lines} lines")
        numbers[name] = {
            "files": [form.path for form in split.forms],
            "lines": [form.lines for form in split.forms],
            "usable": len(split.targets),
        }
    return Section("Files and form", table, (), numbers)


def unusable_lines(splits: Mapping[str, Split], *, skipped: bool) -> Finding:
    """Returns what training would stop at, or (`skipped`) leave out."""
    bad = [line for split in splits.values() for line in split.bad]
    if not bad:
        return Finding("SJ-D01", "ok", "every line can be used")
    reasons = collections.Counter(line.why for line in bad)
    told = several(f"{why} ({count:,})" for why, count in reasons.most_common())
    return Finding(
        "SJ-D01",
        "warning" if skipped else "error",
        f"{counted(len(bad), 'line')} cannot be used: {told}",
        len(bad),
        [line.place for line in bad],
        "training leaves them out" if skipped else "training stops at the first of them",
        {"reasons": dict(reasons)},
    )


def line_ends(splits: Mapping[str, Split]) -> Finding:
    """Returns byte order marks and lines that end in CR LF."""
    forms = [form for split in splits.values() for form in split.forms]
    returns = sum(form.carriage_returns for form in forms)
    marks = sum(form.mark for form in forms)
    if not returns and not marks:
        return Finding("SJ-D11", "ok", "UTF-8, lines end in LF, no byte order mark")
    told = [f"CR LF ends {counted(returns, 'line')}"] * bool(returns)
    told += [f"a byte order mark begins {counted(marks, 'file')}"] * bool(marks)
    places = [
        Place(form.path, 0, f"{form.carriage_returns:,} × CR LF" + ", mark" * form.mark)
        for form in forms
        if form.carriage_returns or form.mark
    ]
    mixed = [form for form in forms if 0 < form.carriage_returns < form.lines]
    told += [f"{counted(len(mixed), 'file')} with both ends"] * bool(mixed)
    return Finding(
        "SJ-D11",
        "info",
        ", ".join(told) + "; both are dropped here when a file is read",
        returns + marks,
        places,
        numbers={"carriage_returns": returns, "marks": marks, "mixed": len(mixed)},
    )


def line_counts(splits: Mapping[str, Split]) -> Finding | None:
    """Returns pairs of files that differ in length; None if no split has two files."""
    pairs: list[Sequence] = [split.forms for split in splits.values() if len(split.forms) == 2]
    if not pairs:
        return None
    apart = [(one, other) for one, other in pairs if one.lines != other.lines]
    if not apart:
        return Finding("SJ-D18", "ok", "both files of each pair have as many lines")
    told = "; ".join(
        f"{one.path} has {one.lines:,} lines, {other.path} {other.lines:,}" for one, other in apart
    )
    places = [Place(form.path, 0, f"{form.lines:,} lines") for both in apart for form in both]
    return Finding(
        "SJ-D18",
        "error",
        f"{told}: from some line on, no pair may belong together",
        len(apart),
        places,
        "find where they part; training refuses them",
    )

"""A survey for people: 100 columns, worst first in every section, no meaning by colour alone."""

import collections
import textwrap
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from seqjax.survey.finding import Finding, Place, Section, Survey, counted
from seqjax.survey.mending import mendable

WIDTH = 100
EXAMPLES = 3
LONGEST_NAME = 24
HARSH = ("SJ-D04",)
"""Codes whose mending takes so much away that it is not proposed."""
SIGNS = {"error": "✘", "warning": "⚠", "info": "ℹ", "ok": "✔"}
COLOURS = {"error": "bold red", "warning": "yellow", "info": "cyan", "ok": "green"}


def print_page(
    survey: Survey, ignored: Sequence[str], exit_code: int, *, guessed: bool, again: str
) -> None:
    """Prints all sections and a summary.

    Args:
      survey: What was found.
      ignored: Codes that do not count.
      exit_code: Of the command.
      guessed: Whether the token kinds are a guess.
      again: The command line without its own flags for mending.
    """
    console = _console()
    kinds = " · ".join(f"{side} {kind}" for side, kind in survey.tokens.items())
    guess = "  (guessed; --preset or --data.source-tokens, --data.target-tokens say)"
    console.print(Text(f"{survey.task} · {kinds}{guess if guessed else ''}"))
    for number, section in enumerate(survey.sections, start=1):
        _print_section(console, number, section, ignored)
    _print_summary(console, survey, ignored, exit_code, again)


def print_places(findings: Sequence[Finding]) -> None:
    """Prints findings with all their places, a line each."""
    console = _console()
    for finding in findings:
        _print_finding(console, finding, [], most=None)


def _console() -> Console:
    return Console(highlight=False, soft_wrap=True)


def _print_section(console: Console, number: int, section: Section, ignored: Sequence[str]) -> None:
    title = f"━━ {number} {section.title} "
    console.print(Text(f"\n{title:━<{WIDTH}}", "bold"))
    for line in section.table:
        console.print(Text(_fitting(f"  {line}")))
    for kind in ("error", "warning", "info"):
        for finding in section.findings:
            if finding.kind == kind:
                _print_finding(console, finding, ignored, most=EXAMPLES)
    passed = [finding.says for finding in section.findings if finding.kind == "ok"]
    if passed:
        for number, line in enumerate(textwrap.wrap(" · ".join(passed), WIDTH - 4)):
            sign = Text(SIGNS["ok"] if not number else " ", COLOURS["ok"])
            console.print(Text("  ") + sign + Text(f" {line}"))


def _print_finding(
    console: Console, finding: Finding, ignored: Sequence[str], *, most: int | None
) -> None:
    left_out = "  (ignored)" if finding.code in ignored else ""
    lines = textwrap.wrap(f"{finding.says}{left_out}", WIDTH - 12)
    lines += textwrap.wrap(finding.mend, WIDTH - 12, initial_indent="→ ", subsequent_indent="  ")
    for number, line in enumerate(lines):
        head = Text("  ") + Text(SIGNS[finding.kind], COLOURS[finding.kind])
        head += Text(f" {finding.code}  ", COLOURS[finding.kind])
        console.print((head if not number else Text(" " * 12)) + Text(line))
    if most is None:
        for place in finding.places:
            print(f"{_named(place, place.path)}\t{place.text}")  # rich would widen the tab
    else:
        names = [_named(place, _file(place)) for place in finding.places[:most]]
        wide = max(map(len, names), default=0)
        for name, place in zip(names, finding.places, strict=False):
            console.print(Text(_fitting(f"{'':<12}{name:<{wide}}  {place.text}"), "dim"))


def _named(place: Place, name: str) -> str:
    return f"{name}:{place.line}" if place.line else name


def _file(place: Place) -> str:
    """The file's name, its middle left out if it is long."""
    name = place.path.rsplit("/", 1)[-1]
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 9]}…{name[-8:]}"


def _fitting(line: str) -> str:
    return line if len(line) <= WIDTH else line[: WIDTH - 1] + "…"


def _print_summary(
    console: Console, survey: Survey, ignored: Sequence[str], exit_code: int, again: str
) -> None:
    console.print(Text(f"\n{'━━ Summary ':━<{WIDTH}}", "bold"))
    counts = collections.Counter(
        "ignored" if f.code in ignored and f.kind in ("warning", "error") else f.kind
        for f in survey.findings
    )
    line = Text("  ")
    for kind, word in (
        ("ok", "check"),
        ("info", "remark"),
        ("warning", "warning"),
        ("error", "error"),
    ):
        line += Text(SIGNS[kind], COLOURS[kind])
        line += Text(f" {counted(counts[kind], word)}{' passed' * (kind == 'ok')}   ")
    line += Text(f"({counts['ignored']} ignored)   " if counts["ignored"] else "")
    console.print(line + Text(f"exit code {exit_code}"))
    grave = [f for f in survey.findings if f.kind in ("warning", "error") and f.code not in ignored]
    codes = list(dict.fromkeys(finding.code for finding in grave))
    if codes:
        console.print(Text(f"  what one means   seqjax explain {codes[0]}"))
        console.print(Text(f"  all its places   {again} --show {codes[0]}"))
    mends = mendable(survey.task)
    fixable = [code for code in codes if code in mends and code not in HARSH]
    if fixable:
        console.print(Text(f"  a mended copy    {again} --fix {','.join(fixable)} --out DIR"))

"""`seqjax inspect --data`: what is in files, before any model is trained on them."""

import dataclasses
import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seqjax.cli.flags import Inspection
from seqjax.cli.survey_page import print_page, print_places
from seqjax.config import Config
from seqjax.errors import InputError
from seqjax.survey.choose import read_splits, survey_of, usable, with_guessed_tokens
from seqjax.survey.codes import FIXABLE, named_codes
from seqjax.survey.copies import write_copy
from seqjax.survey.corpus import Split
from seqjax.survey.finding import Finding, Section, Survey, counted
from seqjax.survey.mending import Repair, mend

ERRORS_LEFT = 3
"""Exit code where findings of the kind error are left that --ignore does not name."""
PLACES = 20
"""Of a finding, in the JSON of all of them."""


def run(inspection: Inspection) -> int:
    """Runs the command; see `main` for exit codes."""
    flags = inspection.flags.survey
    ignored = named_codes("ignore", flags.ignore)
    shown = named_codes("show", flags.show)
    mended = named_codes("fix", flags.fix, FIXABLE)
    config = inspection.config
    splits = read_splits(config, flags.test)
    guessed = inspection.guessing and config.task != "language-model"
    if guessed:
        config = with_guessed_tokens(config, splits["train"])
    splits = usable(splits, config)
    repairs, copied = [], []
    if mended:
        assert flags.out is not None
        splits, repairs = mend(splits, mended, config)
        copied = write_copy(splits, Path(flags.out))
        splits = usable(read_splits(*_of_copy(config, flags.test, Path(flags.out))), config)
    survey = survey_splits(splits, config)
    if shown:
        survey = _only(survey, shown)
    code = exit_code(survey, ignored)
    if inspection.flags.json:
        found = as_json(survey, ignored, config, every_place=bool(shown))
        if mended:
            found["repairs"] = [repair._asdict() for repair in repairs]
            found["written"] = [str(path) for path in copied]
        print(json.dumps(found, ensure_ascii=False))
        return code
    if shown:
        print_places(survey.findings)
        return code
    if mended:
        _print_repairs(repairs, copied)
    print_page(survey, ignored, code, guessed=guessed, again=_again(inspection))
    return code


def survey_splits(splits: Mapping[str, Split], config: Config) -> Survey:
    """Returns all that is found, what a model costs included."""
    survey = survey_of(splits, config)
    return survey._replace(sections=[*survey.sections, cost_section(survey, config)])


def cost_section(survey: Survey, config: Config) -> Section:
    """Returns what training a model of this data would take."""
    from seqjax.tasks.cost import training_cost

    if config.task == "language-model":
        (symbols,) = [each.numbers for each in survey.sections if each.title == "Symbols"]
        longest, rows = config.data.window, config.data.batch_size
        steps = -(-symbols["symbols"]["tokens"] // (config.data.batch_size * longest))
    else:
        plan = next(f for f in survey.findings if f.code == "SJ-D21").numbers
        longest = max((shape[1] for shape in plan.get("shapes", ())), default=1)
        steps = plan.get("batches", 0)
        rows = max((shape[2] for shape in plan.get("shapes", ())), default=config.data.batch_size)
    cost = training_cost(config, survey.sizes, rows, longest)
    epochs = f" × {config.epochs} epochs" if config.epochs else ""
    table = [
        f"model  {cost.parameters:,} parameters, {_size(cost.weight_bytes)}; vocabulary "
        + ", ".join(f"{size:,} {side}" for side, size in survey.sizes.items()),
        f"train  {steps:,} steps an epoch{epochs}; {_size(cost.state_bytes)} of state, as much on "
        f"disk for each checkpoint",
        f"batch  logits of the largest take {_size(cost.logits_bytes)}",
    ]
    return Section("Cost of a model", table, (), {**cost._asdict(), "steps_an_epoch": steps})


def exit_code(survey: Survey, ignored: list[str]) -> int:
    """Returns 3 if an error is left that is not ignored, else 0."""
    errors = [f for f in survey.findings if f.kind == "error" and f.code not in ignored]
    return ERRORS_LEFT if errors else 0


def as_json(
    survey: Survey, ignored: list[str], config: Config, *, every_place: bool
) -> dict[str, Any]:
    """Returns the survey as plain JSON; see docs/data.md for the keys."""
    kinds = [finding.kind for finding in survey.findings]
    return {
        "task": survey.task,
        "tokens": dict(survey.tokens),
        "data": {"train": config.train, "valid": config.valid},
        "exit_code": exit_code(survey, ignored),
        "counts": {kind: kinds.count(kind) for kind in ("ok", "info", "warning", "error")},
        "ignored": ignored,
        "findings": [
            {**_plain(finding, every_place), "section": section.title}
            for section in survey.sections
            for finding in section.findings
        ],
        "numbers": {section.title: dict(section.numbers) for section in survey.sections},
    }


def _plain(finding: Finding, every_place: bool) -> dict[str, Any]:
    places = finding.places if every_place else finding.places[:PLACES]
    return {
        **finding._asdict(),
        "numbers": dict(finding.numbers),
        "places": [place._asdict() for place in places],
    }


def _only(survey: Survey, codes: list[str]) -> Survey:
    sections = [
        section._replace(findings=[f for f in section.findings if f.code in codes])
        for section in survey.sections
    ]
    only = survey._replace(sections=sections)
    if not only.findings:
        raise InputError(f"--show: {', '.join(codes)} is no finding of --task {survey.task}")
    return only


def _of_copy(
    config: Config, test: tuple[str, ...], directory: Path
) -> tuple[Config, tuple[str, ...]]:
    def moved(paths: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(str(directory / Path(path).name) for path in paths)

    copied = dataclasses.replace(config, train=moved(config.train), valid=moved(config.valid))
    return copied, moved(test)


def _print_repairs(repairs: list[Repair], copied: list[Path]) -> None:
    for code, split, changed, removed in repairs:
        what = "line" if code in ("SJ-D01", "SJ-D30", "SJ-D31") else "pair"
        unit = "line end" if code == "SJ-D11" else "text"
        done = [f"{counted(changed, unit)} changed"] * bool(changed)
        done += [f"{counted(removed, what)} taken out"] * bool(removed)
        print(f"{code}  {split:<5}  {', '.join(done)}")
    if not repairs:
        print("nothing was there to be mended")
    print(f"written: {' '.join(map(str, copied))}\n\nwhat is left in the copy:\n")


def _again(inspection: Inspection) -> str:
    """The command once more, without what was done about it."""
    flags, config = inspection.flags.survey, inspection.config
    words = ["seqjax", "inspect", "--data", *config.train]
    words += ["--valid", *config.valid] * bool(config.valid)
    words += ["--test", *flags.test] * bool(flags.test)
    words += ["--task", config.task] * (config.task != "text-to-text")
    words += ["--preset", flags.preset or ""] * bool(flags.preset)
    for name, value in inspection.given.items():
        part, _, field = name.replace("_", "-").partition(".")
        if isinstance(value, bool):
            words.append(f"--{part}.{'' if value else 'no-'}{field}")
        else:
            words += [f"--{part}.{field}", str(value)]
    return shlex.join(words)


def _size(count: int) -> str:
    for unit, size in (("GB", 1e9), ("MB", 1e6)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count / 1e3:.1f} kB"

"""`seqjax evaluate`: measure a trained run, or several that answer together."""

import dataclasses
import json
from pathlib import Path
from typing import Any

from seqjax.cli.beside import read_beside
from seqjax.cli.fitted import networks, refuse_searches
from seqjax.cli.flags import BesideFlags, EvaluateFlags, decode_config
from seqjax.cli.screen import PERCENT, Screen
from seqjax.data.readers import Pairs
from seqjax.errors import InputError
from seqjax.files import with_nulls, write_text
from seqjax.runs.conclude import evaluate
from seqjax.runs.diagnose import Report, search_report
from seqjax.runs.fitted import Fitted
from seqjax.runs.hearing import open_panel
from seqjax.runs.trained import Trained, load
from seqjax.tasks.aligned import Aligned
from seqjax.tasks.ctc import FramesToText
from seqjax.tasks.text_to_text import TextToText


def run(flags: EvaluateFlags) -> int:
    """Runs the command; see `main` for exit codes."""
    runs = [load(path) for path in flags.runs]
    trained = _judging(runs[0], flags)
    search = decode_config(trained.config.decode, flags.search)
    kinds = TextToText | FramesToText | Aligned
    together = isinstance(trained, Trained) and isinstance(trained.task, kinds)
    if isinstance(trained, Fitted):
        refuse_searches(trained, flags.search, flags.beside)
        if len(runs) > 1:
            networks(runs)  # says which is none
    if not together and (len(runs) > 1 or flags.beside != BesideFlags()):
        raise InputError(
            f"{flags.runs[0]}: a {trained.config.task} run searches for no answers: it is measured "
            "alone, without what has a say in answers"
        )
    if flags.report and not (together and isinstance(trained.task, TextToText)):
        raise InputError(f"{flags.runs[0]}: --report is of encoder-decoders; leave it out")
    data = _read(flags, trained)
    with Screen() as screen, screen.working("evaluating"):
        panel = None
        if together:
            members = networks(runs)
            beside = read_beside(flags.beside, members)
            panel = open_panel(members, search, beside, screen.compiling)
        scores, decoded = evaluate(
            trained,
            data,
            decode=search,
            answer_fn=panel,
            likelihood=None if len(runs) == 1 else {},
            announce=screen.compiling,
        )
        if isinstance(data, Pairs):
            cut = sum(map((panel or trained).cuts, data.sources))
            most = min(run.config.data.max_source for run in runs)
            screen.note_cut(cut, len(data.sources), most)
        report = None
        if flags.report and decoded is not None:
            report = search_report(networks(runs), decoded, search, screen.compiling)
    if flags.json:
        document = with_nulls(scores)
        if report is not None:
            document |= {"report": _plain(report)}
        print(json.dumps(document, ensure_ascii=False))
    else:
        width = max(map(len, scores))
        for name, value in scores.items():
            print(f"{name:<{width}}  {_shown(name, value)}")
        if report is not None:
            print("\n" + _table(report))
    if decoded is not None and flags.output is not None:  # last: what was measured is not lost
        write_text(Path(flags.output), "".join(f"{a[0].text}\n" for a in decoded.answers))
    return 0


def _read(flags: EvaluateFlags, trained: Trained | Fitted) -> Any:
    """Data named on the command line; else what the run was validated on, which a stranger may have
    named: nobody waits at a pipe."""
    if flags.data:
        found = trained.task.read(flags.data, trained.vocabularies)
    else:
        for path in (*trained.config.train, *trained.config.valid):
            if Path(path).exists() and not Path(path).is_file():
                raise InputError(f"{path}: no regular file, and the run names it; give --data FILE")
        found = trained.task.data().valid
    if isinstance(found, list):
        return found[: flags.limit]
    if not isinstance(found, Pairs):
        return found
    return Pairs(found.sources[: flags.limit], found.targets[: flags.limit], found.skipped)


def _judging(trained: Trained | Fitted, flags: EvaluateFlags) -> Trained | Fitted:
    """Returns the run with what the flags say of how answers are judged.

    Raises:
      InputError: If the task of the run has no use for it.
    """
    changed: dict[str, Any] = {
        name: True for name in ("rouge", "dialogues") if getattr(flags, name)
    }
    if flags.bleu_tokenizer is not None:
        changed["bleu_tokenizer"] = flags.bleu_tokenizer
    judging = dataclasses.replace(trained.config.validation, **changed)
    try:
        config = dataclasses.replace(trained.config, validation=judging)
    except ValueError as error:
        raise InputError(f"{flags.runs[0]}: {error}") from None
    return dataclasses.replace(trained, config=config)


def _shown(name: str, value: Any) -> str:
    if name in PERCENT:
        return f"{100 * value:.2f} %"
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def _plain(report: Report) -> dict[str, dict[str, dict[str, float]]]:
    return {
        side: {name: interval._asdict() for name, interval in measures.items()}
        for side, measures in report.items()
    }


def _table(report: Report) -> str:
    """Returns a line for each measure, a column for each side, with its interval."""
    names = list(report["answers"])
    lines = [f"{'with 95 % intervals':<20}" + "".join(f"{side:>28}" for side in report)]
    for name in names:
        cells = [_cell(measures.get(name)) for measures in report.values()]
        lines.append(f"{name:<20}" + "".join(f"{cell:>28}" for cell in cells))
    return "\n".join(line.rstrip() for line in lines)


def _cell(interval: Any) -> str:
    if interval is None:
        return ""
    value, low, high = interval
    return f"{value:.4f}" + ("" if low is None else f" ({low:.4f}, {high:.4f})")

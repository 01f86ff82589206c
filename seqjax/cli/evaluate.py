"""`seqjax evaluate`: measure a trained run, or several that answer together."""

import json
from pathlib import Path
from typing import Any

from seqjax.build.data import TaskData, build_data
from seqjax.cli.beside import read_beside
from seqjax.cli.flags import BesideFlags, EvaluateFlags, decode_config
from seqjax.cli.screen import PERCENT, Screen
from seqjax.config import Config
from seqjax.data.readers import Pairs, read_pairs, read_text
from seqjax.errors import InputError
from seqjax.files import write_text
from seqjax.runs.conclude import Trained, evaluate, load
from seqjax.runs.diagnose import Report, search_report
from seqjax.runs.together import Panel


def run(flags: EvaluateFlags) -> int:
    """Runs the command; see `main` for exit codes."""
    runs = [load(path) for path in flags.runs]
    trained = runs[0]
    search = decode_config(trained.config.decode, flags.search)
    language = trained.config.task == "language-model"
    if language and (len(runs) > 1 or flags.report or flags.beside != BesideFlags()):
        raise InputError(
            f"{flags.runs[0]}: a language model answers nothing: it is measured alone, without "
            "--report and what has a say in answers"
        )
    data = _read(flags, trained)
    with Screen() as screen, screen.working("evaluating"):
        panel = None
        if not language:
            panel = Panel(runs, search, read_beside(flags.beside, runs), screen.compiling)
        scores, decoded = evaluate(
            trained,
            data,
            decode=search,
            answer_fn=panel,
            likelihood=len(runs) == 1,
            announce=screen.compiling,
            bleu_tokenizer=flags.bleu_tokenizer,
        )
        report = None
        if flags.report and decoded is not None:
            report = search_report(runs, decoded, search, screen.compiling)
    if decoded is not None and flags.output is not None:
        write_text(Path(flags.output), "".join(f"{a[0].text}\n" for a in decoded.answers))
    if flags.json:
        document = scores if report is None else scores | {"report": _plain(report)}
        print(json.dumps(document, ensure_ascii=False))
        return 0
    width = max(map(len, scores))
    for name, value in scores.items():
        print(f"{name:<{width}}  {_shown(name, value)}")
    if report is not None:
        print("\n" + _table(report))
    return 0


def _read(flags: EvaluateFlags, trained: Trained) -> Any:
    """Data named on the command line; else what the run was validated on."""
    config = trained.config
    if config.task == "language-model":
        if flags.data:
            return read_text(flags.data[0], lowercase=config.data.lowercase)
        return _own_data(config).valid
    if flags.data:
        data = config.data
        pairs = read_pairs(flags.data, on_bad_line=data.on_bad_line, lowercase=data.lowercase)
    else:
        pairs = _own_data(config).valid
    return Pairs(pairs.sources[: flags.limit], pairs.targets[: flags.limit], pairs.skipped)


def _own_data(config: Config) -> TaskData:
    """The data that a run names, which a stranger may have written: nobody waits at a pipe."""
    for path in (*config.train, *config.valid):
        if Path(path).exists() and not Path(path).is_file():
            raise InputError(f"{path}: no regular file, and the run names it; give --data FILE")
    return build_data(config)


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

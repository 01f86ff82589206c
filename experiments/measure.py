"""Trains a task on real data, measures it once on its test set, and appends a row to `results/`.

    SEQJAX_DATA=... python -m experiments.measure sentiment [--seed 1] [--keep runs]
    python -m experiments.measure --list
    python -m experiments.measure --table [sentiment sentiment-bags]
    python -m experiments.measure --write

`SEQJAX_DATA` is a folder with the data sets that `experiments/README.md` names; none of them is
part of this project. What was tuned was tuned on validation data. `--keep` leaves files and run in
a folder. `--table` prints what `results/` holds as Markdown, and `--write` puts it where README and
docs have their tables.
"""

import argparse
import datetime
import os
import tempfile
import time
from pathlib import Path
from typing import Any

from experiments.rows import RESULT_COLUMNS, RESULTS, append_rows, commit
from experiments.tables import SHOWN, full_table, short_table, write_tables
from experiments.tasks import MEASURED
from seqjax.build.model import count_params
from seqjax.cli.flags import train_flags
from seqjax.errors import InputError
from seqjax.runs import conclude, road
from seqjax.runs.fitted import Fitted
from seqjax.runs.fitting import fit
from seqjax.runs.trained import Trained, load
from seqjax.train.allocator import keep_freed_memory
from seqjax.train.loop import INTERRUPTED


def measure(name: str, seed: int, data: Path | None, work: Path) -> list[dict]:
    """Trains and tests in the folder work; returns a row for each metric."""
    chosen = MEASURED[name]
    words = []
    if chosen.prepare is not None:
        assert data is not None
        chosen.prepare(data, work)
        words += ["--train", f"{work}/train.txt", "--valid", f"{work}/valid.txt"]
    words += ["--run-dir", f"{work}/run", "--seed", str(seed), *chosen.flags.split()]
    started = time.monotonic()
    config, best_step = train_flags(words).settings, 0
    if config.model.kind == "network":
        outcome = road.train(config)
        if outcome.reason == INTERRUPTED:
            raise SystemExit(f"{name}: the training was stopped; nothing is measured")
        best_step = outcome.progress.best_step
    else:
        fit(config)
    minutes, busy = (time.monotonic() - started) / 60, os.getloadavg()[1]
    trained = load(f"{work}/run")
    if chosen.prepare is None:
        test = trained.task.data().test
    else:
        test = trained.task.read([f"{work}/test.txt"], trained.vocabularies)
    scores = conclude.evaluate(trained, test).scores
    return [
        {
            "data": name,
            "seed": seed,
            "metric": metric,
            "value": float(f"{scores[metric]:.5g}"),
            "published": published,
            "examples": _examples(test, scores),
            "parameters": _parameters(trained),
            "minutes": round(minutes, 2),
            "load": round(busy, 1),
            "best_step": best_step,
            "command": f"seqjax train {chosen.flags}",
            "date": datetime.date.today().isoformat(),
            "commit": commit(),
        }
        for metric, published in chosen.metrics.items()
    ]


def _examples(test: Any, scores: dict[str, Any]) -> int:
    match test:
        case str():
            return scores["tokens"]
        case list():
            return len(test)
    return len(test.sources)


def _parameters(trained: Trained | Fitted) -> int | str:
    return count_params(trained.params) if isinstance(trained, Trained) else ""


def main(argv: list[str] | None = None) -> None:
    """Reads the command line; see the module."""
    parser = argparse.ArgumentParser(description="Measures tasks on real data.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="what to measure, or to show")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="leave files and runs in this folder")
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument("--list", action="store_true", help="say what there is to measure")
    instead.add_argument("--table", action="store_true", help="print what was measured")
    instead.add_argument("--write", action="store_true", help="put it into README and docs")
    arguments = parser.parse_args(argv)
    for name in arguments.names:
        if name not in (SHOWN if arguments.table else MEASURED):
            parser.error(f"{name} is not measured; --list says what is")
    if arguments.list:
        for name, chosen in MEASURED.items():
            print(f"{name}: {chosen.data}; {chosen.model}")
    elif arguments.table:
        names = arguments.names or list(SHOWN)
        print(short_table(names), full_table(names), sep="\n\n")
    elif arguments.write:
        print(*write_tables(), sep="\n")
    else:
        _measure_all(arguments.names, arguments.seed, arguments.keep)


def _measure_all(names: list[str], seed: int, keep: Path | None) -> None:
    data = Path(os.environ["SEQJAX_DATA"]) if "SEQJAX_DATA" in os.environ else None
    read = any(MEASURED[name].prepare is not None for name in names)
    if read and not (data and data.is_dir()):
        raise SystemExit("error: SEQJAX_DATA must be a folder with the data sets")
    keep_freed_memory()
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            work = Path(folder) if keep is None else keep / f"{name}-{seed}"
            work.mkdir(parents=True, exist_ok=True)
            try:
                rows = measure(name, seed, data, work)
            except InputError as error:
                raise SystemExit(f"error: {error}") from None
        append_rows(RESULTS / f"{name}.csv", RESULT_COLUMNS, rows)
        for row in rows:
            print(f"{row['data']} seed {row['seed']}: {row['metric']} {row['value']}")


if __name__ == "__main__":
    main()

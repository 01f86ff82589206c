"""Runs the grid of an experiment and appends one row for every run to its `results.csv`.

    python -m experiments.run attention_and_length [--smoke] [--dry-run] [--only copy-general-0]

A run whose row is there already is skipped, so that an experiment can be interrupted.
"""

import argparse
import dataclasses
import datetime
import importlib
import tempfile
import time
from typing import Any

import jax

from experiments.rows import HERE, append_rows, commit, read_rows
from seqjax.config import Config
from seqjax.runs import conclude, road
from seqjax.runs.trained import load_network
from seqjax.train.allocator import keep_freed_memory
from seqjax.types import Mean

EXPERIMENTS = ("attention_and_length",)
COLUMNS: tuple[str, ...] = (
    "run",
    "seed",
    "group",
    "exact_match",
    "sentences",
    "steps",
    "seconds",
    "date",
    "commit",
)


def run_one(name: str, config: Config, groups) -> list[dict[str, Any]]:
    """Trains and tests one configuration; returns a row for each group of source lengths."""
    print(name, flush=True)
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        config = dataclasses.replace(config, run_dir=f"{folder}/{name}")
        outcome = road.train(config)
        trained = load_network(str(outcome.run.path))
        decoded = conclude.evaluate(trained, outcome.data.test).decoded
    assert decoded is not None
    rows = []
    for shortest, longest in groups:
        matches = [
            answers[0].text in accepted
            for source, accepted, answers in zip(
                decoded.sources, decoded.references, decoded.answers, strict=True
            )
            if shortest <= len(source) <= longest
        ]
        rows.append(
            {
                "run": name.rsplit("-", 1)[0],
                "seed": config.seed,
                "group": f"{shortest}-{longest}",
                "exact_match": round(Mean(float(sum(matches)), float(len(matches))).value(), 4),
                "sentences": len(matches),
                "steps": outcome.progress.step,
                "seconds": round(time.monotonic() - started),
                "date": datetime.date.today().isoformat(),
                "commit": commit(),
            }
        )
    return rows


def main(argv: list[str] | None = None) -> None:
    """Runs what the command line asks for; see the top of the file."""
    parser = argparse.ArgumentParser(description="Run the grid of an experiment.")
    parser.add_argument("experiment", choices=EXPERIMENTS)
    parser.add_argument("--smoke", action="store_true", help="seconds a run, nothing is kept")
    parser.add_argument("--dry-run", action="store_true", help="name the runs and stop")
    parser.add_argument("--only", help="run this one only")
    arguments = parser.parse_args(argv)
    keep_freed_memory()
    question = importlib.import_module(f"experiments.{arguments.experiment}.grid")
    path = HERE / arguments.experiment / "results.csv"
    done = {(row["run"], row["seed"]) for row in read_rows(path)}
    for name, config in question.grid().items():
        kind, seed = name.rsplit("-", 1)
        if arguments.only not in (None, name):
            continue
        if arguments.dry_run:
            print(name, "done" if (kind, seed) in done else "to do")
        elif arguments.smoke:
            run_one(name, question.smoke(config), question.LENGTH_GROUPS)
        elif (kind, seed) not in done:
            append_rows(path, COLUMNS, run_one(name, config, question.LENGTH_GROUPS))
            jax.clear_caches()


if __name__ == "__main__":
    main()

"""`seqjax inspect RUN`: what a run is, and what it has come to."""

import dataclasses
import json
import sys
from typing import Any

import jax

from seqjax.build.model import count_params, params_by_module
from seqjax.build.training import build_training
from seqjax.cli.flags import InspectFlags
from seqjax.rundir import parameters_sha256
from seqjax.runs.trained import Trained, load_network
from seqjax.train.checkpoint import Checkpoints


def run(flags: InspectFlags) -> int:
    """Shows one run; see `main` for exit codes."""
    (run,) = flags.runs
    found = describe(load_network(run))
    if flags.json:
        print(json.dumps(found, ensure_ascii=False))
        return 0
    print(f"run         {run} · step {found['step']} · best at {found['best_step']}")
    print(f"task        {found['config']['task']}")
    print(f"parameters  {found['parameters']:,}")
    for name, count in found["parameters_by_module"].items():
        print(f"              {count:>12,}  {name}")
    for name in ("parameters_sha256", "optimizer_sha256", "best_sha256"):
        print(f"{name:<18}  {found[name]}")
    print("data")
    for name, value in found["data"].items():
        print(f"  {name:<20}  {value}")
    print("settings")
    for name, value in flat(found["config"]):
        print(f"  {name:<32}  {value}")
    print(f"history     {len(found['history'])} validations")
    for row in found["history"][-8:]:
        values = "  ".join(
            f"{name} {value:.4f}" for name, value in row.items() if isinstance(value, float)
        )
        print(f"  step {row['step']:>7}  {'*' if row.get('best') else ' '} {values}")
    return 0


def describe(trained: Trained) -> dict[str, Any]:
    """Returns all that is known of a run, as plain JSON.

    `parameters_sha256` and `optimizer_sha256` are those of the newest checkpoint, with which
    training goes on; `best_sha256` that of the weights which `evaluate` and `decode` use.
    """
    run = trained.run
    state, progress = _newest(trained)
    return {
        "run": str(run.path),
        "step": progress.get("step"),
        "epoch": progress.get("epoch"),
        "best_step": progress.get("best_step"),
        "best": progress.get("best"),
        "parameters": count_params(trained.params),
        "parameters_by_module": params_by_module(trained.params),
        "parameters_sha256": state and parameters_sha256(state.params),
        "optimizer_sha256": state and parameters_sha256(_as_dict(state.optimizer_state)),
        "best_sha256": parameters_sha256(trained.params),
        "config": dataclasses.asdict(trained.config),
        "data": trained.statistics,
        "history": [
            row for row in run.history.rows() if row.get("event") == "validation" and "step" in row
        ],
    }


def _newest(trained: Trained) -> tuple[Any, dict[str, Any]]:
    """The newest checkpoint of the run; nothing if it has none (weights handed on without it)."""
    if not trained.run.checkpoints.exists():
        return None, {}
    # How long the schedule is leaves no trace in the state.
    training = build_training(
        trained.config.optimizer, trained.learner, total_steps=1, epoch_steps=1
    )
    template = training.init_fn(trained.params)
    checkpoints = Checkpoints(trained.run.checkpoints)
    found = checkpoints.restore(template, lambda text: print("warning ", text, file=sys.stderr))
    return found or (None, {})


def _as_dict(tree: Any) -> dict[str, Any]:
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    return {
        jax.tree_util.keystr(path, simple=True, separator=".").replace("/", "."): leaf
        for path, leaf in leaves
    }


def flat(settings: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Returns nested settings as `(dotted name, value)`."""
    found = []
    for name, value in settings.items():
        if isinstance(value, dict):
            found += flat(value, f"{prefix}{name}.")
        else:
            found.append((prefix + name, value))
    return found

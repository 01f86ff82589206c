"""Trains in several processes on this host, each of which is this file run as a command.

python together.py '{"run_dir": ..., "processes": {...}, ...}'
"""

import contextlib
import dataclasses
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = " ".join(f"the {animal} saw the {animal}s" for animal in ("cat", "dog", "elk", "owl")) * 9
TIMEOUT = 5
"""Seconds after which a process that is not heard of has gone."""


def settings(run_dir, steps, task="text", **mesh):
    """A language model over a small text, or a text-to-text model whose answers count."""
    from seqjax import config

    if task == "text":
        given = {
            "task": "language-model",
            "train": (str(Path(run_dir).with_suffix(".train")),),
            "valid": (str(Path(run_dir).with_suffix(".valid")),),
            "model": config.ModelConfig(
                cell="rnn", embedding_size=8, hidden_size=8, dropout=0.3, decoder_layers=1
            ),
            "validation": config.ValidationConfig(every=6),
        }
        for path in (*given["train"], *given["valid"]):
            if not Path(path).exists():
                Path(path).write_text(TEXT, encoding="utf-8")
    else:
        given = {
            "model": config.ModelConfig(embedding_size=8, hidden_size=8, dropout=0.3),
            "validation": config.ValidationConfig(every=6, examples=4, metric="token_error_rate"),
        }
    return config.Config(
        run_dir=str(run_dir),
        steps=steps,
        save_every=5,
        data=config.DataConfig(
            embedded="copy", examples=70, max_length=5, batch_size=8, window=6, buckets=1
        ),
        optimizer=config.OptimizerConfig(warmup_steps=2, average_decay=0.9),
        mesh=config.MeshConfig(**mesh),
        **given,
    )


@dataclasses.dataclass
class Told:
    """What is seen of a training: the loss of every step."""

    losses: list

    def training(self, progress, *, steps, minutes):
        return self.compiling("")

    def compiling(self, what):
        return contextlib.nullcontext()

    def stepped(self, progress, metrics, seconds):
        self.losses.append(float(metrics.loss.value()))

    def validated(self, row, progress, is_best):
        pass

    def note(self, text):
        pass


def begin(count, run_dir, steps, *, strikes=(), train_of=None, **more):
    """Starts `count` processes that train together.

    Args:
      count: How many.
      run_dir: Of the run.
      steps: To make.
      strikes: `(index, step, signal)`: which processes send themselves what after which step.
      train_of: Other training files, by process.
      more: For `settings`.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    started = []
    for index in range(count):
        words = {
            "processes": {"coordinator": f"127.0.0.1:{port}", "count": count, "index": index},
            "settings": {"run_dir": str(run_dir), "steps": steps, **more},
            "train": (train_of or {}).get(index),
            "strikes": [(step, number) for own, step, number in strikes if own == index],
        }
        environment = os.environ | {"PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu"}
        environment["XLA_FLAGS"] = "--xla_backend_optimization_level=0"
        started.append(
            subprocess.Popen(
                [sys.executable, __file__, json.dumps(words)],
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
    return started


def end(started, within=240):
    """Returns `(exit code, what was found or None, standard error)` of every process."""
    found = []
    for process in started:
        out, err = process.communicate(timeout=within)
        found.append((process.returncode, json.loads(out) if out else None, err))
    return found


def train(count, run_dir, steps, **more):
    """Starts processes and returns what the first one found, if all went well."""
    found = end(begin(count, run_dir, steps, **more))
    assert [code for code, _, _ in found] == [0] * count, found
    return found[0][1]


def main(words):
    import jax
    import numpy as np

    from seqjax.cli import cluster
    from seqjax.cli.flags import ProcessFlags
    from seqjax.runs import road
    from seqjax.train import processes
    from seqjax.train.mesh import gather

    processes.ASK_EVERY = 0.0  # at every step
    flags = ProcessFlags(**words["processes"], timeout=TIMEOUT, wait=60)
    config = settings(**words["settings"])
    if words["train"]:
        config = dataclasses.replace(config, train=tuple(words["train"]))
    told, strikes = Told([]), dict(words["strikes"])
    if strikes:
        _strike_after(strikes)
    joined = cluster.join(flags)
    assert joined == (flags.count > 1)
    with cluster.together(flags, config) if joined else contextlib.nullcontext():
        outcome = road.train(config, told)
        params = gather(outcome.state.params)
        cluster.leave()
    found = {
        "losses": told.losses,
        "step": outcome.progress.step,
        "reason": outcome.reason,
        "dealt": [
            jax.tree_util.keystr(path)
            for path, leaf in jax.tree_util.tree_leaves_with_path(outcome.state.params)
            if not leaf.is_fully_replicated
        ],
        "params": {
            jax.tree_util.keystr(path): np.asarray(leaf, np.float64).ravel().tolist()
            for path, leaf in jax.tree_util.tree_leaves_with_path(params)
        },
    }
    print(json.dumps(found))
    sys.exit(75 if outcome.reason == "interrupted" else 0)


def _strike_after(strikes):
    """Sends this process a signal when the loop has settled a step."""
    from seqjax.train import loop

    settle = loop._Loop._settle

    def settled(self):
        settle(self)
        number = strikes.pop(self.progress.step, None)
        if number is not None:
            os.kill(os.getpid(), signal.Signals(number))

    loop._Loop._settle = settled


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))

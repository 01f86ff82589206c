"""One training is killed again and again, and comes out as one that was never touched.

`make torture` runs it with fifty kills. Each is a real `seqjax train` that is started by the same
command and ended when it has come to a step drawn at random: by SIGKILL, at any moment or inside a
save, by SIGTERM, by Ctrl-C, by Ctrl-C twice, by SIGTERM and SIGKILL after it; or a second trainer
is started in the same directory, which must be refused. There are dropout, shapes of several sizes,
batches in parts, an average, a rate that a plateau lowers, and ends of epochs on the way. What is
compared: every array of the last checkpoint, where the run stands, each line of the history, the
vocabularies and the three checksums of `seqjax inspect`; all but seconds, bit for bit.
"""

import argparse
import contextlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from seqjax.rundir.tensors import open_tensors

SETTINGS = (
    *("--data.embedded", "copy", "--data.examples", "120", "--data.max-length", "9"),
    *("--data.batch-size", "16", "--data.buckets", "2", "--model.embedding-size", "8"),
    *(
        "--model.hidden-size",
        "8",
        "--model.dropout",
        "0.3",
        "--model.attention",
        "none",
        "--optimizer.accumulate",
        "2",
    ),
    *("--optimizer.average-decay", "0.9", "--optimizer.schedule", "plateau"),
    *("--optimizer.warmup-steps", "5", "--validation.every", "29", "--validation.examples", "4"),
    *("--validation.patience", "0", "--save-every", "3"),
)
BY_CLOCK = ("seconds", "spent", "tokens_per_second")
"""What differs between two runs that do the same."""
MODES = {
    "kill": (signal.SIGKILL,),
    "kill in a save": (signal.SIGKILL,),
    "kill at the start": (signal.SIGKILL,),
    "term": (signal.SIGTERM,),
    "ctrl-c": (signal.SIGINT,),
    "ctrl-c twice": (signal.SIGINT, signal.SIGINT),
    "term, kill": (signal.SIGTERM, signal.SIGKILL),
    "two at once": (signal.SIGKILL,),
}
CODES = {
    **{mode: {-signal.SIGKILL} for mode in MODES},
    "term": {75},
    "ctrl-c": {75},
    "ctrl-c twice": {75, 130, -signal.SIGINT},  # of which a shell says 130, too
    "term, kill": {75, -signal.SIGKILL},
}
"""How each may end; a training that was done before the signal came ends with 0 as well."""


class Kill(NamedTuple):
    """How one training ended.

    Attributes:
      mode: Of `MODES`.
      step: The newest checkpoint when it was signalled.
      code: Exit code.
      in_a_save: A save was under way that never came to its end.
    """

    mode: str
    step: int
    code: int
    in_a_save: bool


def command(run: Path, steps: int, settings) -> list[str]:
    train = (sys.executable, "-m", "seqjax", "train", "--run-dir", str(run))
    return [*train, "--steps", str(steps), *settings]


def newest(run: Path) -> int:
    """Returns the newest step that has a name; -1 if there is none."""
    with contextlib.suppress(FileNotFoundError):
        names = os.listdir(run / "checkpoints")
        return max((int(name) for name in names if name.isdecimal()), default=-1)
    return -1


def unsealed(run: Path) -> set[str]:
    """Returns the steps that are being written, or were when a process was killed."""
    with contextlib.suppress(FileNotFoundError):
        return {name for name in os.listdir(run / "checkpoints") if name.endswith(".new")}
    return set()


def strike(run: Path, words: list[str], mode: str, target: int, draw: random.Random) -> Kill:
    """Starts the training and ends it when it has come to `target`."""
    left = unsealed(run)
    with (
        tempfile.TemporaryFile("w+") as told,  # a pipe that nobody reads would stop who fills it
        subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=told) as trainer,
    ):
        if mode == "kill at the start":
            time.sleep(draw.uniform(0, 10))
        else:
            before = newest(run)
            wait_for(trainer, lambda: newest(run) > max(before, target - 1))
            if mode == "kill in a save":
                wait_for(trainer, lambda: unsealed(run) - left)
                time.sleep(draw.uniform(0, 0.004))
            else:
                time.sleep(draw.uniform(0, 0.2))
        if mode == "two at once" and trainer.poll() is None:
            refused(words, trainer)
        step = newest(run)
        for number in MODES[mode]:
            trainer.send_signal(number)
            time.sleep(draw.uniform(0, 0.2) if len(MODES[mode]) > 1 else 0)
        try:
            code = trainer.wait(timeout=300)
        except subprocess.TimeoutExpired:
            trainer.kill()
            raise AssertionError(f"{mode}: the training did not end") from None
        told.seek(0)
        said = told.read()
    assert code in CODES[mode] | {0}, f"{mode}: exit code {code}: {said[-2_000:]}"
    assert "Traceback" not in said, said[-2_000:]
    return Kill(mode, step, code, bool(unsealed(run) - left))


def wait_for(trainer, holds, seconds=300):
    """Returns when `holds()`, or the training has ended by itself."""
    until = time.monotonic() + seconds
    while not holds() and trainer.poll() is None:
        assert time.monotonic() < until, "the training does not get on"
        time.sleep(0.0005)


def refused(words, trainer):
    second = subprocess.run(words, capture_output=True, text=True, check=False)
    if trainer.poll() is None:
        assert second.returncode == 2, second.stderr
        assert f"process {trainer.pid}" in second.stderr, second.stderr


def finish(words: list[str]) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2_000:]


def timeless(document):
    """Returns a JSON document without what the clock says."""
    if isinstance(document, dict):
        return {name: timeless(inner) for name, inner in document.items() if name not in BY_CLOCK}
    return document


def inspected(run: Path) -> dict:
    """Returns what `seqjax inspect` tells of where the run stands, with its three checksums."""
    words = [sys.executable, "-m", "seqjax", "inspect", run, "--json"]
    found = json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
    names = ("step", "parameters_sha256", "optimizer_sha256", "best_sha256", "best", "best_step")
    return {name: found[name] for name in names}


def kept(run: Path) -> dict:
    """Returns all that must not differ, by name."""
    best = open_tensors(run / "best.safetensors")
    last = run / "checkpoints" / str(newest(run))
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return {
        **{f"best {name}": best.read(name).tobytes() for name in best.entries},
        "arrays": (last / "arrays-00000-of-00001.safetensors").read_bytes(),
        "progress": timeless(json.loads((last / "progress.json").read_text())),
        # SJ-T09 says that training has become slow.
        "history": [timeless(row) for row in rows if row.get("code") != "SJ-T09"],
        "config": (run / "config.json").read_text(),
        **{path.name: path.read_bytes() for path in sorted((run / "vocabulary").iterdir())},
    }


def torture(folder, kills, steps, seed, *, settings=SETTINGS, modes=tuple(MODES), inspect=True):
    """Returns the kills of one run and the names in which it differs from an untouched one."""
    run, untouched = folder / "tortured", folder / "untouched"
    words = command(run, steps, settings)
    draw = random.Random(seed)
    begun = time.monotonic()
    finish(command(untouched, steps, settings))
    print(f"untouched run of {steps} steps: {time.monotonic() - begun:.1f} s")
    ended = []
    order = [modes[number % len(modes)] for number in range(kills)]
    draw.shuffle(order)
    for number, mode in enumerate(order):
        target = int(0.95 * steps * (number + draw.random()) / kills)
        ended.append(strike(run, words, mode, target, draw))
        kill = ended[-1]
        torn = " inside a save" if kill.in_a_save else ""
        print(f"{number + 1:>3}  {mode:<18} at step {kill.step:>5}  exit {kill.code}{torn}")
    finish(words)
    expected, found = kept(untouched), kept(run)
    if inspect:
        expected, found = expected | inspected(untouched), found | inspected(run)
    different = [name for name in expected if found.get(name) != expected[name]]
    left = [path.name for path in run.rglob("*") if re.search(r"\.(new|old)$|lock$", path.name)]
    return ended, different + left


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--steps", type=int, default=4_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="where the two runs are kept")
    given = parser.parse_args()
    folder = given.folder or Path(tempfile.mkdtemp(prefix="seqjax-torture-"))
    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(folder / "cache"))
    os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")  # starts in seconds
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
    sys.stdout.reconfigure(line_buffering=True)  # pyright: ignore[reportAttributeAccessIssue]
    begun = time.monotonic()
    ended, different = torture(folder, given.kills, given.steps, given.seed)
    survived = sum(kill.code != 0 for kill in ended)
    torn = sum(kill.in_a_save for kill in ended)
    print(
        f"{survived} of {given.kills} trainings ended by force, {torn} inside a save, "
        f"in {time.monotonic() - begun:.0f} s (seed {given.seed})"
    )
    if different:
        print(f"DIFFERENT from the untouched run: {', '.join(different)}; both are in {folder}")
        return 1
    print("bit for bit the untouched run: arrays, progress, history, vocabularies, checksums")
    if given.folder is None:
        shutil.rmtree(folder)
    return 0 if survived == given.kills else 1


if __name__ == "__main__":
    sys.exit(main())

"""A save whose calls to the operating system are counted, and one of which is the last. No JAX."""

import io
import os
import sys
from pathlib import Path

import numpy as np

from seqjax.rundir.steps import DamagedError, Steps
from seqjax.rundir.tensors import write_tensors

PLACES = {
    "rename": (os, "rename"),
    "replace": (os, "replace"),
    "fsync": (os, "fsync"),
    "os.open": (os, "open"),
    "open": (io, "open"),
    "mkdir": (os, "mkdir"),
    "unlink": (os, "unlink"),
    "rmdir": (os, "rmdir"),
}


def save(steps, step, keep=2):
    folder = steps.begin(step)
    write_tensors(folder / "arrays.safetensors", {"x": np.arange(step + 1_000)}, {})
    (folder / "progress.json").write_text(f'{{"step": {step}}}')
    steps.commit(step)
    steps.prune(step, keep)


def fail(*arguments, **more):
    raise OSError(28, "No space left on device")


def counted(set_fn, wanted, number, last_fn):
    """Replaces call `number` of the wanted kind (of any, if None); returns the list of calls."""
    calls = []
    for name, (module, attribute) in PLACES.items():
        if wanted in (None, name):
            real = getattr(module, attribute)

            def replaced(*arguments, real=real, **more):
                calls.append(real)
                return (last_fn if len(calls) == number else real)(*arguments, **more)

            set_fn(module, attribute, replaced)
    return calls


def main(folder):
    """Prints the newest whole step after a death at call 1, 2, ... until the save outlives it."""
    for number in range(1, 200):
        steps = Steps(folder / str(number))
        save(steps, 1)
        save(steps, 2)
        child = os.fork()
        if child == 0:
            counted(setattr, None, number, lambda *arguments, **more: os._exit(9))
            save(steps, 3)
            os._exit(0)
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0:
            print("done")
            return
        whole = []
        for step in steps.numbers():
            try:
                steps.verify(step)
            except DamagedError as error:
                sys.exit(f"a death at call {number} left step {step} damaged: {error}")
            whole.append(step)
        assert whole in ([1, 2], [1, 2, 3], [2, 3]), whole
        print(f"{whole[-1]}:{number}")
        steps.sweep()
        save(steps, 3)
        assert sorted(path.name for path in steps.directory.iterdir()) == ["2", "3"]


if __name__ == "__main__":
    main(Path(sys.argv[1]))

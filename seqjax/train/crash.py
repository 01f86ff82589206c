"""What is written down of a batch after which a run could not go on."""

import json
from pathlib import Path
from typing import Any

import jax

from seqjax.files import replacing, write_text
from seqjax.rundir.tensors import write_tensors
from seqjax.train.parts import parts_of
from seqjax.train.step import TrainState
from seqjax.types import Batch, Key


def write_crash(
    directory: Path, state: TrainState, batch: Batch, key: Key, facts: dict[str, Any]
) -> Path:
    """Writes `<step>.safetensors` and `<step>.json` into `directory`; returns the latter's path.

    The first holds the weights before the step, its memory, the batch and the run's key: all that
    the step is a function of but for the optimizer's state. `facts` are plain JSON.

    Raises:
      InputError: If they cannot be written.
    """
    directory.mkdir(exist_ok=True)
    path = directory / f"{int(state.step) + 1}.json"
    parts = parts_of({"params": state.params, "memory": state.memory, "batch": batch, "key": key})
    with replacing(path.with_suffix(".safetensors")) as temporary:
        write_tensors(temporary, parts, {"key": str(jax.random.key_impl(key))})
    write_text(path, json.dumps(facts, indent=2, ensure_ascii=False) + "\n")
    return path

"""`seqjax features`: what a trained model makes of texts, for another model to read."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from seqjax.cli.flags import FeaturesFlags
from seqjax.cli.screen import Screen
from seqjax.data.lines import read_line_stream, read_lines
from seqjax.files import replacing
from seqjax.runs.trained import load_network


def run(flags: FeaturesFlags) -> int:
    """Runs the command: writes the features of every line, in order."""
    assert flags.output is not None
    trained = load_network(flags.run)
    lower = str.lower if trained.config.data.lowercase else str
    lines = read_line_stream(sys.stdin.buffer) if flags.input is None else read_lines(flags.input)
    texts = [lower(line) for line in lines]
    with Screen() as screen, screen.working("reading"):
        found = trained.features(texts, flags.pool, screen.compiling)
        _write(Path(flags.output), found)
        width = found[0].shape[-1] if found else 0
        cut = sum(map(trained.cuts, texts))
        screen.note_cut(cut, len(texts), trained.config.data.max_source)
        screen.note(f"written  {flags.output}: {len(found):,} lines, {width:,} features")
    return 0


def _write(path: Path, found: list[np.ndarray]) -> None:
    with replacing(path) as temporary, temporary.open("wb") as file:
        match path.suffix:
            case ".npy":
                np.save(file, np.stack(found) if found else np.zeros((0, 0), np.float32))
            case ".npz":
                arrays: Any = {str(number): one for number, one in enumerate(found)}
                np.savez(file, **arrays)
            case _:
                for one in found:
                    file.write((json.dumps(one.tolist()) + "\n").encode())

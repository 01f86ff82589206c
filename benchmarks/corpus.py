"""How much memory a training takes from a corpus that is kept on disk, and from one that is not.

    seqjax bench corpus [--json]

A corpus of 50 million tokens is made up in a temporary directory: words of a vocabulary of 4,000,
frequent ones first (Zipf), once as a running text and once as pairs. A process of its own for each
way trains a small model on it for a few steps, on Linux: the whole road with vocabulary, plan,
batches, validation and checkpoint. `peak_mb` is the most memory that was resident at any moment,
pages of mapped files included; `rise_mb` how far that is above the same training on a small corpus
of the same vocabulary: what the corpus takes beyond the model. 1 MB is 1e6 bytes; the goal for a
store is 1 GiB.
"""

import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.memory import resident
from benchmarks.timing import in_turn_processes

TOKENS, SMALL, HELD_OUT = 50_000_000, 400_000, 2_000
VOCABULARY, LINE = 4_000, 20
STEPS = 8
KINDS = ("text", "pairs")
WAYS = ("small corpus", "store, made", "store, used again", "in memory")
AT_ONCE = 10_000
"""Lines that are made up together, at most."""


def write_corpus(path: Path, kind: str, tokens: int, seed: int = 0) -> None:
    """Writes lines of about `LINE` tokens: a running text, or pairs of which each side is half."""
    rng = np.random.default_rng(seed)
    words = np.array([f"w{number}" for number in range(VOCABULARY)])
    shares = 1 / np.arange(1, VOCABULARY + 1)
    ends = np.cumsum(shares / shares.sum())
    with path.open("w", encoding="utf-8") as file:
        for start in range(0, tokens // LINE, AT_ONCE):
            count = min(tokens // LINE - start, AT_ONCE)
            drawn = np.minimum(np.searchsorted(ends, rng.random((count, LINE))), len(words) - 1)
            cuts = rng.integers(LINE // 4, LINE, count).tolist()  # where a source ends
            for row, cut in zip(words[drawn].tolist(), cuts, strict=True):
                if kind == "text":
                    file.write(" ".join(row) + "\n")
                else:
                    file.write(" ".join(row[:cut]) + "\t" + " ".join(row[cut:]) + "\n")


def one_process(folder: Path, kind: str, way: str) -> dict[str, float]:
    """Trains in this process; returns its peak in MB and its seconds."""
    from seqjax.config import Config, DataConfig, ModelConfig, ValidationConfig
    from seqjax.runs import road
    from seqjax.train.allocator import keep_freed_memory

    keep_freed_memory()
    small, stored = way == "small corpus", way.startswith("store")
    config = Config(
        task="language-model" if kind == "text" else "text-to-text",
        train=(str(folder / f"{kind}.{'small' if small else 'large'}.tsv"),),
        valid=(str(folder / f"{kind}.valid.tsv"),),
        run_dir=tempfile.mkdtemp(dir=folder),
        steps=STEPS,
        data=DataConfig(
            source_tokens="words",
            target_tokens="words",
            batch_size=16,
            window=16,
            buckets=2,
            store=str(folder / f"{kind}.store") if stored else None,
        ),
        model=ModelConfig(embedding_size=16, hidden_size=32),
        validation=ValidationConfig(every=STEPS, examples=4),
    )
    started = time.monotonic()
    outcome = road.train(config)
    assert int(outcome.state.step) == STEPS
    return {"peak_mb": resident().highest, "seconds": time.monotonic() - started}


def measurements(
    *, tokens: int = TOKENS, small: int = SMALL, kinds: Sequence[str] = KINDS
) -> Iterator[dict[str, Any]]:
    """Yields one row for each kind of corpus and way."""
    with tempfile.TemporaryDirectory(prefix="seqjax-corpus-") as name:
        folder = Path(name)
        for kind in kinds:
            for size, count in (("valid", HELD_OUT), ("small", small), ("large", tokens)):
                write_corpus(folder / f"{kind}.{size}.tsv", kind, count)
            least = 0.0
            for way in WAYS:
                taken = in_turn_processes("benchmarks.corpus", {way: [folder, kind, way]}, 1)
                found = taken[way][0]
                least = least or found["peak_mb"]
                yield {
                    "case": kind,
                    "way": way,
                    "peak_mb": round(found["peak_mb"], 1),
                    "rise_mb": round(found["peak_mb"] - least, 1),
                    "seconds": round(found["seconds"], 1),
                }


def line_of(row: dict[str, Any]) -> str:
    """Returns a row as it is printed."""
    return (
        f"{row['case']:<6} {row['way']:<18} peak {row['peak_mb']:>8,.0f} MB   "
        f"beyond the model {row['rise_mb']:>7,.0f} MB   {row['seconds']:>6,.0f} s"
    )


if __name__ == "__main__":
    print(json.dumps(one_process(Path(sys.argv[1]), sys.argv[2], sys.argv[3])))

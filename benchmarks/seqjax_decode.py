"""Our side of `benchmarks/decode.py`.

`python -m benchmarks.seqjax_decode RUN FILE BEAM BATCH STOP`
"""

import json
import sys
from typing import Any

import jax

from benchmarks.decode import Said, timed
from seqjax.config import DecodeConfig
from seqjax.runs.trained import Trained, load_network
from seqjax.train.allocator import keep_freed_memory


def decode(path: str, data: str, beam: int, batch: int, stop: Any) -> Said:
    """Decodes all lines of a file, or some of them one at a time if `batch` is 1."""
    run = load_network(path)
    config = DecodeConfig(
        method="beam" if beam > 1 else "greedy", beam_size=beam, batch_size=batch, stop=stop
    )
    answerer = run.answer_fn(config)

    def lengths(lines: list[str]) -> list[int]:
        return [len(found[0].tokens) + 1 for found in answerer(run.weights, lines)]

    said = timed(lengths, data, batch)
    return said._replace(gflop=2e-9 * beam * said.tokens * _weights_of_a_step(run))


def _weights_of_a_step(run: Trained) -> int:
    """Returns how many weights a row is multiplied with in a step of the decoder."""
    decoder = dict(run.params["decoder"])
    size = sum(
        leaf.size
        for path, leaf in jax.tree_util.tree_leaves_with_path(decoder)
        if leaf.ndim == 2 and "bridge" not in str(path) and "key_map" not in str(path)
    )
    tied = run.config.model.tied_embeddings
    return size if tied else size - decoder["embedding"]["embedding"].size


if __name__ == "__main__":
    keep_freed_memory()
    path, data, beam, batch, stop = sys.argv[1:]
    print(json.dumps(decode(path, data, int(beam), int(batch), stop)._asdict()))

"""Joey NMT's side of `benchmarks/decode.py`, through the functions that its own command uses.

`python -m benchmarks.joeynmt_decode MODEL FILE BEAM BATCH`, with Joey NMT 2.3 installed; MODEL is
the directory of a training.
"""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.decode import LONGEST, timed


def lengths_fn_of(model: str, beam: int, batch: int) -> Callable[[list[str]], list[int]]:
    """Returns what decodes lines with a model, which is loaded, and counts the answers' tokens."""
    import torch  # pyright: ignore[reportMissingImports]
    from joeynmt.config import (  # pyright: ignore[reportMissingImports]
        load_config,
        parse_global_args,
    )
    from joeynmt.prediction import predict, prepare  # pyright: ignore[reportMissingImports]

    torch.set_num_threads(len(os.sched_getaffinity(0)))
    config = load_config(Path(model, "config.yaml")) | {"model_dir": model, "use_cuda": False}
    settings = parse_global_args(config, rank=0, mode="translate")
    network, _, _, stream = prepare(settings, rank=0, mode="translate")
    search = settings.test._replace(
        beam_size=beam,
        batch_size=batch,
        batch_type="sentence",
        n_best=1,
        max_output_length=LONGEST,
    )

    def lengths(lines: list[str]) -> list[int]:
        stream.reset_cache()
        # It takes batches as lines come; sorted, they are as even as those of the others.
        for line in sorted(lines, key=lambda line: len(line.split())):
            stream.set_item(line)
        _, _, answers, *_ = predict(
            network, stream, settings.device, n_gpu=0, args=search, autocast=settings.autocast
        )
        return [len(answer.split()) + 1 for answer in answers]

    return lengths


def main(model: str, data: str, beam: int, batch: int) -> None:
    """Prints what decoding takes as JSON."""
    print(json.dumps(timed(lengths_fn_of(model, beam, batch), data, batch)._asdict()))


if __name__ == "__main__":
    model, data, beam, batch = sys.argv[1:]
    main(model, data, int(beam), int(batch))

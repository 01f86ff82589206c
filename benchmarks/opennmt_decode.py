"""OpenNMT-py's side of `benchmarks/decode.py`, through the engine that its own command uses.

`python -m benchmarks.opennmt_decode MODEL FILE BEAM BATCH`, with OpenNMT-py 3.5 installed.
"""

import json
import sys
import time
from pathlib import Path

ALONE = 60


def engine_of(model: str, beam: int, batch: int):
    """Returns its inference engine with a model loaded."""
    import torch  # pyright: ignore[reportMissingImports]
    from onmt.inference_engine import InferenceEnginePY  # pyright: ignore[reportMissingImports]
    from onmt.opts import translate_opts  # pyright: ignore[reportMissingImports]
    from onmt.utils.parse import ArgumentParser  # pyright: ignore[reportMissingImports]

    torch.set_num_threads(2)
    # Newer versions of PyTorch load nothing but tensors unless they are told to.
    load = torch.load
    torch.load = lambda *given, **settings: load(*given, **settings | {"weights_only": False})
    parser = ArgumentParser()
    translate_opts(parser)
    words = ["-model", model, "-src", "unused", "-beam_size", str(beam), "-max_length", "60"]
    words += ["-batch_size", str(batch), "-batch_type", "sents", "-log_file", "/dev/null"]
    options = parser.parse_args(words)
    ArgumentParser.validate_translate_opts(options)
    ArgumentParser._get_all_transform_translate(options)
    ArgumentParser._validate_transforms_opts(options)
    ArgumentParser.validate_translate_opts_dynamic(options)
    return InferenceEnginePY(options)


def main(model: str, data: str, beam: int, batch: int) -> None:
    """Prints seconds, sentences and tokens as JSON."""
    lines = Path(data).read_text(encoding="utf-8").split("\n")[:-1]
    lines = lines[:ALONE] if batch == 1 else lines
    # Sorted by length, as `seqjax` does, so that batches are as even as they can be.
    lines = sorted(lines, key=lambda line: len(line.split()))
    engine = engine_of(model, beam, batch)
    parts = [[line] for line in lines] if batch == 1 else [lines]
    for part in parts[:10]:
        engine.infer_list(part)
    started = time.perf_counter()
    answers = [found[0] for part in parts for found in engine.infer_list(part)[1]]
    seconds = time.perf_counter() - started
    print(json.dumps([seconds, len(lines), sum(len(one.split()) + 1 for one in answers)]))


if __name__ == "__main__":
    model, data, beam, batch = sys.argv[1:]
    main(model, data, int(beam), int(batch))

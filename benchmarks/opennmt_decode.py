"""OpenNMT-py's side of `benchmarks/decode.py`, through the engine that its own command uses.

`python -m benchmarks.opennmt_decode MODEL FILE BEAM BATCH`, with OpenNMT-py 3.5 installed.
"""

import json
import os
import sys

from benchmarks.decode import LONGEST, timed


def engine_of(model: str, beam: int, batch: int):
    """Returns its inference engine with a model loaded; it sorts lines by length itself."""
    import torch  # pyright: ignore[reportMissingImports]
    from onmt.inference_engine import InferenceEnginePY  # pyright: ignore[reportMissingImports]
    from onmt.opts import translate_opts  # pyright: ignore[reportMissingImports]
    from onmt.utils.parse import ArgumentParser  # pyright: ignore[reportMissingImports]

    torch.set_num_threads(len(os.sched_getaffinity(0)))
    # Newer versions of PyTorch load nothing but tensors unless they are told to.
    load = torch.load
    torch.load = lambda *given, **settings: load(*given, **settings | {"weights_only": False})
    parser = ArgumentParser()
    translate_opts(parser)
    words = ["-model", model, "-src", "unused", "-beam_size", str(beam)]
    words += ["-max_length", str(LONGEST), "-log_file", "/dev/null", "-output", "/dev/null"]
    words += ["-batch_size", str(batch), "-batch_type", "sents"]
    options = parser.parse_args(words)
    ArgumentParser.validate_translate_opts(options)
    ArgumentParser._get_all_transform_translate(options)
    ArgumentParser._validate_transforms_opts(options)
    ArgumentParser.validate_translate_opts_dynamic(options)
    return InferenceEnginePY(options)


def main(model: str, data: str, beam: int, batch: int) -> None:
    """Prints what decoding takes as JSON."""
    engine = engine_of(model, beam, batch)

    def lengths(lines: list[str]) -> list[int]:
        return [len(found[0].split()) + 1 for found in engine.infer_list(lines)[1]]

    print(json.dumps(timed(lengths, data, batch)._asdict()))


if __name__ == "__main__":
    model, data, beam, batch = sys.argv[1:]
    main(model, data, int(beam), int(batch))

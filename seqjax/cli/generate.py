"""`seqjax generate`: let a language model go on from a prompt."""

import dataclasses
import json
import sys

from seqjax.cli.flags import GenerateFlags, decode_config
from seqjax.cli.screen import Screen
from seqjax.conclude import load
from seqjax.data.readers import read_line_stream
from seqjax.errors import InputError


def run(flags: GenerateFlags) -> int:
    """Runs the command: prints every prompt with its continuations."""
    trained = load(flags.run)
    if trained.config.task != "language-model":
        raise InputError(
            f"{flags.run}: answers texts, it does not go on from one; use seqjax decode"
        )
    beam_size = flags.beam_size or trained.config.decode.beam_size
    start = dataclasses.replace(
        trained.config.decode,
        method=flags.method,
        beam_size=max(beam_size, flags.samples) if flags.method == "beam" else beam_size,
        n_best=flags.samples if flags.method != "greedy" else 1,
    )
    search = dataclasses.replace(decode_config(start, flags), batch_size=8)
    if flags.prompt is not None:
        prompts = [flags.prompt]
    else:
        prompts = list(read_line_stream(sys.stdin.buffer))
    lowercase = trained.config.data.lowercase
    texts = [prompt.lower() if lowercase else prompt for prompt in prompts]
    with Screen() as screen, screen.working("writing"):
        continuer = trained.continuer(search, screen.compiling)
        found = continuer(trained.params, texts, seed=flags.seed)
    for prompt, answers in zip(prompts, found, strict=True):
        for answer in answers:
            if flags.json:
                row = {"prompt": prompt, **answer._asdict()}
                print(json.dumps(row, ensure_ascii=False))
            else:
                print(continuer.joined(prompt, answer) + ("\n" if len(answers) > 1 else ""))
    return 0

"""`seqjax generate`: let a model of language, or of music, go on from a prompt."""

import json
import sys
from collections.abc import Collection

from seqjax.cli.beside import read_phrases
from seqjax.cli.flags import GenerateFlags
from seqjax.cli.reading import fill
from seqjax.cli.screen import Screen
from seqjax.data.lines import read_line_stream
from seqjax.errors import InputError
from seqjax.runs.fitted import Fitted
from seqjax.runs.trained import load
from seqjax.tasks.task import ASKED_BY, DRAWS, ContinuingTask


def run(flags: GenerateFlags) -> int:
    """Runs the command: prints every prompt with its continuations."""
    trained = load(flags.run)
    task = trained.task
    if not isinstance(task, ContinuingTask):
        raise InputError(
            f"{flags.run}: is a {trained.config.task} run, which does not go on from a text; use "
            f"seqjax {ASKED_BY[trained.config.task]}"
        )
    given = {name: value for name, value in vars(flags.search).items() if value is not None}
    if isinstance(trained, Fitted) or not task.searches:
        _refuse_searches(flags, given)
    settings = {"method": "sample", "batch_size": 8} | given
    values = {f"decode.{name}": value for name, value in settings.items()}
    search = fill(trained.config, values).decode
    if flags.prompt is not None:
        prompts = [_utf8(flags.prompt)]
    else:
        prompts = list(read_line_stream(sys.stdin.buffer))
    lowercase = trained.config.data.lowercase
    texts = [prompt.lower() if lowercase else prompt for prompt in prompts]
    forbidden = () if flags.forbid is None else read_phrases(flags.forbid, lowercase)
    with Screen() as screen, screen.working("writing"):
        if isinstance(trained, Fitted):
            continuer = trained.continuer(search)
            found = continuer(trained.weights, texts)
        else:
            continuer = trained.continuer(search, screen.compiling, forbidden=forbidden)
            found = continuer(trained.params, texts)
    for prompt, answers in zip(prompts, found, strict=True):
        for answer in answers:
            if flags.json:
                row = {"prompt": prompt, **answer._asdict()}
                print(json.dumps(row, ensure_ascii=False))
            else:
                print(continuer.joined(prompt, answer) + ("\n" if len(answers) > 1 else ""))
    return 0


def _utf8(prompt: str) -> str:
    try:
        prompt.encode()
    except UnicodeEncodeError:
        raise InputError("--prompt: is not UTF-8") from None
    return prompt


def _refuse_searches(flags: GenerateFlags, given: Collection[str]) -> None:
    """Counts are drawn from, and so is music, and nothing else."""
    other = next((name for name in given if name not in DRAWS), None)
    other = "forbid" if flags.forbid is not None else other
    if other is not None:
        raise InputError(
            f"{flags.run}: continuations are drawn, and --{other.replace('_', '-')} is of searches "
            f"for texts; use --{', --'.join(DRAWS).replace('_', '-')}"
        )

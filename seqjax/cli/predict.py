"""`seqjax predict`: give each line of a file or of standard input its label, tags or number."""

import dataclasses
import itertools
import json
import math
import sys

from seqjax.cli.flags import PredictFlags
from seqjax.cli.screen import Screen
from seqjax.data.lines import read_line_stream, read_lines
from seqjax.errors import InputError
from seqjax.predict.answer import Answer
from seqjax.runs.trained import load
from seqjax.tasks.task import ASKED_BY, AnsweringTask

CHUNK = 4_096
"""Lines that are answered together."""


def run(flags: PredictFlags) -> int:
    """Runs the command: as many lines out as in.

    A line of more than `data.max_source` tokens is cut there, which standard error says at the end;
    taggers and baselines read it all.
    """
    trained = load(flags.run)
    task = trained.task
    if trained.config.task not in ("classify", "tag", "regress"):
        raise InputError(
            f"{flags.run}: is a {trained.config.task} run, which gives no labels; use seqjax "
            f"{ASKED_BY[trained.config.task]}"
        )
    likely = isinstance(task, AnsweringTask) and task.likely
    if not likely and (flags.probs or flags.n_best > 1):
        flag = "--probs" if flags.probs else "--n-best"
        raise InputError(f"{flags.run}: a number has no probability; leave {flag} out")
    lower = str.lower if trained.config.data.lowercase else str
    source = sys.stdin.buffer
    lines = read_line_stream(source) if flags.input is None else iter(read_lines(flags.input))
    with Screen() as screen:
        width = max(flags.n_best, trained.config.decode.beam_size)
        search = dataclasses.replace(trained.config.decode, n_best=flags.n_best, beam_size=width)
        answer_fn = trained.answer_fn(search, screen.compiling)
        size = 1 if flags.stream else CHUNK
        count = cut = 0
        while chunk := list(itertools.islice(lines, size)):
            texts = [lower(line) for line in chunk]
            found = answer_fn(trained.weights, texts)
            count, cut = count + len(texts), cut + sum(map(trained.cuts, texts))
            for line, answers in zip(chunk, found, strict=True):
                said = _written(flags, line, answers) if likely else _number(flags, line, answers)
                sys.stdout.write(said)
            sys.stdout.flush()
        screen.note_cut(cut, count, trained.config.data.max_source)
    return 0


def _number(flags: PredictFlags, line: str, answers: list[Answer]) -> str:
    text = answers[0].text
    if flags.json:
        number = float(text) if text else None
        return json.dumps({"source": line, "number": number}, ensure_ascii=False) + "\n"
    return text + "\n"


def _written(flags: PredictFlags, line: str, answers: list[Answer]) -> str:
    shown = answers[: flags.n_best]
    if flags.json:
        labels = [
            {"label": answer.text, "prob": round(math.exp(answer.log_prob), 6)} for answer in shown
        ]
        return json.dumps({"source": line, "labels": labels}, ensure_ascii=False) + "\n"
    if flags.probs:
        return (
            "\t".join(f"{answer.text} {math.exp(answer.log_prob):.4f}" for answer in shown) + "\n"
        )
    return "\t".join(answer.text for answer in shown) + "\n"

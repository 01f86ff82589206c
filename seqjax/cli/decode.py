"""`seqjax decode`: one line in, one line out."""

import itertools
import json
import sys
from collections.abc import Iterable, Iterator

from seqjax.cli.flags import DecodeFlags, decode_config
from seqjax.cli.screen import Screen
from seqjax.conclude import load
from seqjax.data.readers import read_line_stream, read_lines
from seqjax.errors import InputError
from seqjax.predict import Answer

CHUNK = 16
"""Batches of lines that are read, sorted by length and answered together."""


def run(flags: DecodeFlags) -> int:
    """Runs the command: `n_best` output lines for every input line, in order.

    An empty line is answered by an empty line. A line of more than `data.max_source` tokens is cut
    there, which standard error says at the end.
    """
    trained = load(flags.run)
    config = trained.config
    if config.task != "text-to-text":
        raise InputError(f"{flags.run}: a language model answers nothing; use seqjax generate")
    search = decode_config(config.decode, flags.search)
    screen = Screen()
    answerer = trained.answerer(search, screen.compiling)
    cut = empty = count = 0
    for lines in _chunks(_lines(flags), 1 if flags.stream else CHUNK * search.batch_size):
        texts = [line.lower() if config.data.lowercase else line for line in lines]
        answers = answerer(trained.params, texts, first=count)
        sys.stdout.writelines(
            _written(flags, search.n_best, source, found)
            for source, found in zip(lines, answers, strict=True)
        )
        sys.stdout.flush()
        count += len(lines)
        cut += sum(len(answerer.encode(text)) > config.data.max_source for text in texts)
        empty += sum(not found[0].text for found in answers)
    for number, what in (
        (cut, f"longer than --data.max-source {config.data.max_source} tokens and cut there"),
        (empty, "answered by nothing"),
    ):
        if number:
            screen.note(f"note     {number} of {count} lines were {what}")
    return 0


def _lines(flags: DecodeFlags) -> Iterator[str]:
    if flags.input is not None:
        return iter(read_lines(flags.input))
    return read_line_stream(sys.stdin.buffer)


def _chunks(lines: Iterable[str], size: int) -> Iterator[list[str]]:
    iterator = iter(lines)
    while chunk := list(itertools.islice(iterator, size)):
        yield chunk


def _written(flags: DecodeFlags, n_best: int, source: str, answers: list[Answer]) -> str:
    if flags.output == "jsonl":
        found = [answer._asdict() for answer in answers]
        return json.dumps({"source": source, "answers": found}, ensure_ascii=False) + "\n"
    lines = []
    for number in range(n_best):
        # A search may find fewer; every input still has its n_best lines.
        answer = answers[number] if number < len(answers) else None
        text = "" if answer is None else _text(flags, answer)
        if flags.scores:
            text = f"{'-inf' if answer is None else f'{answer.score:.6f}'}\t{text}"
        lines.append(text + "\n")
    return "".join(lines)


def _text(flags: DecodeFlags, answer: Answer) -> str:
    return " ".join(answer.tokens) if flags.output == "tokens" else answer.text

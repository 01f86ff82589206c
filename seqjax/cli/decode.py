"""`seqjax decode`: one line in, one line out."""

import itertools
import json
import sys
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from seqjax.cli.flags import DecodeFlags, decode_config
from seqjax.cli.screen import Screen
from seqjax.conclude import Trained, load
from seqjax.config import DecodeConfig
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
    with Screen() as screen:
        counts = _answer_all(flags, trained, search, screen)
        for number, what in (
            (
                counts.cut,
                f"longer than --data.max-source {config.data.max_source} tokens, cut there",
            ),
            (counts.empty, "answered by nothing"),
        ):
            if number:
                screen.note(f"note     {number} of {counts.lines} lines were {what}")
    return 0


class _Counts(NamedTuple):
    lines: int = 0
    cut: int = 0
    empty: int = 0


def _answer_all(
    flags: DecodeFlags, trained: Trained, search: DecodeConfig, screen: Screen
) -> _Counts:
    answerer = trained.answerer(search, screen.compiling)
    lowercase, longest = trained.config.data.lowercase, trained.config.data.max_source
    counts = _Counts()
    for lines in _chunks(_lines(flags), 1 if flags.stream else CHUNK * search.batch_size):
        texts = [line.lower() if lowercase else line for line in lines]
        with screen.working("answering"):
            answers = answerer(trained.params, texts, first=counts.lines)
        sys.stdout.writelines(
            _written(flags, search.n_best, source, found)
            for source, found in zip(lines, answers, strict=True)
        )
        sys.stdout.flush()
        counts = _Counts(
            counts.lines + len(lines),
            counts.cut + sum(len(answerer.encode(text)) > longest for text in texts),
            counts.empty + sum(not found[0].text for found in answers),
        )
    return counts


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

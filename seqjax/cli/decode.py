"""`seqjax decode`: one line in, one line out."""

import itertools
import json
import sys
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from seqjax.cli.beside import read_beside
from seqjax.cli.fitted import Alone, networks, refuse_searches
from seqjax.cli.flags import DecodeFlags, decode_config
from seqjax.cli.screen import Screen
from seqjax.config import DecodeConfig
from seqjax.data.lines import read_line_stream, read_lines
from seqjax.errors import InputError
from seqjax.predict.answer import Answer, Request
from seqjax.runs.fitted import Fitted
from seqjax.runs.hearing import Hearing, open_panel
from seqjax.runs.together import Panel
from seqjax.runs.trained import Trained, load

CHUNK = 64
"""Batches of lines that are read, sorted by length and answered together."""


def run(flags: DecodeFlags) -> int:
    """Runs the command: as many output lines as answers are wanted for every input line, in order.

    An empty line is answered by an empty line. A line of more than `data.max_source` tokens is cut
    there, which standard error says at the end; models of aligned pairs and baselines read it all.
    """
    runs = [load(path) for path in flags.runs]
    search = decode_config(runs[0].config.decode, flags.search)
    with Screen() as screen:
        panel = _opened(flags, runs, search, screen)
        lowercase = runs[0].config.data.lowercase
        if not isinstance(panel, Panel) and (flags.prefix or flags.require or flags.targets):
            what = "a baseline"
            if isinstance(panel, Hearing):
                what = {"ctc": "CTC"}.get(runs[0].config.model.decoder, "a model of aligned pairs")
            raise InputError(
                f"{flags.runs[0]}: {what} knows no --prefix, --require and --targets; leave them "
                "out"
            )
        if flags.targets is not None:
            assert isinstance(panel, Panel)
            counts = _score_all(flags, panel, lowercase, screen)
        else:
            counts = _answer_all(flags, panel, search, lowercase, screen)
        screen.note_cut(counts.cut, counts.lines, min(run.config.data.max_source for run in runs))
        for number, what in (
            (counts.empty, "answered by nothing"),
            (counts.unfinished, "answered up to their maximal length only; see --max-length"),
            (counts.impossible, "such that everything was forbidden"),
        ):
            if number:
                screen.note(f"note     {number} of {counts.lines} lines were {what}")
    return 0


def _opened(
    flags: DecodeFlags, runs: list[Trained | Fitted], search: DecodeConfig, screen: Screen
) -> Panel | Hearing | Alone:
    if isinstance(runs[0], Fitted) and len(runs) == 1:
        refuse_searches(runs[0], flags.search, flags.beside)
        return Alone(runs[0])
    several = networks(runs)
    return open_panel(several, search, read_beside(flags.beside, several), screen.compiling)


class _Counts(NamedTuple):
    lines: int = 0
    cut: int = 0
    empty: int = 0
    unfinished: int = 0
    impossible: int = 0


def _answer_all(
    flags: DecodeFlags,
    panel: Panel | Hearing | Alone,
    search: DecodeConfig,
    lowercase: bool,
    screen: Screen,
) -> _Counts:
    counts = _Counts()
    wanted = flags.beside.keep or search.n_best
    size = 1 if flags.stream else CHUNK * search.batch_size
    for asked in _chunks(_requests(flags, panel, lowercase), size):
        requests = [request for _, request in asked]
        with screen.working("answering"):
            answers = panel(requests, first=counts.lines)
        sys.stdout.writelines(
            _written(flags, wanted, line, found)
            for (line, _), found in zip(asked, answers, strict=True)
        )
        sys.stdout.flush()
        best = [found[0] for found in answers]
        counts = _Counts(
            counts.lines + len(requests),
            counts.cut + sum(panel.cuts(request.text) for request in requests),
            counts.empty + sum(not answer.text for answer in best),
            counts.unfinished + sum(not a.finished and a.log_prob > -float("inf") for a in best),
            counts.impossible + sum(answer.log_prob == -float("inf") for answer in best),
        )
    return counts


def _requests(
    flags: DecodeFlags, panel: Panel | Hearing | Alone, lowercase: bool
) -> Iterator[tuple[str, Request]]:
    """Yields each line, and what is asked of it with what the files say."""
    lower = str.lower if lowercase else str
    if flags.prefix is None and flags.require is None:
        yield from ((line, Request(lower(line))) for line in _lines(flags))
        return
    assert isinstance(panel, Panel)
    lines = list(_lines(flags))
    prefixes = _as_many(flags.prefix, len(lines))
    required = _as_many(flags.require, len(lines))
    for number, (line, prefix, phrases) in enumerate(
        zip(lines, prefixes, required, strict=True), start=1
    ):
        words = tuple(lower(phrase) for phrase in phrases.split("\t")) if phrases else ()
        request = Request(lower(line), lower(prefix), words)
        trouble = panel.trouble(request) if line else None
        if trouble is not None:
            path = flags.prefix if trouble.of_prefix else flags.require
            raise InputError(f"{path}:{number}: {trouble.why}")
        yield line, request


def _as_many(path: str | None, count: int) -> list[str]:
    lines = [""] * count if path is None else read_lines(path)
    if len(lines) != count:
        raise InputError(
            f"{path}: has {len(lines)} lines and the input {count}; one is needed each"
        )
    return lines


def _score_all(flags: DecodeFlags, panel: Panel, lowercase: bool, screen: Screen) -> _Counts:
    """Prints every target with its log-probability and score, in place of a search."""
    sources = list(_lines(flags))
    targets = _as_many(flags.targets, len(sources))
    lower = str.lower if lowercase else str
    texts = list(map(lower, sources))
    with screen.working("scoring"):
        scored = panel.score(texts, list(map(lower, targets)))
    for source, answer in zip(sources, scored, strict=True):
        sys.stdout.write(_written(flags, 1, source, [answer]))
    return _Counts(len(texts), sum(map(panel.cuts, texts)))


def _lines(flags: DecodeFlags) -> Iterator[str]:
    if flags.input is not None:
        return iter(read_lines(flags.input))
    return read_line_stream(sys.stdin.buffer)


def _chunks(
    requests: Iterable[tuple[str, Request]], size: int
) -> Iterator[list[tuple[str, Request]]]:
    iterator = iter(requests)
    while chunk := list(itertools.islice(iterator, size)):
        yield chunk


def _written(flags: DecodeFlags, wanted: int, source: str, answers: list[Answer]) -> str:
    if flags.output == "jsonl":
        found = [answer._asdict() for answer in answers]
        return json.dumps({"source": source, "answers": found}, ensure_ascii=False) + "\n"
    lines = []
    for number in range(wanted):
        # A search may find fewer; every input still has as many lines.
        answer = answers[number] if number < len(answers) else None
        text = "" if answer is None else _text(flags, answer)
        if flags.scores or flags.targets:
            text = f"{'-inf' if answer is None else f'{answer.score:.6f}'}\t{text}"
        lines.append(text + "\n")
    return "".join(lines)


def _text(flags: DecodeFlags, answer: Answer) -> str:
    return " ".join(answer.tokens) if flags.output == "tokens" else answer.text

"""Decoding a file with a trained run, beside peers that have learnt from the same data.

Every way loads its model in a process of its own and decodes twice, of which the second counts; the
processes take turns. In batches, or one sentence at a time, which gives the latency.
"""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.timing import ROOT, line, product_rate, rounded, rows, timing

BATCH = 64
ALONE = 60
"""Sentences that are decoded one at a time."""
LONGEST = 60
"""Tokens that peers stop an answer at."""
STOPS = ("exact", "first_full")


class Peer(NamedTuple):
    """Somebody else's decoder.

    Attributes:
      name: Of its script here, `<name>_decode.py`.
      python: Interpreter that it is installed for.
      model: What it has trained.
    """

    name: str
    python: str
    model: str


class Said(NamedTuple):
    """What a process says of its work.

    Attributes:
      seconds: For all sentences.
      sentences: How many.
      tokens: That the best answers have, EOS counted.
      gflop: Matrix products of the decoder for the best answers and their beam, if known, in 1e9
        operations.
    """

    seconds: float
    sentences: int
    tokens: int
    gflop: float | None = None


def timed(lengths_fn: Callable[[list[str]], list[int]], data: str, batch: int) -> Said:
    """Returns what a decoder takes for all lines of a file, or for some of them, one at a time.

    Args:
      lengths_fn: Decodes lines; returns the tokens of the best answer to each, EOS counted.
      data: File with a source sentence a line.
      batch: 1 if they come one at a time.
    """
    lines = Path(data).read_text(encoding="utf-8").removesuffix("\n").split("\n")
    parts = [[line] for line in lines[:ALONE]] if batch == 1 else [lines]
    for part in parts:
        lengths_fn(part)
    started = time.perf_counter()
    lengths = [length for part in parts for length in lengths_fn(part)]
    return Said(time.perf_counter() - started, len(lengths), sum(lengths))


def measurements(
    *, run: str, data: str, runs: int, peers: Sequence[Peer] = (), beams: Sequence[int] = (1, 5, 10)
) -> Iterator[dict[str, Any]]:
    """Yields, for each beam, in batches and alone, a row for every peer and one for a hastier stop.

    `ours_s` is with the exact stop, seconds for all sentences, or for one where they come alone.

    Args:
      run: Directory of our trained run.
      data: File with a source sentence a line.
      runs: Processes of each.
      peers: Who takes part.
      beams: Sizes of the beam; 1 is greedy.
    """
    ceiling = product_rate()
    for beam in beams:
        for batch in (BATCH, 1):
            commands = {
                "seqjax" if stop == "exact" else f"seqjax {stop}": _command(
                    sys.executable, "seqjax", run, data, beam, batch, stop
                )
                for stop in STOPS[: 1 if beam == 1 else 2]
            } | {
                peer.name: _command(peer.python, peer.name, peer.model, data, beam, batch)
                for peer in peers
            }
            case = f"beam {beam}, " + (f"batch {batch}" if batch > 1 else "one at a time")
            yield from _rows(case, _in_turn(commands, runs), ceiling if batch > 1 else None)


def line_of(row: dict[str, Any]) -> str:
    """Returns a row as a line of a table."""
    rates = f"{row['sentences_per_s']:.0f} sentences/s, {row['tokens_per_s']:.0f} tokens/s"
    return f"{line(row)}  {rates}"


def _command(python: str, name: str, *words: object) -> list[str]:
    return [python, "-m", f"benchmarks.{name}_decode", *map(str, words)]


def _in_turn(commands: dict[str, list[str]], runs: int) -> dict[str, list[Said]]:
    said: dict[str, list[Said]] = {name: [] for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            done = subprocess.run(command, stdout=subprocess.PIPE, check=True, cwd=ROOT)
            said[name].append(Said(**json.loads(done.stdout.splitlines()[-1])))
    return said


def _rows(
    case: str, said: dict[str, list[Said]], ceiling: float | None
) -> Iterator[dict[str, Any]]:
    mine = said["seqjax"][0]
    parts = 1 if ceiling else mine.sentences
    timings = {
        name: timing([one.seconds / parts for one in of_way]) for name, of_way in said.items()
    }
    if len(timings) == 1:
        timings["seqjax again"] = timings["seqjax"]
    seconds = statistics.median(one.seconds for one in said["seqjax"])
    for row in rows(case, "seqjax", timings, gflop=ceiling and mine.gflop, ceiling=ceiling):
        yield row | {
            "sentences_per_s": rounded(mine.sentences / seconds),
            "tokens_per_s": rounded(mine.tokens / seconds),
        }

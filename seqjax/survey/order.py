"""Whether both sides go in the same order, by IBM model 1 on a sample.

References:
  Brown, Della Pietra, Della Pietra and Mercer, "The mathematics of statistical machine
  translation", 1993, section 4.1. Links are kept that have a posterior of more than `LIKELY`:
  of two source tokens of one kind, which model 1 cannot tell apart, neither has.
"""

from typing import NamedTuple

import numpy as np

from seqjax.survey.finding import Finding
from seqjax.survey.tokens import Ragged, Side

SAMPLE, ROUNDS, LIKELY, LONGEST = 2_000, 6, 0.5, 60
FEWEST_LINKS = 200
SAME, REVERSED, NONE = 0.12, 0.88, 0.35


class Crossings(NamedTuple):
    """How links lie to each other.

    Attributes:
      pairs: Of texts that were looked at.
      links: Between a source and a target token.
      compared: Pairs of links of one pair of texts.
      crossed: Those whose order differs on the two sides.
    """

    pairs: int
    links: int
    compared: int
    crossed: int


def crossings(source: Ragged, target: Ragged, *, sample: int = SAMPLE) -> Crossings:
    """Returns how the likely links between two sides cross, on every n-th pair that is not long."""
    short = np.flatnonzero((source.lengths <= LONGEST) & (target.lengths <= LONGEST))
    rows = short[:: max(1, -(-len(short) // sample))]
    cells = [
        (source.row(row), target.row(row), row)
        for row in rows.tolist()
        if len(source.row(row)) > 1 and len(target.row(row)) > 1
    ]
    if not cells:
        return Crossings(0, 0, 0, 0)
    links = _cells(cells)
    posterior = _model_one(links)
    return _count(cells, links, posterior)


def same_order(source: Side, target: Side) -> Finding:
    """Returns whether both sides go in step."""
    found = crossings(source.rows["train"], target.rows["train"])
    numbers = found._asdict()
    if found.links < FEWEST_LINKS or not found.compared:
        said = "too few tokens of the two sides go with each other to say whether in one order"
        return Finding("SJ-D22", "info", said, numbers=numbers)
    share = found.crossed / found.compared
    match share:
        case _ if share <= SAME:
            said, mend = "the sides go in the same order", "attention that moves on would do"
        case _ if share >= REVERSED:
            said, mend = "the target goes backwards", "--model.direction backward, or both"
        case _ if share >= NONE:
            said, mend = "the sides share no order", "attention is needed"
        case _:
            said, mend = "the sides go in much the same order, with moves", "attention is needed"
    return Finding(
        "SJ-D22",
        "info",
        f"{said}: {100 * share:.1f} % of links cross (IBM model 1, {found.pairs:,} pairs)",
        mend=mend,
        numbers={**numbers, "share": share},
    )


class _Cells(NamedTuple):
    """All pairs of a source and a target token of one pair of texts.

    Attributes:
      kind: `[cells]` which pair of types each is.
      source_type: `[kinds]` of the source.
      spot: `[cells]` which target token of the sample each belongs to.
    """

    kind: np.ndarray
    source_type: np.ndarray
    spot: np.ndarray


def _cells(cells: list[tuple[np.ndarray, np.ndarray, int]]) -> _Cells:
    sources = np.concatenate([np.tile(s, len(t)) for s, t, _ in cells])
    targets = np.concatenate([np.repeat(t, len(s)) for s, t, _ in cells])
    width = int(targets.max()) + 1
    kinds, kind = np.unique(sources * width + targets, return_inverse=True)
    sizes = np.concatenate([np.full(len(t), len(s)) for s, t, _ in cells])
    return _Cells(kind, kinds // width, np.repeat(np.arange(len(sizes)), sizes))


def _model_one(cells: _Cells) -> np.ndarray:
    """`[cells]` the probability that the target token comes from that source token."""
    table = np.ones(len(cells.source_type))
    posterior = np.zeros(0)
    for _ in range(ROUNDS):
        weight = table[cells.kind]
        posterior = weight / np.bincount(cells.spot, weight)[cells.spot]
        counts = np.bincount(cells.kind, posterior, len(table))
        table = counts / np.bincount(cells.source_type, counts)[cells.source_type]
    return posterior


def _count(cells, links: _Cells, posterior: np.ndarray) -> Crossings:
    begin, count, compared, crossed = 0, 0, 0, 0
    for source, target, _ in cells:
        size = len(source) * len(target)
        table = posterior[begin : begin + size].reshape(len(target), len(source))
        begin += size
        places = table.argmax(axis=1)[table.max(axis=1) > LIKELY]
        count += len(places)
        steps = places[None] - places[:, None]
        later = np.arange(len(places))[:, None] < np.arange(len(places))
        compared += int((later & (steps != 0)).sum())
        crossed += int((later & (steps < 0)).sum())
    return Crossings(len(cells), count, compared, crossed)

"""Which tokens of a target come from which token of its source: monotone alignment, by EM.

Each token of a source emits a chunk: the next 0 to `most` tokens of the target. Chunks of a source
in a row are the target; what a token emits depends on that token alone,

    P(target | source) = sum over all ways to cut the target of prod over i of P(chunk i | token i).
"""

import collections
import itertools
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

Chunk = tuple[Hashable, ...]
"""What one source token emits."""
ITERATIONS = 10
"""Of EM; more hardly move a cut."""


class Emissions(NamedTuple):
    """What each source token emits, and how likely.

    Attributes:
      source_ids: `[entries]` ascending.
      chunk_ids: `[entries]` places in `chunks`, ascending within a source token.
      log_probs: `[entries]` in nats; the probabilities of one source token add up to 1.
      chunks: Ids of target tokens; the empty one comes first.
      log_likelihoods: `[iterations]` of the pairs in nats, before each iteration.
    """

    source_ids: np.ndarray
    chunk_ids: np.ndarray
    log_probs: np.ndarray
    chunks: list[tuple[int, ...]]
    log_likelihoods: tuple[float, ...]


class _Lattice(NamedTuple):
    """All ways to cut the targets of pairs that are equally long.

    A place is how many target tokens were emitted so far. Only places are kept from which the end
    can be reached, and which the start reaches.

    Attributes:
      places: `[steps + 1]` the first and the last place before each source token, and at the end.
      arcs: By source token and length of its chunk, those that go on from some places.
    """

    places: list[tuple[int, int]]
    arcs: list[dict[int, "_Arcs"]]


class _Arcs(NamedTuple):
    """What a source token could emit, if its chunk has a given length.

    Attributes:
      entries: `[pairs, places]` which it is, of all that any token could emit.
      here, there: The places before and after, among those of their steps.
      where: Where these arcs stand among those of all lattices.
    """

    entries: np.ndarray
    here: slice
    there: slice
    where: slice


def learn_emissions(
    sources: Sequence[np.ndarray],
    targets: Sequence[np.ndarray],
    most: int,
    iterations: int = ITERATIONS,
) -> Emissions:
    """Returns what source tokens emit, learnt from pairs: maximum likelihood by EM.

    It starts where all chunks that a token could emit somewhere are equally likely. Pairs that are
    equally long go through the sums over all cuts together.

    Args:
      sources: `[time]` ids of each source.
      targets: `[time]` ids of each target, at most `most` times as long as its source.
      most: Target tokens of the longest chunk.
      iterations: Of EM.

    Raises:
      ValueError: If there is no pair, or a target is too long.

    References:
      Jiampojamarn, Kondrak & Sherif, "Applying many-to-many alignments and hidden Markov models to
      letter-to-phoneme conversion", 2007; here a chunk always has one source token, is given it
      rather than said together with it, and may be empty.
    """
    if not len(sources):
        raise ValueError("there are no pairs to align")
    chunks, groups = _spans(sources, targets, most)
    keys, entries = np.unique(np.concatenate([g.keys for g in groups]), return_inverse=True)
    source_ids, chunk_ids = np.divmod(keys, len(chunks))
    lattices = list(_lattices(groups, entries.astype(np.int32), most))
    shares = np.zeros(len(entries))
    sizes = np.bincount(source_ids)
    log_probs, log_likelihoods = -np.log(sizes[source_ids]), []
    for _ in range(iterations):
        totals = [_write_shares(lattice, log_probs, shares) for lattice in lattices]
        log_likelihoods.append(sum(totals))
        counts = np.bincount(entries, shares, minlength=len(keys))
        sums = np.bincount(source_ids, counts)[source_ids]
        with np.errstate(divide="ignore"):
            log_probs = np.log(counts / np.maximum(sums, np.finfo(float).tiny))
    return Emissions(source_ids, chunk_ids, log_probs, chunks, tuple(log_likelihoods))


class _Group(NamedTuple):
    """Pairs that are equally long, and the key of everything that a token of them could emit."""

    steps: int
    tokens: int
    pairs: int
    keys: np.ndarray


def _spans(
    sources: Sequence[np.ndarray], targets: Sequence[np.ndarray], most: int
) -> tuple[list[tuple[int, ...]], list[_Group]]:
    """Returns all chunks, and `source id * chunks + chunk id` of all arcs, group by group."""
    members: dict[tuple[int, int], list[int]] = collections.defaultdict(list)
    for number, (source, target) in enumerate(zip(sources, targets, strict=True)):
        if len(target) > most * len(source):
            raise ValueError(
                f"targets must have at most {most} tokens for each of the source, got "
                f"{len(target)} for {len(source)}"
            )
        members[len(source), len(target)].append(number)
    shapes = sorted(shape for shape in members if shape[0])
    texts = {shape: np.array([targets[n] for n in members[shape]], np.int64) for shape in shapes}
    chunks: list[tuple[int, ...]] = [()]
    ids: dict[tuple[int, int], list[np.ndarray]] = {
        shape: [np.zeros((len(text), text.shape[1] + 1), np.int64)] for shape, text in texts.items()
    }
    units = 1 + max((int(text.max()) for text in texts.values() if text.size), default=0)
    for length in range(1, most + 1):  # a chunk is one that is shorter by a token, and that token
        wanted = [shape for shape in shapes if shape[1] >= length]
        if not wanted:
            break
        keys = [
            ids[shape][-1][:, : shape[1] + 1 - length] * units + texts[shape][:, length - 1 :]
            for shape in wanted
        ]
        distinct, found = np.unique(
            np.concatenate([key.ravel() for key in keys]), return_inverse=True
        )
        found, first = found + len(chunks), 0
        chunks += [(*chunks[one // units], one % units) for one in distinct.tolist()]
        for shape, key in zip(wanted, keys, strict=True):
            ids[shape].append(found[first : first + key.size].reshape(key.shape))
            first += key.size
    groups = []
    for shape in shapes:
        source = np.array([sources[n] for n in members[shape]], np.int64) * len(chunks)
        keys = [
            source[:, step, None] + ids[shape][length][:, first : last + 1]
            for step, length, first, last in _arcs(shape[0], shape[1], most)
        ]
        flat = np.concatenate([key.ravel() for key in keys])
        groups.append(_Group(shape[0], shape[1], len(source), flat))
    return chunks, groups


def _places(steps: int, tokens: int, most: int) -> list[tuple[int, int]]:
    """Returns the first and the last place before each step, and at the end."""
    return [
        (max(0, tokens - most * (steps - step)), min(tokens, most * step))
        for step in range(steps + 1)
    ]


def _arcs(steps: int, tokens: int, most: int) -> Iterator[tuple[int, int, int, int]]:
    """Yields step, length of the chunk, and the first and the last place that it begins at."""
    places = _places(steps, tokens, most)
    for step, ((first, last), (next_first, next_last)) in enumerate(itertools.pairwise(places)):
        for length in range(most + 1):
            low, high = max(first, next_first - length), min(last, next_last - length)
            if low <= high:
                yield step, length, low, high


def _lattices(groups: Sequence[_Group], entries: np.ndarray, most: int) -> Iterator[_Lattice]:
    start = 0
    for steps, tokens, pairs, _ in groups:
        places = _places(steps, tokens, most)
        arcs: list[dict[int, _Arcs]] = [{} for _ in range(steps)]
        for step, length, low, high in _arcs(steps, tokens, most):
            where = slice(start, start + pairs * (high + 1 - low))
            here, there = low - places[step][0], low + length - places[step + 1][0]
            arcs[step][length] = _Arcs(
                entries[where].reshape(pairs, -1),
                slice(here, here + high + 1 - low),
                slice(there, there + high + 1 - low),
                where,
            )
            start = where.stop
        yield _Lattice(places, arcs)


def _write_shares(lattice: _Lattice, log_probs: np.ndarray, shares: np.ndarray) -> float:
    """Writes the probability of each arc of some pairs; returns the log-likelihood of the pairs."""
    forward = _forward(lattice, log_probs)
    total, after = forward[-1], np.zeros_like(forward[-1])
    for before, arcs in zip(reversed(forward[:-1]), reversed(lattice.arcs), strict=True):
        left = np.full(before.shape, -np.inf)
        for entries, here, there, where in arcs.values():
            ways = log_probs[entries] + after[:, there]
            left[:, here] = np.logaddexp(left[:, here], ways)
            shares[where] = np.exp(ways + before[:, here] - total).ravel()
        after = left
    return float(total.sum())


def _forward(lattice: _Lattice, log_probs: np.ndarray) -> list[np.ndarray]:
    """Returns log-probabilities of what was emitted up to each place, before each step and last."""
    pairs = len(next(iter(lattice.arcs[0].values())).entries)
    found = [np.zeros((pairs, 1))]
    for (first, last), arcs in zip(lattice.places[1:], lattice.arcs, strict=True):
        after = np.full((pairs, last + 1 - first), -np.inf)
        for entries, here, there, _ in arcs.values():
            ways = log_probs[entries] + found[-1][:, here]
            after[:, there] = np.logaddexp(after[:, there], ways)
        found.append(after)
    return found


def best_cut(
    source: Sequence[int],
    target: Sequence[Hashable],
    score_fn: Callable[[int, Chunk], float],
    most: int,
) -> list[Chunk]:
    """Returns the chunks of the cut whose scores add up to most, one for each source token.

    Of equal cuts it is the one whose last chunks are shortest (Viterbi, over the places).

    Args:
      source: Ids.
      target: Tokens, at most `most` times as many.
      score_fn: `(source id, chunk) -> score`.
      most: Tokens of the longest chunk.
    """
    places = _places(len(source), len(target), most)
    scores, back = {0: 0.0}, []
    for token, (first, last) in zip(source, places[1:], strict=True):
        found: dict[int, float] = {}
        lengths: dict[int, int] = {}
        for place in range(first, last + 1):
            best, kept = -np.inf, -1
            for length in range(min(most, place) + 1):
                before = scores.get(place - length)
                if before is None:
                    continue
                score = before + score_fn(token, tuple(target[place - length : place]))
                if kept < 0 or score > best:
                    best, kept = score, length
            if kept >= 0:
                found[place], lengths[place] = best, kept
        scores = found
        back.append(lengths)
    place, chunks = len(target), []
    for lengths in reversed(back):
        length = lengths[place]
        chunks.append(tuple(target[place - length : place]))
        place -= length
    return chunks[::-1]

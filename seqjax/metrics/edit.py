"""Edit distance: insertions, deletions and substitutions that turn one sequence into another."""

from collections.abc import Hashable, Sequence

from seqjax.types import Mean


def edit_distance(answer: Sequence[Hashable], reference: Sequence[Hashable]) -> int:
    """Returns the least number of insertions, deletions and substitutions between two sequences.

    >>> edit_distance("kitten", "sitting")
    3

    References:
      Levenshtein, "Binary codes capable of correcting deletions, insertions, and reversals", 1966.
    """
    answer, reference = _without_common_ends(answer, reference)
    row = list(range(len(reference) + 1))
    for number, token in enumerate(answer, start=1):
        left, above_row, row = number, row, [number]
        for wanted, best, above in zip(reference, above_row, above_row[1:], strict=False):
            # `best` begins as the diagonal neighbour; where the tokens agree, none is better. The
            # minimum is written out because this is the innermost loop, and min() is slow.
            if token != wanted:
                if left < best:
                    best = left
                if above < best:
                    best = above
                best += 1
            row.append(best)
            left = best
    return row[-1]


def closest(
    answer: Sequence[Hashable], references: Sequence[Sequence[Hashable]]
) -> tuple[int, Sequence[Hashable]]:
    """Returns the edits to the reference that needs fewest, and that reference.

    Of references that need the same, the longest counts: it has the lower error rate.
    """
    return min(
        ((edit_distance(answer, reference), reference) for reference in references),
        key=lambda pair: (pair[0], -len(pair[1])),
    )


def error_rate(
    answers: Sequence[Sequence[Hashable]], references: Sequence[Sequence[Sequence[Hashable]]]
) -> Mean:
    """Returns edits over reference tokens, each answer against its closest reference.

    A rate of a corpus, not a mean of rates; it can exceed 1.

    >>> error_rate([["a", "c"], ["d", "e"]], [[["a", "b", "c"]], [["d"]]]).value()
    0.5
    """
    pairs = [closest(*pair) for pair in zip(answers, references, strict=True)]
    return Mean(float(sum(edits for edits, _ in pairs)), float(sum(len(ref) for _, ref in pairs)))


def _without_common_ends(
    answer: Sequence[Hashable], reference: Sequence[Hashable]
) -> tuple[Sequence[Hashable], Sequence[Hashable]]:
    """Most answers are nearly right: what both begin and end with needs no edits."""
    start, shorter = 0, min(len(answer), len(reference))
    while start < shorter and answer[start] == reference[start]:
        start += 1
    end = 0
    while end < shorter - start and answer[-1 - end] == reference[-1 - end]:
        end += 1
    return answer[start : len(answer) - end], reference[start : len(reference) - end]

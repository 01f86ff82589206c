"""Is the search healthy? Answers that never end, say nothing, or say the same again and again."""

import collections
from collections.abc import Hashable, Sequence

from seqjax.metrics.edit import closest
from seqjax.types import Mean

Tokens = Sequence[Hashable]


def health(
    answers: Sequence[Tokens],
    references: Sequence[Sequence[Tokens]],
    finished: Sequence[bool],
) -> dict[str, float]:
    """Returns shares of answers that are suspicious whatever their score.

    `ended`: by EOS rather than by the length limit; `empty`: without a token; `repeated`: see
    `repeats`; `length_ratio`: answer tokens over tokens of the closest references (not a share: 1
    is healthy). Of no answers, all are 0.

    Args:
      answers: Tokens of each answer, EOS not among them.
      references: Tokens of the accepted answers to each source, at least one.
      finished: Whether each answer reached EOS.

    Raises:
      ValueError: If the three are not of one length.
    """
    if not len(answers) == len(references) == len(finished):
        raise ValueError(
            f"answers, references and finished must be as many, got {len(answers)}, "
            f"{len(references)} and {len(finished)}"
        )
    wanted = sum(len(closest(*pair)[1]) for pair in zip(answers, references, strict=True))
    count = max(len(answers), 1)
    return {
        "ended": sum(finished) / count,
        "empty": sum(not answer for answer in answers) / count,
        "repeated": sum(map(repeats, answers)) / count,
        "length_ratio": sum(map(len, answers)) / max(wanted, 1),
    }


def repeats(answer: Tokens) -> bool:
    """Whether some token stands four times in a row, or some four-gram occurs twice.

    Shorter n-grams recur in healthy text, above all where a token is a character.

    >>> repeats("abcdabcd"), repeats("aaaa"), repeats("banana")
    (True, True, False)
    """
    return max(_counts(answer, 4).values(), default=0) > 1 or any(
        len(set(answer[start : start + 4])) == 1 for start in range(len(answer) - 3)
    )


def distinct_n(answers: Sequence[Tokens], size: int) -> float:
    """Returns distinct n-grams over all n-grams of a set of answers; 0 if there are none.

    >>> distinct_n(["ab", "ab"], 2)
    0.5

    Raises:
      ValueError: If `size` is less than 1.

    References:
      Li et al., "A diversity-promoting objective function for neural conversation models", 2016.
    """
    counts = collections.Counter()
    for answer in answers:
        counts.update(_counts(answer, size))
    return len(counts) / max(counts.total(), 1)


def seq_rep_n(answer: Tokens, size: int) -> float:
    """Returns the share of an answer's n-grams that occurred before in it; 0 if it has none.

    >>> seq_rep_n("aaaa", 1)
    0.75

    Raises:
      ValueError: If `size` is less than 1.

    References:
      Welleck et al., "Neural text generation with unlikelihood training", 2020 (seq-rep-n).
    """
    counts = _counts(answer, size)
    return 1 - len(counts) / counts.total() if counts else 0.0


def rep_within(answer: Tokens, window: int) -> Mean:
    """Returns the share of an answer's tokens that occur among the `window` tokens before them.

    >>> rep_within("abab", 2).value(), rep_within("abab", 1).value()
    (0.5, 0.0)

    Raises:
      ValueError: If `window` is less than 1.

    References:
      Welleck et al., 2020 (rep/l), of the tokens of an answer and not of each next prediction.
    """
    if window < 1:
        raise ValueError(f"window must be at least 1, got {window}")
    again = sum(
        token in answer[max(0, place - window) : place] for place, token in enumerate(answer)
    )
    return Mean(float(again), float(len(answer)))


def _counts(answer: Tokens, size: int) -> collections.Counter:
    if size < 1:
        raise ValueError(f"size must be at least 1, got {size}")
    grams = zip(*(answer[start:] for start in range(size)), strict=False)
    return collections.Counter(grams)

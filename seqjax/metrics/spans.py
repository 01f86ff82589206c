"""What a set of tags is worth, tag by tag and span by span."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple


class SpanScore(NamedTuple):
    """How many spans there are, were said, and are right.

    Counts, so that those of parts of a set add up; the rates of nothing are 0.
    """

    right: int
    said: int
    there: int

    @property
    def precision(self) -> float:
        return self.right / max(1, self.said)

    @property
    def recall(self) -> float:
        return self.right / max(1, self.there)

    @property
    def f1(self) -> float:
        return 2 * self.right / max(1, self.said + self.there)


def evaluate_tags(
    answers: Sequence[Sequence[str]], references: Sequence[Sequence[str]]
) -> dict[str, Any]:
    """Returns the usual scores of tagged sequences.

    `accuracy` is the share of tags that are right; `exact_match` that of sequences all of whose
    tags are; `span_precision`, `span_recall` and `span_f1` count the spans of the whole set (micro
    averages), which are right if kind, beginning and end are; see `spans_of`.

    Args:
      answers: As many tags as the reference has; none for a text that was not answered.
      references: The right tags.
    """
    pairs = list(zip(answers, references, strict=True))
    tags = sum(map(len, references))
    hits = sum(a == b for said, right in pairs for a, b in zip(said, right, strict=False))
    scores = spans_by_kind(answers, references).values()
    spans = SpanScore(*map(sum, zip(SpanScore(0, 0, 0), *scores, strict=True)))
    return {
        "sequences": len(pairs),
        "tags": tags,
        "accuracy": hits / max(1, tags),
        "exact_match": sum(list(a) == list(b) for a, b in pairs) / max(1, len(pairs)),
        "span_precision": spans.precision,
        "span_recall": spans.recall,
        "span_f1": spans.f1,
    }


def spans_by_kind(
    answers: Sequence[Sequence[str]], references: Sequence[Sequence[str]]
) -> dict[str, SpanScore]:
    """Returns the score of every kind of span that is there or was said, in alphabetical order.

    >>> spans_by_kind([["B-day", "O", "B-year"]], [["B-day", "I-day", "B-year"]])["year"].f1
    1.0

    Args:
      answers, references: As of `evaluate_tags`.
    """
    right, said, there = Counter(), Counter(), Counter()
    for answer, reference in zip(answers, references, strict=True):
        own, wanted = set(spans_of(answer)), set(spans_of(reference))
        said += _kinds(own)
        there += _kinds(wanted)
        right += _kinds(own & wanted)
    return {kind: SpanScore(right[kind], said[kind], there[kind]) for kind in sorted(said | there)}


def spans_of(tags: Sequence[str]) -> list[tuple[str, int, int]]:
    """Returns `(kind, first, last)` of every span of tags, in whichever scheme they are.

    As conlleval has it, which takes what breaks the rules of its scheme: a span begins with B- and
    S-, and with an I- or E- that follows another kind, nothing, or a span that is over. It is over
    with S- and E-, and before anything that does not go on with it. So BIO (IOB2), IOB1 and BIOES
    are all read by one rule. Any other tag is outside.

    >>> spans_of(["B-day", "I-day", "O", "I-year", "B-year"])
    [('day', 0, 1), ('year', 3, 3), ('year', 4, 4)]
    >>> spans_of(["B-day", "E-day", "E-day", "S-year", "I-year"])
    [('day', 0, 1), ('day', 2, 2), ('year', 3, 3), ('year', 4, 4)]

    References:
      Tjong Kim Sang & Buchholz, "Introduction to the CoNLL-2000 shared task: chunking", 2000, and
      its `conlleval`, which knows no S; with S, the rules are those of seqeval.
    """
    spans: list[tuple[str, int, int]] = []
    open_kind = None
    for place, tag in enumerate(tags):
        form, _, kind = tag.partition("-")
        if form not in ("B", "I", "E", "S"):
            open_kind = None
            continue
        if form in ("I", "E") and kind == open_kind:
            name, first, _ = spans[-1]
            spans[-1] = (name, first, place)
        else:
            spans.append((kind, place, place))
        open_kind = kind if form in ("B", "I") else None
    return spans


def _kinds(spans: Iterable[tuple[str, int, int]]) -> Counter[str]:
    return Counter(kind for kind, _, _ in spans)

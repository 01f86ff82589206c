"""What a set of tags is worth, tag by tag and span by span."""

from collections.abc import Sequence
from typing import Any


def evaluate_tags(
    answers: Sequence[Sequence[str]], references: Sequence[Sequence[str]]
) -> dict[str, Any]:
    """Returns the usual scores of tagged sequences.

    `accuracy` is the share of tags that are right; `exact_match` that of sequences all of whose
    tags are; `span_precision`, `span_recall` and `span_f1` count spans, which are right if kind,
    beginning and end are; see `spans_of`.

    Args:
      answers: As many tags as the reference has; none for a text that was not answered.
      references: The right tags.
    """
    pairs = list(zip(answers, references, strict=True))
    tags = sum(map(len, references))
    hits = sum(a == b for said, right in pairs for a, b in zip(said, right, strict=False))
    said, right = (
        {(number, *span) for number, pair in enumerate(pairs) for span in spans_of(pair[side])}
        for side in (0, 1)
    )
    found = len(said & right)
    return {
        "sequences": len(pairs),
        "tags": tags,
        "accuracy": hits / max(1, tags),
        "exact_match": sum(list(a) == list(b) for a, b in pairs) / max(1, len(pairs)),
        "span_precision": found / max(1, len(said)),
        "span_recall": found / max(1, len(right)),
        "span_f1": 2 * found / max(1, len(said) + len(right)),
    }


def spans_of(tags: Sequence[str]) -> list[tuple[str, int, int]]:
    """Returns `(kind, first, last)` of every span of BIO tags.

    A span begins with B-, and with an I- that follows another kind or nothing (as conlleval has
    it); tags that are neither belong to none.

    >>> spans_of(["B-day", "I-day", "O", "I-year", "B-year"])
    [('day', 0, 1), ('year', 3, 3), ('year', 4, 4)]
    """
    spans: list[tuple[str, int, int]] = []
    open_kind = None
    for place, tag in enumerate(tags):
        form, _, kind = tag.partition("-")
        if form not in ("B", "I"):
            open_kind = None
        elif form == "I" and kind == open_kind:
            name, first, _ = spans[-1]
            spans[-1] = (name, first, place)
        else:
            spans.append((kind, place, place))
            open_kind = kind
    return spans

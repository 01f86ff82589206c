"""Dialogues: whole ones are right if each of their answers is."""

from collections.abc import Sequence
from typing import Any


def dialogue_lengths(sources: Sequence[str], targets: Sequence[str]) -> list[int]:
    """Returns how many lines each dialogue has, in the order of the file.

    The source of a line is all that was said before. A line goes on with the dialogue of the line
    before if its source begins with the source of that line, and holds its target after that.

    Args:
      sources, targets: Of all lines.

    >>> dialogue_lengths(["hi", "hi | hello | a table", "hi"], ["hello", "which?", "hello"])
    [2, 1]
    """
    lengths, before = [], None
    for source, target in zip(sources, targets, strict=True):
        if before is not None and source.startswith(before[0]):
            goes_on = before[1] in source[len(before[0]) :]
        else:
            goes_on = False
        if goes_on:
            lengths[-1] += 1
        else:
            lengths.append(1)
        before = source, target
    return lengths


def dialogue_scores(right: Sequence[bool], lengths: Sequence[int]) -> dict[str, Any]:
    """Returns the share of lines, and of dialogues, that are answered right.

    `responses` and `dialogues` are how many of each there are. Every line counts, also where a
    source comes twice, and only its own target is right.

    Args:
      right: Of each line.
      lengths: Lines of each dialogue, one after the other; see `dialogue_lengths`.

    Raises:
      ValueError: If there are none, or they are not as many lines.

    >>> dialogue_scores([True, False, True], [2, 1])["dialogue_accuracy"]
    0.5

    References:
      Bordes, Boureau & Weston, "Learning end-to-end goal-oriented dialog", 2017, section 4.
    """
    if not right or sum(lengths) != len(right):
        raise ValueError(f"dialogues must have {len(right)} lines, got {sum(lengths)}")
    whole, start = 0, 0
    for length in lengths:
        whole += all(right[start : start + length])
        start += length
    return {
        "responses": len(right),
        "response_accuracy": sum(right) / len(right),
        "dialogues": len(lengths),
        "dialogue_accuracy": whole / len(lengths),
    }

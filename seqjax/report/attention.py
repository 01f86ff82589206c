"""Where a decoder looked: one heat map for each answer."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from seqjax.report.style import drawing

MOST = 6
"""Heat maps in one figure."""
CELL = 0.24
"""Inches from one token to the next, as long as there is room."""
SMALLEST, LARGEST = 2.0, 6.5
"""Inches that a side of a heat map may have."""
LONGEST = 14
"""Characters of a token that are shown."""
VISIBLE = str.maketrans({" ": "␣", "\n": "↵", "\t": "⇥", "⏹": "■"})
"""White space must be seen; the usual sign of the end is in few fonts."""


class AttentionExample(NamedTuple):
    """One answer and its attention.

    Attributes:
      source_tokens: What was read.
      target_tokens: What was said, EOS included.
      weights: `[target, source]`, rows sum to 1.
    """

    source_tokens: Sequence[str]
    target_tokens: Sequence[str]
    weights: np.ndarray


def attention_figure(examples: Sequence[AttentionExample], path: Path) -> None:
    """Draws up to six answers; source from left to right, answer from top to bottom.

    A token takes up the same space in all heat maps, so that a shorter answer is a smaller one.

    Args:
      examples: At least one; what follows the sixth is left out.
      path: `.png` or `.svg`.

    Raises:
      ValueError: If there are no examples, or weights are not `[target, source]`.
    """
    if not examples:
        raise ValueError("examples must hold at least one answer, got none")
    examples = examples[:MOST]
    for example in examples:
        expected = (len(example.target_tokens), len(example.source_tokens))
        if example.weights.shape != expected:
            raise ValueError(f"weights must be {expected}, got {example.weights.shape}")
    across = _side([example.source_tokens for example in examples])
    down = _side([example.target_tokens for example in examples])
    columns = min(2, len(examples))
    rows = -(-len(examples) // columns)
    width, height = across.inches + down.margin + 0.5, down.inches + across.margin + 0.2
    with drawing(path, rows, columns, width=width, height=height) as (figure, axes):
        for panel in axes.flat:
            panel.axis("off")
        for panel, example in zip(axes.flat, examples, strict=False):
            panel.axis("on")
            panel.spines[:].set_visible(False)
            image = panel.imshow(example.weights, cmap="cividis", vmin=0, vmax=1, aspect="auto")
            panel.set(xlim=(-0.5, across.tokens - 0.5), ylim=(down.tokens - 0.5, -0.5))
            _label(panel.xaxis, example.source_tokens, across)
            _label(panel.yaxis, example.target_tokens, down)
            if max(map(len, example.source_tokens), default=0) > 2:
                panel.tick_params(axis="x", labelrotation=60)
        figure.colorbar(image, ax=axes, label="attention weight", fraction=0.03, pad=0.02)
        figure.supxlabel("source", fontsize=9)
        figure.supylabel("answer", fontsize=9)


class _Side(NamedTuple):
    """Room for the source or the target side of every heat map: the map, and its labels."""

    tokens: int
    inches: float
    margin: float


def _side(sides: Sequence[Sequence[str]]) -> _Side:
    tokens = max(1, *map(len, sides))
    longest = max(len(_shown(token)) for side in sides for token in side)
    inches = min(max(CELL * tokens, SMALLEST), LARGEST)
    return _Side(tokens, inches, margin=0.15 + 0.07 * longest)


def _label(axis: Any, tokens: Sequence[str], side: _Side) -> None:
    """Names every token, or every second, third, ... where they would run into each other."""
    every = max(1, round(CELL / 2 * side.tokens / side.inches))
    axis.set_ticks(range(0, len(tokens), every), [_shown(token) for token in tokens[::every]])
    axis.set_tick_params(length=0, pad=3)


def _shown(token: str) -> str:
    token = token.translate(VISIBLE)
    return token if len(token) <= LONGEST else token[: LONGEST - 1] + "…"

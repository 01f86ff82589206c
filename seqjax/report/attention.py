"""Where a decoder looked: one heat map for each answer."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from seqjax.report.style import drawing

MOST = 6
"""Heat maps in one figure."""
CELL = 0.24
"""Inches that a token takes up, as long as there is room."""
SMALLEST, LARGEST = 2.4, 6.5
"""Inches of one side of a heat map."""
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
    columns = min(2, len(examples))
    width = _side([example.source_tokens for example in examples])
    height = _side([example.target_tokens for example in examples])
    rows = -(-len(examples) // columns)
    with drawing(path, rows, columns, width=width + 0.9, height=height + 0.6) as (figure, axes):
        image = None
        for panel, example in zip(axes.flat, examples, strict=False):
            image = panel.imshow(example.weights, cmap="cividis", vmin=0, vmax=1, aspect="auto")
            _label(panel.xaxis, example.source_tokens, width)
            _label(panel.yaxis, example.target_tokens, height)
            panel.spines[:].set_visible(False)
        for panel in axes.flat[len(examples) :]:
            panel.axis("off")
        figure.colorbar(image, ax=axes, label="attention weight", fraction=0.05, aspect=30)
        figure.supxlabel("source", fontsize=9)
        figure.supylabel("answer", fontsize=9)


def _side(sides: Sequence[Sequence[str]]) -> float:
    return min(max(CELL * max(map(len, sides)), SMALLEST), LARGEST)


def _label(axis: Any, tokens: Sequence[str], inches: float) -> None:
    """Names every token, or every second, third, ... where they would run into each other."""
    every = max(1, round(len(tokens) * CELL / 2 / inches))
    shown = [token.translate(VISIBLE) for token in tokens][::every]
    axis.set_ticks(range(0, len(tokens), every), shown)
    slanted = axis.axis_name == "x" and max(map(len, shown), default=0) > 2
    axis.set_tick_params(length=0, labelsize=8, labelrotation=60 if slanted else 0)

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
BAR = 2.5
"""Inches of the colour bar."""
LONGEST = 14
"""Characters of a token that are shown."""
VISIBLE = str.maketrans({" ": "␣", "\n": "↵", "\t": "⇥"})
"""White space must be seen."""


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
    # Imported here, as in `drawing`: it takes long.
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    look: Any = {"cmap": "cividis", "norm": Normalize(0, 1)}
    bar: Any = {"fraction": 0.03, "pad": 0.02, "anchor": (0, 1)}
    with drawing(path, rows, columns, width=width, height=height) as (figure, axes):
        for panel, example in zip(axes.flat, examples, strict=False):
            if example.weights.size:  # an empty source leaves an empty place
                panel.imshow(example.weights, **look, aspect="auto")
            _frame(panel, example, across, down)
        for panel in axes.flat[len(examples) :]:
            panel.axis("off")
        bar["shrink"] = min(1.0, BAR / (rows * height))
        figure.colorbar(ScalarMappable(**look), ax=axes, label="attention weight", **bar)
        for panel in axes[0]:
            panel.set_xlabel("source", loc="left")
        for panel in axes[:, 0]:
            panel.set_ylabel("answer", loc="top")


class _Side(NamedTuple):
    """Room for the source or the target side of every heat map: the map, and its labels."""

    tokens: int
    inches: float
    margin: float


def _side(sides: Sequence[Sequence[str]]) -> _Side:
    tokens = max(1, *map(len, sides))
    longest = max(len(_shown(token)) for side in sides for token in (*side, ""))
    inches = min(max(CELL * tokens, SMALLEST), LARGEST)
    return _Side(tokens, inches, margin=0.15 + 0.07 * longest)


def _frame(panel: Any, example: AttentionExample, across: _Side, down: _Side) -> None:
    """Puts the tokens at the top and at the left, where a smaller heat map touches them too."""
    panel.spines[:].set_visible(False)
    panel.set(xlim=(-0.5, across.tokens - 0.5), ylim=(down.tokens - 0.5, -0.5))
    panel.xaxis.tick_top()
    panel.xaxis.set_label_position("top")
    panel.tick_params(length=0)
    slanted = any(len(token) > 2 for token in example.source_tokens)
    slant = {"rotation": 60, "ha": "left", "rotation_mode": "anchor"} if slanted else {}
    panel.set_xticks(*_ticks(example.source_tokens, across), **slant)
    panel.set_yticks(*_ticks(example.target_tokens, down))


def _ticks(tokens: Sequence[str], side: _Side) -> tuple[list[int], list[str]]:
    """Names every token, or every second, third, ... where they would run into each other."""
    every = max(1, round(CELL / 2 * side.tokens / side.inches))
    places = list(range(0, len(tokens), every))
    return places, [_shown(tokens[place]) for place in places]


def _shown(token: str) -> str:
    token = token.translate(VISIBLE)
    return token if len(token) <= LONGEST else token[: LONGEST - 1] + "…"

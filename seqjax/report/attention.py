"""Where a decoder looked: one heat map for each answer."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from seqjax.report.style import figure, save

MOST = 6
"""Heat maps in one figure."""


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
    """Draws up to six answers; source from left to right, answer from top to bottom."""
    examples = examples[:MOST]
    columns = min(2, len(examples))
    fig, axes = figure(-(-len(examples) // columns), columns, width=6.0, height=3.2)
    flat = np.atleast_1d(axes).ravel()
    image = None
    for axis, example in zip(flat, examples, strict=False):
        image = axis.imshow(example.weights, cmap="cividis", vmin=0, vmax=1, aspect="auto")
        axis.set_xticks(range(len(example.source_tokens)), _shown(example.source_tokens))
        axis.set_yticks(range(len(example.target_tokens)), _shown(example.target_tokens))
        axis.tick_params(length=0, labelsize=8)
        longest = max(map(len, example.source_tokens), default=1)
        axis.tick_params(axis="x", labelrotation=60 if longest > 2 else 0)
    for axis in flat[len(examples) :]:
        axis.axis("off")
    if image is not None:
        fig.colorbar(image, ax=list(flat), label="attention weight", shrink=0.6)
    fig.supxlabel("source", fontsize=9)
    fig.supylabel("answer", fontsize=9)
    save(fig, path)


def _shown(tokens: Sequence[str]) -> list[str]:
    """White space must be visible, and a dollar sign must not begin a formula."""
    return [token.replace(" ", "␣").replace("\n", "↵").replace("$", r"\$") for token in tokens]

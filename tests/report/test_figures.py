import math

import numpy as np
import pytest

from seqjax.report.attention import AttentionExample, attention_figure
from seqjax.report.curves import learning_curves

ROWS = [
    {"event": "train", "step": 20, "loss": 2.0},
    {"event": "train", "step": 40, "loss": math.nan},
    {"event": "validation", "step": 40, "loss": 1.5, "exact_match": 0.2, "best": True},
    {"event": "validation", "step": 80, "loss": 1.6, "perplexity": 4.9, "best": False},
]


@pytest.mark.parametrize("rows", (ROWS, ROWS[:1], ROWS[3:], []))
def test_curves_are_drawn_of_whatever_there_is(tmp_path, rows):
    learning_curves(rows, tmp_path / "curves.png")
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_the_same_rows_give_the_same_svg(tmp_path):
    for name in ("one.svg", "two.svg"):
        learning_curves(ROWS, tmp_path / name)
    one, two = ((tmp_path / name).read_bytes() for name in ("one.svg", "two.svg"))
    assert one == two


@pytest.mark.parametrize("count", (1, 3, 9))
def test_attention_is_drawn_whatever_the_tokens(tmp_path, count):
    example = AttentionExample(["年", " ", "$", "x"], ["a", "EOS"], np.full((2, 4), 0.25))
    attention_figure([example] * count, tmp_path / "attention.png")
    assert (tmp_path / "attention.png").stat().st_size > 1_000

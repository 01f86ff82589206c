"""Figures: what is on them, that they can always be drawn, and that they repeat to the byte."""

import contextlib
import math
import statistics
import warnings
from types import SimpleNamespace

import jax.numpy as jnp
import matplotlib
import numpy as np
import pytest

from seqjax.config import ModelConfig
from seqjax.data.coding import PairCoder
from seqjax.data.readers import Pairs
from seqjax.data.vocabulary import Vocabulary
from seqjax.predict.looking import Attention
from seqjax.report import attention, curves, lines, style
from seqjax.report.attention import AttentionExample, attention_figure
from seqjax.report.curves import learning_curves
from seqjax.report.lines import line_figure, markdown_table

ROWS = [
    {"event": "train", "step": 20, "loss": 2.0},
    {"event": "train", "step": 40, "loss": 1.9},
    {"event": "validation", "step": 40, "loss": 1.5, "exact_match": 0.2, "best": True},
    {"event": "validation", "step": 60, "loss": 1.4, "exact_match": 0.4, "best": True},
    {"event": "validation", "step": 80, "loss": 1.6, "exact_match": 0.3, "best": False},
]
PANELS = {
    "copy": {"with": {"1-5": [1.0, 1.0], "6-10": [0.9, 0.7]}, "without": {"1-5": [0.5, 0.1]}},
    "reverse": {"without": {"1-5": [0.4, 0.2]}},
}


@pytest.fixture
def drawn(monkeypatch):
    """The axes of every figure that a test draws."""
    kept = []

    @contextlib.contextmanager
    def keeping(*args, **settings):
        with style.drawing(*args, **settings) as (figure, axes):
            kept.append(axes)
            yield figure, axes

    for room in (curves, attention, lines):
        monkeypatch.setattr(room, "drawing", keeping)
    return kept


def example(source="abc", target="xy"):
    weights = np.full((len(target), len(source)), 1 / max(len(source), 1))
    return AttentionExample(list(source), list(target), weights)


def labels(panel):
    return {line.get_label(): line.get_xydata().tolist() for line in panel.get_lines()}


@pytest.mark.parametrize("suffix", ("svg", "png"))
def test_the_same_figure_is_the_same_file(tmp_path, suffix):
    for name in ("one", "two"):
        learning_curves(ROWS, tmp_path / f"{name}-curves.{suffix}")
        attention_figure([example()], tmp_path / f"{name}-attention.{suffix}")
        line_figure(PANELS, tmp_path / f"{name}-lines.{suffix}", x_label="x", y_label="y")
    for kind in ("curves", "attention", "lines"):
        one, two = ((tmp_path / f"{n}-{kind}.{suffix}").read_bytes() for n in ("one", "two"))
        assert one == two and one.startswith({"svg": b"<?xml", "png": b"\x89PNG"}[suffix])


def test_the_settings_of_the_caller_are_left_alone(tmp_path):
    names = [*style.STYLE, "font.family"]
    before = {name: matplotlib.rcParams[name] for name in names}
    filters = list(warnings.filters)
    learning_curves(ROWS, tmp_path / "curves.png")
    assert {name: matplotlib.rcParams[name] for name in names} == before
    assert warnings.filters == filters


def test_curves_show_every_number_and_the_last_best_step(tmp_path, drawn):
    learning_curves(ROWS, tmp_path / "curves.png")
    left, right = drawn[0][0]
    assert labels(left) == {
        "training": [[20, 2.0], [40, 1.9]],
        "validation": [[40, 1.5], [60, 1.4], [80, 1.6]],
        "best": [[60, 0], [60, 1]],
    }
    assert labels(right)["exact match"] == [[40, 0.2], [60, 0.4], [80, 0.3]]
    assert labels(right)["best"] == [[60, 0], [60, 1]]
    assert left.get_xlim() == right.get_xlim()


def test_bleu_is_drawn_as_a_share(tmp_path, drawn):
    learning_curves([{"event": "validation", "step": 1, "bleu": 25.0}], tmp_path / "curves.png")
    assert labels(drawn[0][0, 1]) == {"BLEU / 100": [[1, 0.25]]}


@pytest.mark.parametrize("highest", (0.1, 3.0))
def test_shares_span_zero_to_one_and_a_higher_error_rate_is_not_cut(tmp_path, drawn, highest):
    rows = [{"event": "validation", "step": 1, "token_error_rate": highest}]
    learning_curves(rows, tmp_path / "curves.png")
    low, high = drawn[0][0, 1].get_ylim()
    assert -0.2 < low < 0 and max(1, highest) < high < max(1, highest) * 1.2


def test_a_language_model_shows_its_perplexity(tmp_path, drawn):
    learning_curves([{"event": "validation", "step": 5, "perplexity": 90.0}], tmp_path / "a.png")
    assert labels(drawn[0][0, 1]) == {"validation": [[5, 90.0]]}
    assert drawn[0][0, 1].get_title(loc="left") == "Perplexity"


@pytest.mark.parametrize("bad", (None, math.nan, math.inf))
def test_what_is_not_finite_is_left_out(tmp_path, drawn, bad):
    broken = {"event": "validation", "step": 50, "loss": bad, "exact_match": bad, "bleu": bad}
    learning_curves([*ROWS[:3], broken, *ROWS[3:]], tmp_path / "broken.png")
    learning_curves(ROWS, tmp_path / "whole.png")
    assert [labels(panel) for panel in drawn[0][0]] == [labels(panel) for panel in drawn[1][0]]


@pytest.mark.parametrize("rows", ([], ROWS[:1], ROWS[2:3], ROWS[4:]))
def test_curves_are_drawn_of_whatever_there_is(tmp_path, rows):
    learning_curves(rows, tmp_path / "curves.png")
    assert (tmp_path / "curves.png").stat().st_size > 1_000


def test_a_token_takes_up_the_same_space_in_all_heat_maps(tmp_path, drawn):
    attention_figure([example("abcd", "xy"), example("a", "xyz")], tmp_path / "attention.png")
    for panel in drawn[0].flat:
        assert panel.get_xlim() == (-0.5, 3.5) and panel.get_ylim() == (2.5, -0.5)


def test_attention_shows_the_weights_between_their_tokens(tmp_path, drawn):
    weights = np.array([[0.9, 0.1, 0.0], [0.2, 0.3, 0.5]])
    said = AttentionExample(["a", " ", "\n"], ["$x$", "EOS"], weights)
    attention_figure([said], tmp_path / "attention.png")
    panel = drawn[0][0, 0]
    (image,) = panel.get_images()
    np.testing.assert_array_equal(image.get_array(), weights)
    assert image.get_clim() == (0, 1)
    assert [text.get_text() for text in panel.get_xticklabels()] == ["a", "␣", "↵"]
    assert [text.get_text() for text in panel.get_yticklabels()] == ["$x$", "EOS"]


def test_of_many_tokens_some_are_named_and_of_a_long_one_the_beginning(tmp_path, drawn):
    attention_figure([example("a" * 150, ["x" * 40])], tmp_path / "attention.png")
    panel = drawn[0][0, 0]
    assert 30 < len(panel.get_xticks()) <= 75
    assert [text.get_text() for text in panel.get_yticklabels()] == ["x" * 13 + "…"]


@pytest.mark.parametrize(("count", "panels", "maps"), ((1, 1, 1), (3, 4, 3), (9, 6, 6)))
def test_at_most_six_answers_are_drawn(tmp_path, drawn, count, panels, maps):
    attention_figure([example()] * count, tmp_path / "attention.png")
    assert drawn[0].size == panels
    assert sum(len(panel.get_images()) for panel in drawn[0].flat) == maps


# Signs that hardly any font has, what looks like a formula and is none, and an empty source.
@pytest.mark.parametrize("source", ("年月日", "مايو", "\U000e0001𒀀", [r"$\frac$"], ""))
def test_attention_is_drawn_whatever_the_tokens(tmp_path, source):
    attention_figure([example(source), example()], tmp_path / "attention.png")
    assert (tmp_path / "attention.png").stat().st_size > 1_000


def test_attention_that_does_not_fit_its_tokens_is_refused(tmp_path):
    turned = example()._replace(weights=np.zeros((3, 2)))
    with pytest.raises(ValueError, match=r"weights must be \(2, 3\), got \(3, 2\)"):
        attention_figure([turned], tmp_path / "attention.png")
    with pytest.raises(ValueError, match="examples must hold at least one"):
        attention_figure([], tmp_path / "attention.png")


def test_lines_are_means_and_bars_reach_the_lowest_and_the_highest(tmp_path, drawn):
    panels = {"loss": {"lstm": {64: [3.0, 1.0, 2.6], 128: [5.0]}}}
    line_figure(panels, tmp_path / "lines.png", x_label="hidden size", y_label="nats per token")
    panel = drawn[0][0, 0]
    (bars,) = panel.containers
    np.testing.assert_allclose(bars.lines[0].get_xydata(), [[64, 2.2], [128, 5]])
    np.testing.assert_allclose(
        bars.lines[2][0].get_segments(), [[[64, 1], [64, 3]], [[128, 5], [128, 5]]]
    )
    assert (panel.get_xlabel(), panel.get_ylabel()) == ("hidden size", "nats per token")
    assert panel.get_ylim()[0] > 0.5 and panel.get_ylim()[1] > 5


@pytest.mark.parametrize("value", (0.35, 0.1))
def test_equal_values_have_no_spread_however_their_mean_is_rounded(tmp_path, drawn, value):
    assert statistics.fmean([value] * 3) != value
    panels = {"a": {"lstm": {1: [value] * 3}}}
    line_figure(panels, tmp_path / "lines.png", x_label="x", y_label="y")
    ((_, low), (_, high)) = drawn[0][0, 0].containers[0].lines[2][0].get_segments()[0]
    assert low == pytest.approx(value) and high == pytest.approx(value)


def test_a_label_looks_the_same_in_every_panel_and_shares_span_zero_to_one(tmp_path, drawn):
    line_figure(PANELS, tmp_path / "lines.svg", x_label="x", y_label="exact match")
    first, second = drawn[0][0]
    colours = [[bars.lines[0].get_color() for bars in panel.containers] for panel in drawn[0][0]]
    assert colours == [[style.PALETTE[0], style.PALETTE[1]], [style.PALETTE[1]]]
    assert first.get_ylim() == second.get_ylim() == (-0.03, 1.03)
    (legend,) = first.get_figure().legends
    assert [text.get_text() for text in legend.get_texts()] == ["with", "without"]


@pytest.mark.parametrize(
    ("panels", "message"),
    (
        ({}, "got 0 panels"),
        ({"a": {str(number): {1: [1.0]} for number in range(7)}}, "with 7 labels"),
        ({"a": {"lstm": {5: []}}}, "lstm must have a value at 5, got none"),
    ),
)
def test_lines_that_cannot_be_drawn_are_refused(tmp_path, panels, message):
    with pytest.raises(ValueError, match=message):
        line_figure(panels, tmp_path / "lines.png", x_label="x", y_label="y")


def test_a_table_has_a_line_for_every_row():
    rows = [{"cell": "lstm", "p(x|y)": 0.5}, {"cell": "a|b", "p(x|y)": 1}]
    assert markdown_table(rows).splitlines() == [
        r"| cell | p(x\|y) |",
        "|---|---|",
        "| lstm | 0.5 |",
        r"| a\|b | 1 |",
    ]


@pytest.mark.parametrize("rows", ([], [{"a": 1}, {"b": 1}]))
def test_a_table_needs_rows_with_the_same_keys(rows):
    with pytest.raises(ValueError, match="row"):
        markdown_table(rows)


def test_a_position_of_a_pyramid_is_the_tokens_that_it_joins():
    letters = Vocabulary("chars", tuple("abcde"))
    look = lambda variables, source, target: (None, jnp.ones((1, target.values.shape[1], 2)))
    config, model = ModelConfig(encoder_layers=3, pyramid=True), SimpleNamespace(apply=look)
    attention = Attention(config, model, PairCoder(letters, letters))
    (example,) = attention({}, Pairs(["abcde"], ["ab"]))
    assert example.source_tokens == ["abcd", "e"]
    assert example.target_tokens == ["a", "b", "EOS"]
    assert example.weights.shape == (3, 2)


def test_steps_that_were_cut_off_a_source_are_not_shown(tmp_path):
    letters = Vocabulary("chars", tuple("abcde"))
    look = lambda variables, source, target: (
        None,
        jnp.ones((1, target.values.shape[1], source.values.shape[1])),
    )
    coder = PairCoder(letters, letters, most_source=3)
    attention = Attention(ModelConfig(), SimpleNamespace(apply=look), coder)
    examples = attention({}, Pairs(["abcde"], ["ab"]))
    assert examples[0].source_tokens == ["a", "b", "c"]
    attention_figure(examples, tmp_path / "attention.png")

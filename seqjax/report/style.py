"""How figures look: one size, one palette that colour-blind readers can tell apart."""

import contextlib
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

BLUE, ORANGE, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
GREY = "#8C8C8C"
PALETTE = (BLUE, ORANGE, GREEN, PURPLE, "#E69F00", "#56B4E9")
"""Okabe & Ito, "Color universal design", 2008."""
FONTS = (
    "DejaVu Sans",
    "Noto Sans CJK JP",
    "Noto Sans CJK SC",
    "Noto Sans",
    "Noto Sans Arabic",
    "Arial Unicode MS",
)
"""Asked in this order, glyph by glyph, as far as they are installed."""
STYLE: dict[Any, Any] = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.labelsize": 9,
    "axes.axisbelow": True,
    "figure.constrained_layout.h_pad": 0.08,
    "figure.constrained_layout.w_pad": 0.08,
    "grid.color": "#E5E5E5",
    "legend.frameon": False,
    "legend.fontsize": 8,
    "legend.handlelength": 1.6,
    "legend.columnspacing": 1.4,
    "lines.linewidth": 1.5,
    "svg.hashsalt": "seqjax",
    "text.parse_math": False,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
}


@contextlib.contextmanager
def drawing(
    path: Path,
    rows: int,
    columns: int,
    *,
    width: float,
    height: float,
    share_x: bool = False,
    share_y: bool = False,
) -> Iterator[tuple[Any, np.ndarray]]:
    """Gives a figure and its axes `[rows, columns]` to draw on, and writes it at the end.

    It needs no screen, and leaves alone the settings and the figures of whoever calls. The same
    drawing gives the same SVG, to the byte. A glyph that no installed font has becomes a box.

    Args:
      path: `.png` or `.svg`.
      rows: Panels from top to bottom.
      columns: Panels from left to right.
      width: Of one panel, in inches.
      height: Of one panel, in inches.
      share_x: Whether all panels have one x axis.
      share_y: Whether all panels have one y axis.
    """
    # Imported here, for this takes a second and most commands draw nothing.
    import matplotlib
    from matplotlib import font_manager
    from matplotlib.figure import Figure

    installed = set(font_manager.get_font_names())
    fonts = [name for name in FONTS if name in installed] or ["sans-serif"]
    with matplotlib.rc_context({**STYLE, "font.family": fonts}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        # Not by pyplot, which would keep the figure and might ask for a window.
        figure = Figure(figsize=(width * columns, height * rows), layout="constrained")
        axes = figure.subplots(rows, columns, squeeze=False, sharex=share_x, sharey=share_y)
        yield figure, axes
        metadata = {"Date": None} if path.suffix == ".svg" else {}
        figure.savefig(path, dpi=140, metadata=metadata)

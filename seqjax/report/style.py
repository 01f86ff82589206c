"""How figures look: one size, one palette that colour-blind readers can tell apart."""

from pathlib import Path
from typing import Any

BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#8C8C8C"
PALETTE = (BLUE, ORANGE, GREEN, "#CC79A7", "#E69F00", "#56B4E9")
"""Okabe & Ito, "Color universal design", 2008."""
FONTS = ("DejaVu Sans", "Noto Sans CJK JP", "Noto Sans CJK SC", "Noto Sans", "Arial Unicode MS")


def figure(rows: int, columns: int, *, width: float = 5.0, height: float = 3.4) -> tuple[Any, Any]:
    """Returns a figure and its axes, without a screen."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import font_manager, pyplot

    installed = {font.name for font in font_manager.fontManager.ttflist}
    matplotlib.rcParams.update(
        {
            "font.family": [name for name in FONTS if name in installed] or ["sans-serif"],
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.titlesize": 10,
            "axes.labelsize": 9,
            "legend.frameon": False,
            "legend.fontsize": 8,
            "svg.hashsalt": "seqjax",
        }
    )
    return pyplot.subplots(
        rows, columns, figsize=(width * columns, height * rows), layout="constrained"
    )


def save(fig: Any, path: Path) -> None:
    """Writes a figure and lets go of it. The same figure gives the same SVG, to the byte.

    A glyph that no installed font has is drawn as a box.
    """
    import warnings

    from matplotlib import pyplot

    metadata = {"Date": None} if path.suffix == ".svg" else {}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        fig.savefig(path, dpi=130, metadata=metadata)
    pyplot.close(fig)

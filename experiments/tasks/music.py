"""Chords, for what sounds next."""

from pathlib import Path

from experiments.tasks.record import Measured
from seqjax.data.chords import written
from seqjax.data.music import read_music


def chorales(data: Path, work: Path) -> None:
    """Chorales of Bach by quarter notes, split as Boulanger-Lewandowski et al. (2012) did."""
    found = read_music(data / "jsb_chorales" / "jsb-chorales-quarter.json")
    for name, pieces in found._asdict().items():
        lines = [written(piece) + "\n" for piece in pieces.pieces]
        (work / f"{name}.txt").write_text("".join(lines), encoding="utf-8")


_JSB = "chorales (JSB, quarter notes)"
_PUBLISHED = {
    "loss_after_first": "8.45 LSTM, 8.43 GRU, 8.91 RNN, 8.10 TCN (Bai et al. 2018)",
    "loss": "8.67 LSTM, 8.54 GRU, 9.10 tanh (Chung et al. 2014)",
    "frame_f1": "none",
    "frame_accuracy": "none",
}
MUSIC = {
    "music-usual": Measured(
        _JSB,
        "how often each key sounds",
        chorales,
        "--task music --model.kind usual",
        _PUBLISHED,
    ),
    "music-markov": Measured(
        _JSB,
        "how often each key sounds after the last chord",
        chorales,
        "--task music --model.kind markov",
        _PUBLISHED,
    ),
    "music": Measured(_JSB, "LSTM", chorales, "--preset chorales", _PUBLISHED),
}

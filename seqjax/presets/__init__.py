"""Named starting points for a run. A preset is a value, never other code: flags go on top of it."""

from typing import Literal

from seqjax.config import Config
from seqjax.presets.answers import ANSWERS
from seqjax.presets.labels import LABELS
from seqjax.presets.music import MUSIC
from seqjax.presets.running import RUNNING
from seqjax.presets.toys import TOYS
from seqjax.presets.vectors import VECTORS

PresetName = Literal[
    "dates",
    "short",
    "sentences",
    "commands",
    "docs",
    "letters",
    "languages",
    "sentiment",
    "questions",
    "parts",
    "adding",
    "sort",
    "addition",
    "numbers",
    "inflection",
    "copy_memory",
    "morse",
    "images",
    "chords",
    "chorales",
]

PRESETS: dict[str, Config] = ANSWERS | RUNNING | LABELS | TOYS | VECTORS | MUSIC

START: dict[str, str] = {
    "language-model": "docs",
    "classify": "languages",
    "tag": "parts",
    "transcribe": "morse",
    "describe": "images",
    "music": "chords",
}
"""What a run of a task starts from where no preset is named; else from the defaults."""

NEEDS_TRAINING_FILE = frozenset(
    {"short", "sentences", "commands", "sentiment", "questions", "chorales"}
)
"""Presets whose settings suit no built-in data: they are refused without --train."""

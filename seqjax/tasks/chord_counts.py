"""Counts in place of a network that models music."""

import dataclasses
from collections.abc import Sequence
from typing import Any, Literal

import jax
import numpy as np

from seqjax.baselines.chords import ChordCounts, train_chord_chain, train_usual_keys
from seqjax.build.chords import piece_splits
from seqjax.config import DecodeConfig
from seqjax.data.batching import pad
from seqjax.data.chords import KEYS, Piece, to_roll
from seqjax.losses import chord_means
from seqjax.metrics.likelihood import step_scores
from seqjax.predict.composer import ChordDrawer
from seqjax.tasks.arrays import Arrays, array, check_names, check_within
from seqjax.tasks.baseline import Material
from seqjax.tasks.music import Music
from seqjax.tasks.task import Vocabularies
from seqjax.types import sum_means

TOGETHER = 64
"""Pieces that are measured at a time."""


@dataclasses.dataclass(frozen=True)
class CountedChords:
    """How likely each key is to sound, by counts; see `Baseline`.

    Attributes:
      task: Music.
      kind: What is known of a piece: `usual` nothing, `markov` its last chord.
    """

    task: Music
    kind: Literal["usual", "markov"]

    def material(self) -> Material:
        """Reads pieces, the long ones included; see `Baseline`."""
        splits = piece_splits(self.task.config)
        return Material(self.task.data_of(splits), splits.train.pieces)

    def fit(self, material: Material) -> Arrays:
        """Counts what sounds; see `Baseline`."""
        rolls = [to_roll(piece) for piece in material.train]
        if self.kind == "usual":
            found = train_usual_keys(rolls)
        else:
            found = train_chord_chain(rolls, [to_roll(piece) for piece in material.data.valid])
        return {
            "first": found.first,
            "own": found.own,
            "chords": found.chords,
            "after": found.after,
        }

    def model(self, arrays: Arrays, vocabularies: Vocabularies) -> ChordCounts:
        """Returns what was counted; see `Baseline`."""
        check_names(arrays, ("first", "own", "chords", "after"))
        first = array(arrays, "first", np.float64, (KEYS,))
        own = array(arrays, "own", np.float64, (2, KEYS))
        chords = array(arrays, "chords", np.uint8, (None, KEYS))
        after = array(arrays, "after", np.float64, (len(chords), KEYS))
        check_within("chords", chords, 0, 1)
        if len(np.unique(chords, axis=0)) < len(chords):
            raise ValueError("chords must differ")
        tiny = np.finfo(np.float64).eps
        for name, probs in (("first", first), ("own", own), ("after", after)):
            check_within(name, probs, tiny, 1 - tiny)
        return ChordCounts(first, own, chords, after)

    def likelihood(
        self, model: ChordCounts, examples: Sequence[Piece], vocabularies: Vocabularies
    ) -> dict[str, float]:
        """Returns what the losses of a network make of these probabilities; see `Baseline`."""
        rolls = sorted((to_roll(piece) for piece in examples), key=len)
        parts = []
        for start in range(0, len(rolls), TOGETHER):
            part = rolls[start : start + TOGETHER]
            probs = [model.probs(roll) for roll in part]
            logits = [(np.log(one) - np.log1p(-one)).astype(np.float32) for one in probs]
            shape: Any = len(part), max(map(len, part)), 0
            said, targets = jax.device_put((pad(logits, *shape).values, pad(part, *shape)))
            loss, others = chord_means(said, targets)
            parts.append({"loss": loss, **others})
        means = {name: sum_means(part[name] for part in parts) for name in parts[0]}
        loss = means.pop("loss")
        return {
            **step_scores(float(loss.value()), int(loss.weight)),
            **{name: float(mean.value()) for name, mean in means.items()},
        }

    def drawer(self, decode: DecodeConfig, vocabularies: Vocabularies) -> ChordDrawer:
        """Returns what draws how a piece goes on; see `ContinuingBaseline`."""
        return ChordDrawer(decode)

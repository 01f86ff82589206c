"""A piece and how it goes on: a trained model of music as its user sees it."""

import functools
from collections.abc import Iterable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from seqjax.baselines.chords import ChordCounts
from seqjax.config import DecodeConfig
from seqjax.data.chords import KEYS, Piece, from_roll, read_piece, to_roll, written
from seqjax.errors import InputError
from seqjax.masking import last_valid
from seqjax.models.chord_model import ChordModel
from seqjax.predict.answer import Answer, silent
from seqjax.predict.room import height, padded, row_keys
from seqjax.train.compiled import AnnounceFn, Compiled
from seqjax.types import Key, Padded, Parameters

MOST = 64
"""Chords that are written where nothing else is said."""


class Composer:
    """Continues pieces with a trained model: every key is drawn by itself, chord after chord."""

    def __init__(self, model: ChordModel, config: DecodeConfig, *, announce: AnnounceFn = silent):
        """Args:
        model: What was trained.
        config: How to draw: `n_best`, `seed`, `temperature`, and `max_length` (64 by default).
        announce: Told of compilations.
        """
        self._config = config

        def go_on(params: Parameters, heard: Padded, keys: Key):
            return draw_chords(model, params, heard, keys, config)

        label = lambda params, heard, keys: f"draws after {heard.values.shape[1]} steps"
        self._go_on = Compiled(go_on, announce, label)

    def joined(self, prompt: str, answer: Answer) -> str:
        """Returns a piece and its continuation as one."""
        return joined(prompt, answer)

    def __call__(self, params: Parameters, prompts: Sequence[str]) -> list[list[Answer]]:
        """Returns `n_best` continuations of each piece (which may be empty), the likeliest first.

        A piece's draws depend on the seed, its number and theirs, and on nothing else.

        Raises:
          InputError: If a line is no piece.
        """
        rows = [before_and(piece) for piece in pieces_of(prompts)]
        size = height(len(rows), self._config.batch_size, width=1)
        answers = []
        for start in range(0, len(rows), size):
            part = rows[start : start + size]
            heard = padded(part, size, pad_id=0)
            heard = heard._replace(lengths=np.maximum(heard.lengths, 1))
            keys = row_keys(self._config.seed, range(start, start + len(part)), size)
            chords, log_probs = jax.device_get(self._go_on(params, heard, keys))
            answers += [
                ranked(zip(map(from_roll, chords[row]), log_probs[row].tolist(), strict=True))
                for row in range(len(part))
            ]
        return answers


def before_and(piece: Piece) -> np.ndarray:
    """Returns `[1 + time, keys]`: nothing, which is heard before the first chord, and a piece."""
    return np.concatenate([np.zeros((1, KEYS), np.float32), to_roll(piece)])


def draw_chords(
    model: ChordModel, params: Parameters, heard: Padded, keys: Key, config: DecodeConfig
) -> tuple[Float[Array, "batch width time keys"], Float[Array, "batch width"]]:
    """Returns what sounds after what was heard, and how likely that is to the model, in nats.

    Args:
      model: What was trained.
      params: Its weights.
      heard: What was heard, no row of which is empty; see `before_and`.
      keys: Of the draws, one a row.
      config: `n_best` draws a row; logits are divided by `temperature`, which the likelihood does
        not know.
    """
    batch, width = heard.lengths.shape[0], config.n_best
    after: Any = model.apply({"params": params}, heard, model.initial_carry(batch))
    carry, logits = after
    alone = jax.vmap(lambda key: jax.vmap(functools.partial(jax.random.fold_in, key))(_to(width)))
    keys = alone(keys).reshape(-1)
    start = carry, last_valid(logits, heard.lengths)
    start = jax.tree.map(lambda leaf: jnp.repeat(leaf, width, axis=0), start)

    def step(state, number):
        carry, logits = state
        draws = jax.vmap(lambda key, p: jax.random.bernoulli(jax.random.fold_in(key, number), p))
        chord = draws(keys, jax.nn.sigmoid(logits / config.temperature)).astype(jnp.float32)
        log_prob = -jnp.sum(jax.nn.softplus(logits) - chord * logits, axis=-1)
        after: Any = model.apply({"params": params}, carry, chord, method="step")
        return after, (chord, log_prob)

    _, (chords, log_probs) = jax.lax.scan(step, start, _to(config.max_length or MOST))
    chords = jnp.moveaxis(chords, 0, 1)  # time rows keys -> rows time keys
    return (
        chords.reshape(batch, width, *chords.shape[1:]),
        jnp.sum(log_probs, axis=0).reshape(batch, width),
    )


def _to(count: int) -> Int[Array, " count"]:
    return jnp.arange(count)


class ChordDrawer:
    """Continues pieces with counts; what a `Composer` is of a network."""

    def __init__(self, config: DecodeConfig):
        """Args:
        config: How to draw; as in `Composer`.
        """
        self._config = config

    def joined(self, prompt: str, answer: Answer) -> str:
        """Returns a piece and its continuation as one."""
        return joined(prompt, answer)

    def __call__(self, model: ChordCounts, prompts: Sequence[str]) -> list[list[Answer]]:
        """Returns `n_best` continuations of each piece; see `Composer`."""
        return [
            ranked(self._draw(model, piece, [number, copy]) for copy in range(self._config.n_best))
            for number, piece in enumerate(pieces_of(prompts))
        ]

    def _draw(self, model: ChordCounts, piece: Piece, place: list[int]) -> tuple[Piece, float]:
        config = self._config
        generator = np.random.default_rng([config.seed, *place])
        probs = model.probs_after(to_roll(piece[-1:])[0]) if piece else model.first
        chords, log_prob = [], 0.0
        for _ in range(config.max_length or MOST):
            odds = (np.log(probs) - np.log1p(-probs)) / config.temperature
            sounds = generator.random(KEYS) < 1 / (1 + np.exp(-odds))
            log_prob += float(np.log(np.where(sounds, probs, 1 - probs)).sum())
            chords.append(sounds)
            probs = model.probs_after(sounds)
        return from_roll(np.stack(chords)), log_prob


def pieces_of(prompts: Sequence[str]) -> list[Piece]:
    """Returns the pieces that lines hold.

    Raises:
      InputError: If one holds none.
    """
    pieces = []
    for number, prompt in enumerate(prompts, start=1):
        try:
            pieces.append(read_piece(prompt))
        except ValueError as error:
            raise InputError(f"prompt {number}: {error}") from None
    return pieces


def joined(prompt: str, answer: Answer) -> str:
    """Returns a piece and its continuation as one."""
    return " ".join([*prompt.split(), *answer.tokens])


def ranked(drawn: Iterable[tuple[Piece, float]]) -> list[Answer]:
    """Returns continuations with their log-probabilities as answers, the likeliest first."""
    return sorted(
        (
            Answer(written(piece), tuple(written(piece).split()), log_prob, log_prob, False)
            for piece, log_prob in drawn
        ),
        key=lambda answer: -answer.score,
    )

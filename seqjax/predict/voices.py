"""The models that answer together, as one that a search can ask."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from seqjax.build.search import Asked
from seqjax.build.stepping import (
    build_state_score_fn,
    encode,
    seq2seq_step_fn,
)
from seqjax.config import DecodeConfig
from seqjax.data.coding import PairCoder
from seqjax.decode.beam import StateScoreFn
from seqjax.decode.mix import ensemble, fuse
from seqjax.decode.protocol import StepFn
from seqjax.models.seq2seq import Seq2Seq
from seqjax.types import Padded, Parameters


class Member(NamedTuple):
    """One of the models that answer together.

    Attributes:
      model: What was trained.
      coder: What texts are to it.
    """

    model: Seq2Seq
    coder: PairCoder


class Partner(NamedTuple):
    """A language model that is listened to, too.

    Attributes:
      start_fn: `(weights, rows) -> its state` before the first token.
      voice_fn: `(weights) -> step function`; BOS is what it reads before the first token.
      weight: Of its log-probabilities.
      ids: `[vocab]` what each token of the answers is to it.
    """

    start_fn: Callable[[Any, int], Any]
    voice_fn: Callable[[Any], StepFn]
    weight: float
    ids: np.ndarray


class Weights(NamedTuple):
    """The weights of all models that answer together."""

    members: tuple[Parameters, ...]
    partner: Any = ()


class Voices:
    """One or more encoder-decoders, and perhaps a language model.

    Attributes:
      state_score_fn: `(asked) -> StateScoreFn` if coverage counts in this search, else None.
    """

    def __init__(
        self,
        members: Sequence[Member],
        config: DecodeConfig,
        partner: Partner | None,
        *,
        most_source: int,
    ):
        """Args:
        members: Their target vocabularies are the same.
        config: How to search.
        partner: Listened to if given.
        most_source: Positions that the longest source has room for.
        """
        self._members, self._partner, self._config = tuple(members), partner, config
        self._most_source = most_source
        self.state_score_fn: Callable[[Asked], StateScoreFn] | None = None
        if config.method == "beam" and config.coverage_penalty > 0:
            self.state_score_fn = self._state_score_fn

    def start(self, weights: Weights, sources: tuple[Padded, ...]) -> tuple[Any, tuple[Any, ...]]:
        """Returns the state before the first step, and what is looked back at."""
        parts = zip(self._members, weights.members, sources, strict=True)
        covering = self.state_score_fn is not None
        encoded = [
            encode(member.model, params, source, covering=covering)
            for member, params, source in parts
        ]
        state: Any = tuple(state for state, _ in encoded)
        if self._partner is not None:
            rows = sources[0].lengths.shape[0]
            state = state, self._partner.start_fn(weights.partner, rows)
        return state, tuple(memory for _, memory in encoded)

    def step_fn(self, weights: Weights, asked: Asked) -> StepFn:
        """Returns all of them as one step function."""
        parts = zip(self._members, weights.members, asked.memory, strict=True)
        step_fns = [
            seq2seq_step_fn(member.model, params, memory, most_source=self._most_source)
            for member, params, memory in parts
        ]
        step_fn = ensemble(step_fns, mean=self._config.ensemble)
        if self._partner is None:
            return step_fn
        language = self._partner.voice_fn(weights.partner)
        return fuse(step_fn, language, self._partner.weight, jnp.asarray(self._partner.ids))

    def _state_score_fn(self, asked: Asked) -> StateScoreFn:
        score_fn = build_state_score_fn(self._config, asked.memory)
        return score_fn if self._partner is None else lambda state: score_fn(state[0])

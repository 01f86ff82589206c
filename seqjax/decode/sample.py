"""Hypotheses that never compete: the most likely token each time, or draws."""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from seqjax.decode.distribution import Next
from seqjax.decode.protocol import Hypotheses, Symbols
from seqjax.decode.search import Chosen, Progress, gather
from seqjax.types import Key


class _Ends(NamedTuple):
    """Hypotheses of one sentence end at different steps."""

    lengths: Int[Array, "batch width"]
    finished: Bool[Array, "batch width"]
    done: Bool[Array, "batch width"]


@dataclass(frozen=True)
class Greedy:
    """The most likely token at each step, until EOS or the limit; ties go to the lower id.

    Where everything is forbidden a sentence ends without a hypothesis.
    """

    competes: ClassVar[bool] = False

    @property
    def width(self) -> int:
        return 1

    def begin(self, batch: int, max_length: int) -> tuple[Float[Array, "batch width"], _Ends]:
        del max_length
        return _begin(batch, self.width)

    def advance(self, progress: Progress, upcoming: Next, symbols: Symbols) -> Chosen:
        tokens = jnp.argmax(upcoming.logits, axis=-1).astype(jnp.int32)
        return _go_on(progress, upcoming, tokens, symbols)

    def finish(self, progress: Progress, symbols: Symbols) -> Hypotheses:
        return _ranked(progress, symbols)


@dataclass(frozen=True)
class Sample:
    """`width` draws for each sentence, the most likely first.

    Temperature, top-k, top-p and the like are processors. The log-probabilities are those of the
    distribution that was drawn from, after the processors.

    Attributes:
      keys: One key per sentence. Draw i uses `fold_in(key, i)`, its position n `fold_in` of n: it
        depends neither on its batch mates nor on how many draws there are.
      width: Draws per sentence.
    """

    keys: Key
    width: int = 1
    competes: ClassVar[bool] = False

    def __post_init__(self):
        if self.width < 1:
            raise ValueError(f"width must be at least 1, got {self.width}")

    def begin(self, batch: int, max_length: int) -> tuple[Float[Array, "batch width"], _Ends]:
        del max_length
        return _begin(batch, self.width)

    def advance(self, progress: Progress, upcoming: Next, symbols: Symbols) -> Chosen:
        def draw(key, number, length, logits):
            key = jax.random.fold_in(jax.random.fold_in(key, number), length)
            return jax.random.categorical(key, logits).astype(jnp.int32)

        of_sentence = jax.vmap(draw, (None, 0, None, 0))
        tokens = jax.vmap(of_sentence, (0, None, 0, 0))(
            self.keys, jnp.arange(self.width), progress.length, upcoming.logits
        )
        return _go_on(progress, upcoming, tokens, symbols)

    def finish(self, progress: Progress, symbols: Symbols) -> Hypotheses:
        return _ranked(progress, symbols)


def _begin(batch: int, width: int) -> tuple[Float[Array, "batch width"], _Ends]:
    nothing = jnp.zeros((batch, width), jnp.int32)
    return jnp.zeros((batch, width)), _Ends(nothing, nothing > 0, nothing > 0)


def _go_on(progress: Progress, upcoming: Next, tokens, symbols: Symbols) -> Chosen:
    ends: _Ends = progress.found
    gained = upcoming.log_prob_of(tokens[..., None])[..., 0]
    log_probs = jnp.where(ends.done, progress.log_probs, progress.log_probs + gained)
    finished = ends.finished | (~ends.done & (tokens == symbols.eos_id))
    done = ends.done | finished | (log_probs == -jnp.inf)
    lengths = jnp.where(ends.done, ends.lengths, progress.length[:, None] + 1)
    return Chosen(
        tokens=jnp.where(ends.done, symbols.pad_id, tokens),
        log_probs=log_probs,
        found=_Ends(lengths, finished, done),
        done=jnp.all(done, axis=1),
    )


def _ranked(progress: Progress, symbols: Symbols) -> Hypotheses:
    """Best first; a hypothesis that died is an empty slot."""
    ends: _Ends = progress.found
    exists = progress.log_probs > -jnp.inf
    found = Hypotheses(
        tokens=jnp.where(exists[..., None], progress.tokens, symbols.pad_id),
        log_probs=progress.log_probs,
        scores=progress.log_probs,
        lengths=jnp.where(exists, ends.lengths, 0),
        finished=ends.finished & exists,
    )
    order = jnp.argsort(-found.scores, axis=1, stable=True)
    return jax.tree.map(lambda leaf: gather(leaf, order), found)

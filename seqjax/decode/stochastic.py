"""Stochastic beam search: whole sequences drawn without replacement."""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from seqjax.decode.distribution import Next, best
from seqjax.decode.protocol import Hypotheses, Symbols
from seqjax.decode.search import Chosen, Progress, gather
from seqjax.types import Key


class _Kept(NamedTuple):
    perturbed: Float[Array, "batch width"]
    lengths: Int[Array, "batch width"]
    finished: Bool[Array, "batch width"]


@dataclass(frozen=True)
class StochasticBeam:
    """`width` different sequences of each sentence, as if drawn one by one without putting back.

    Every sequence has a Gumbel variable around its log-probability, and those with the largest are
    the sample; a beam search finds them from above, for the largest of what begins with a prefix
    is a Gumbel variable around the prefix's log-probability. A hypothesis that ended keeps its
    place in the beam. `scores` are the perturbed log-probabilities, all less the first one's, by
    which answers are ordered: the first is an ordinary draw.

    Attributes:
      keys: One key per sentence.
      width: Sequences per sentence; fewer come back where there are not as many.

    References:
      Kool, van Hoof & Welling, "Stochastic beams and where to find them", 2019, algorithm 1.
    """

    keys: Key
    width: int
    competes: ClassVar[bool] = True

    def __post_init__(self):
        if self.width < 1:
            raise ValueError(f"width must be at least 1, got {self.width}")

    def begin(self, batch: int, max_length: int) -> tuple[Float[Array, "batch width"], _Kept]:
        del max_length
        one = jnp.full((batch, self.width), -jnp.inf).at[:, 0].set(0.0)
        nothing = jnp.zeros((batch, self.width), jnp.int32)
        return one, _Kept(one, nothing, nothing > 0)

    def advance(self, progress: Progress, upcoming: Next, symbols: Symbols) -> Chosen:
        kept: _Kept = progress.found
        log_probs = progress.log_probs[..., None] + upcoming.log_probs()
        draw = lambda key, length: jax.random.gumbel(
            jax.random.fold_in(key, length), log_probs.shape[1:]
        )
        gumbels = log_probs + jax.vmap(draw)(self.keys, progress.length)
        perturbed = _below(gumbels, kept.perturbed)
        # What ended goes on as itself: as padding, at no cost, and nothing else.
        vocab_size = log_probs.shape[-1]
        ended = kept.finished[..., None]
        as_padding = (jnp.arange(vocab_size) == symbols.pad_id)[None, None]
        still = jnp.where(as_padding, kept.perturbed[..., None], -jnp.inf)
        perturbed = jnp.where(ended, still, perturbed)
        log_probs = jnp.where(
            ended, jnp.where(as_padding, progress.log_probs[..., None], -jnp.inf), log_probs
        )
        flat = lambda leaf: leaf.reshape(leaf.shape[0], -1)
        found, index = best(flat(perturbed), self.width)
        parents, tokens = index // vocab_size, (index % vocab_size).astype(jnp.int32)
        before = gather(kept.finished, parents)
        lengths = jnp.where(before, gather(kept.lengths, parents), progress.length[:, None] + 1)
        finished = before | (tokens == symbols.eos_id)
        new = _Kept(found, lengths, finished & (found > -jnp.inf))
        return Chosen(
            tokens=tokens,
            log_probs=gather(flat(log_probs), index),
            found=new,
            done=jnp.all(new.finished | (found == -jnp.inf), axis=1),
            parents=parents,
        )

    def finish(self, progress: Progress, symbols: Symbols) -> Hypotheses:
        kept: _Kept = progress.found
        exists = (kept.perturbed > -jnp.inf) & (progress.log_probs > -jnp.inf)
        lengths = jnp.where(exists, kept.lengths, 0)
        written = jnp.arange(progress.tokens.shape[-1])[None, None] < lengths[..., None]
        return Hypotheses(
            tokens=jnp.where(written, progress.tokens, symbols.pad_id),
            log_probs=jnp.where(exists, progress.log_probs, -jnp.inf),
            scores=jnp.where(exists, kept.perturbed, -jnp.inf),
            lengths=lengths,
            finished=kept.finished,
        )


def _below(
    gumbels: Float[Array, "batch width vocab"], top: Float[Array, "batch width"]
) -> Float[Array, "batch width vocab"]:
    """Returns the Gumbel variables under the condition that the largest of each row is `top`.

    `-log(exp(-top) - exp(-largest) + exp(-gumbel))`, in the form that neither overflows nor loses
    digits (Kool et al., 2019, appendix B.3).
    """
    largest = jnp.max(gumbels, axis=-1, keepdims=True)
    alive = (largest > -jnp.inf) & (top[..., None] > -jnp.inf)
    top = jnp.where(alive, top[..., None], 0.0)
    # v = top - gumbel + log(1 - exp(gumbel - largest))
    gap = jnp.where(alive, gumbels - largest, -1.0)
    v = top - gumbels + jnp.log1p(-jnp.exp(jnp.minimum(gap, 0.0)))
    v = jnp.where(gap >= 0.0, -jnp.inf, v)
    inside = top - jnp.maximum(v, 0.0) - jnp.log1p(jnp.exp(-jnp.abs(v)))
    return jnp.where(alive & (gumbels > -jnp.inf), inside, -jnp.inf)

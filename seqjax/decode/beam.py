"""Beam search, in one group or in several that differ."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from seqjax.decode.candidates import Candidates, Live, extended, shared_out
from seqjax.decode.distribution import Next, best
from seqjax.decode.logits.diversity import hamming_diversity
from seqjax.decode.pool import Pool, empty_pool, merged, ranked
from seqjax.decode.protocol import AnyState, Hypotheses, Symbols
from seqjax.decode.required import Required
from seqjax.decode.scoring import ScoreFn, by_log_prob
from seqjax.decode.search import Chosen, Progress, gather
from seqjax.masking import where_rows

StopRule = Literal["exact", "current_length", "first_full", "patience"]

StateScoreFn = Callable[[AnyState], Float[Array, "batch width"]]
"""What is added to the score of a hypothesis, from its state `[batch, width, ...]`; at most 0."""


class _Group(NamedTuple):
    pool: Pool
    added: Float[Array, "batch width"]
    """What `state_score_fn` adds to each live hypothesis."""
    ended: Int[Array, " batch"]
    """How many have ended, those included that the pool let fall."""
    done: Bool[Array, " batch"]
    length: Int[Array, " batch"]
    """Of the live hypotheses, at which the group was done."""


@dataclass(frozen=True)
class Beam:
    """Beam search: the `width` most likely hypotheses are extended, side by side.

    At each step the 2 * width best extensions of the live hypotheses are looked at. Those that end
    with EOS and are among the best `width` go to a pool of the finished ones, ranked by `score_fn`;
    the best `width` of those that do not end live on. (Were EOS taken from lower ranks too, a beam
    of 1 would not be greedy decoding.) Ties go to the better parent, then to the lower id.

    Unfinished hypotheses fill slots that no finished one takes. A live hypothesis all of whose
    extensions are forbidden dies; if all die, the sentence ends.

    Attributes:
      width: Live hypotheses per sentence; may exceed the vocabulary.
      n_best: Hypotheses returned, at most `width`.
      score_fn: What finished hypotheses are ranked by; see `scoring`.
      stop: When a sentence is done. `exact`: when no live hypothesis can still beat the worst of
        its n_best finished ones, whatever comes, which is never too early. `current_length`: when
        none would beat it if it ended now without cost (`early_stopping=False` of Hugging Face
        transformers). `first_full`: when `width` have finished (their `True`, and fairseq's rule).
        `patience`: when `patience * width` have finished (Kasai et al., 2022).
      patience: See `stop`; nothing else reads it.
      groups: Divides the beam into groups of `width / groups` that choose one after another, each
        finding tokens less attractive that earlier groups chose at the same step. The best of every
        group are returned first. Without `diversity` all groups find the same.
      diversity: What is taken from a token's log-probability, in ranking only, for each time that
        it was chosen by an earlier group at this step (Hamming diversity).
      state_score_fn: If given, adds to the score of a hypothesis what its state says of it.
      stepwise: Let `state_score_fn` decide about what lives on, too, not only at the end.
      required: If given, phrases to share the beam out for; `require` is the processor that has
        them said.
      cut: Where hypotheses stand that were cut at the limit: after all finished ones, or among them
        by their score, as in Hugging Face transformers.

    Raises:
      ValueError: If sizes do not fit together.

    References:
      Graves, "Sequence transduction with recurrent neural networks", 2012; Vijayakumar et al.,
      "Diverse beam search", 2018, equation (4), where diversity changes no log-probability either;
      Kasai et al., "A call for clarity in beam search", 2022.
    """

    width: int
    n_best: int = 1
    score_fn: ScoreFn = by_log_prob
    stop: StopRule = "exact"
    patience: float = 1.0
    groups: int = 1
    diversity: float = 0.0
    state_score_fn: StateScoreFn | None = None
    stepwise: bool = False
    required: Required | None = None
    cut: Literal["last", "ranked"] = "last"
    competes: ClassVar[bool] = True

    def __post_init__(self):
        if not 1 <= self.n_best <= self.width:
            raise ValueError(f"n_best must be in [1, width={self.width}], got {self.n_best}")
        if self.groups < 1 or self.width % self.groups:
            raise ValueError(f"groups must divide width={self.width}, got {self.groups}")
        if self.patience <= 0:
            raise ValueError(f"patience must be positive, got {self.patience}")
        if self.diversity < 0:
            raise ValueError(f"diversity must be at least 0, got {self.diversity}")

    @property
    def _group_size(self) -> int:
        return self.width // self.groups

    @property
    def _wanted(self) -> int:
        """Finished hypotheses of a group that its sentence waits for."""
        size = self._group_size
        return max(1, math.ceil(self.patience * size)) if self.stop == "patience" else size

    def begin(
        self, batch: int, max_length: int
    ) -> tuple[Float[Array, "batch width"], tuple[_Group, ...]]:
        """One live hypothesis per group, with nothing said yet, and room for the others."""
        size = self._group_size
        zeros = jnp.zeros((batch,), jnp.int32)
        group = _Group(
            empty_pool(batch, size, max_length), jnp.zeros((batch, size)), zeros, zeros > 0, zeros
        )
        first = jnp.full((batch, size), -jnp.inf).at[:, 0].set(0.0)
        return jnp.tile(first, (1, self.groups)), (group,) * self.groups

    def advance(self, progress: Progress, upcoming: Next, symbols: Symbols) -> Chosen:
        """Each group chooses, one after the other."""
        size, vocab_size = self._group_size, upcoming.logits.shape[-1]
        added = jnp.zeros_like(progress.log_probs)
        if self.state_score_fn is not None:
            added = self.state_score_fn(upcoming.state)
        counts = jnp.zeros((progress.done.shape[0], vocab_size), jnp.int32)
        rows = jnp.arange(counts.shape[0])[:, None]
        groups, parts = [], []
        for number, group in enumerate(progress.found):
            mine = slice(number * size, (number + 1) * size)
            taken = None if number == 0 or not self.diversity else counts
            upcoming_here = Next(upcoming.logits[:, mine], upcoming.log_total[:, mine], ())
            live = Live(progress.tokens[:, mine], progress.log_probs[:, mine])
            kept, new = self._advance(
                group, live, upcoming_here, added[:, mine], taken, progress, symbols
            )
            chose = (kept.log_probs > -jnp.inf) & ~group.done[:, None]
            counts = counts.at[rows, kept.tokens].add(chose.astype(jnp.int32))
            groups.append(new)
            parts.append(kept._replace(parents=kept.parents + number * size))
        kept = jax.tree.map(lambda *leaves: jnp.concatenate(leaves, axis=1), *parts)
        done = jnp.all(jnp.stack([group.done for group in groups]), axis=0)
        return Chosen(kept.tokens, kept.log_probs, tuple(groups), done, kept.parents)

    def finish(self, progress: Progress, symbols: Symbols) -> Hypotheses:
        """Finished hypotheses first, then what was cut, then empty slots; by groups in turn."""
        size = self._group_size
        found = []
        for number, group in enumerate(progress.found):
            mine = slice(number * size, (number + 1) * size)
            live = Live(progress.tokens[:, mine], progress.log_probs[:, mine])
            found.append(self._ranked(group, live, progress, symbols))
        # batch group slot ... -> the best of all groups, then their second, ...
        each = jax.tree.map(lambda *leaves: jnp.stack(leaves, axis=2), *found)
        order = jnp.argsort(-each.scores, axis=2, stable=True)
        turn = lambda leaf: jnp.take_along_axis(
            leaf, order.reshape(order.shape + (1,) * (leaf.ndim - 3)), axis=2
        )
        flat = lambda leaf: leaf.reshape(leaf.shape[0], -1, *leaf.shape[3:])
        each = jax.tree.map(lambda leaf: flat(turn(leaf)), each)
        order = jnp.argsort(~each.finished & (self.cut == "last"), axis=1, stable=True)
        return jax.tree.map(lambda leaf: gather(leaf, order[:, : self.n_best]), each)

    def _advance(
        self, group: _Group, live: Live, upcoming, added, counts, progress: Progress, symbols
    ) -> tuple[Candidates, _Group]:
        size = self._group_size
        length = progress.length + 1
        candidates = self._candidates(live, upcoming, added, counts, progress)
        ends = candidates.tokens == symbols.eos_id
        accepted = ends & (jnp.arange(ends.shape[1])[None] < size)
        pool = merged(group.pool, self._arrivals(candidates, accepted, live, added, length))
        kept = self._kept(candidates, ends)
        new = _Group(
            pool=pool,
            added=gather(added, kept.parents),
            ended=group.ended + jnp.sum(accepted & (candidates.log_probs > -jnp.inf), axis=1),
            done=jnp.all(kept.log_probs == -jnp.inf, axis=1),
            length=length,
        )
        new = new._replace(done=new.done | self._stops(new, kept, progress))
        if self.groups > 1:  # a group may be done before its sentence is
            new = jax.tree.map(lambda a, b: where_rows(group.done, a, b), group, new)
            itself = jnp.broadcast_to(jnp.arange(size)[None], kept.parents.shape)
            kept = kept._replace(
                log_probs=where_rows(group.done, live.log_probs, kept.log_probs),
                parents=where_rows(group.done, itself, kept.parents),
            )
        return kept, new

    def _candidates(self, live: Live, upcoming: Next, added, counts, progress) -> Candidates:
        """Returns the 2 * size best extensions."""
        size = self._group_size
        if counts is not None:
            rows = upcoming.logits.reshape(-1, upcoming.logits.shape[-1])
            ranking = hamming_diversity(rows, counts, self.diversity)
            ranking = upcoming._replace(logits=ranking.reshape(upcoming.logits.shape))
            ranks, tokens = ranking.best(2 * size)
            log_probs = upcoming.log_prob_of(tokens)
        else:
            ranks, tokens = upcoming.best(2 * size)
            log_probs = ranks
        log_probs += live.log_probs[..., None]
        ranks += live.log_probs[..., None]
        if self.stepwise:
            ranks += added[..., None]
        each = tokens.shape[-1]
        flat = lambda leaf: leaf.reshape(leaf.shape[0], -1)
        ranks, index = best(flat(ranks), min(2 * size, size * each))
        candidates = Candidates(
            ranks, gather(flat(log_probs), index), index // each, gather(flat(tokens), index)
        )
        if self.required is None:
            return candidates
        bonus = added if self.stepwise else jnp.zeros_like(added)
        return shared_out(self.required, candidates, live, upcoming, bonus, progress.length)

    def _kept(self, candidates: Candidates, ends) -> Candidates:
        """Returns the best extensions that did not end."""
        size = self._group_size
        _, index = best(jnp.where(ends, -jnp.inf, candidates.ranks), size)
        kept = jax.tree.map(lambda leaf: gather(leaf, index), candidates)
        dead = gather(ends, index)
        return kept._replace(log_probs=jnp.where(dead, -jnp.inf, kept.log_probs))

    def _arrivals(self, candidates: Candidates, accepted, live: Live, added, length) -> Pool:
        """Returns the extensions that ended, as what they are worth."""
        lengths = jnp.broadcast_to(length[:, None], accepted.shape)
        log_probs = jnp.where(accepted, candidates.log_probs, -jnp.inf)
        scores = self.score_fn(log_probs, lengths) + gather(added, candidates.parents)
        scores = jnp.where(log_probs > -jnp.inf, scores, -jnp.inf)
        return Pool(scores, log_probs, lengths, extended(live, candidates, length - 1))

    def _stops(self, group: _Group, kept: Candidates, progress: Progress) -> Bool[Array, " batch"]:
        match self.stop:
            case "first_full" | "patience":
                return group.ended >= self._wanted
            case "exact" | "current_length":
                worst = group.pool.scores[:, min(self.n_best, self._group_size) - 1]
                return worst >= self._possible(kept, progress)

    def _possible(self, kept: Candidates, progress: Progress) -> Float[Array, " batch"]:
        """Returns the best score that a live hypothesis can still come to.

        Its log-probability can only fall, so nothing is better than to keep it until it ends.
        """
        log_prob = jnp.max(kept.log_probs, axis=1)
        length = progress.length + 1
        if self.stop == "current_length":
            return self.score_fn(log_prob[:, None], length[:, None])[:, 0]
        ends = jnp.arange(1, progress.tokens.shape[-1] + 1)
        shape = (log_prob.shape[0], ends.shape[0])
        scores = self.score_fn(
            jnp.broadcast_to(log_prob[:, None], shape), jnp.broadcast_to(ends[None], shape)
        )
        open_ends = (ends[None] > length[:, None]) & (ends[None] <= progress.limit[:, None])
        return jnp.max(jnp.where(open_ends, scores, -jnp.inf), axis=1)

    def _ranked(
        self, group: _Group, live: Live, progress: Progress, symbols: Symbols
    ) -> Hypotheses:
        exists = live.log_probs > -jnp.inf
        lengths = jnp.broadcast_to(group.length[:, None], exists.shape)
        scores = self.score_fn(live.log_probs, lengths) + group.added
        cut = Pool(jnp.where(exists, scores, -jnp.inf), live.log_probs, lengths, live.tokens)
        at_limit = group.length >= progress.limit
        competes = at_limit if self.cut == "ranked" else jnp.zeros_like(at_limit)
        return ranked(group.pool, cut, competes, symbols.pad_id)

"""Beam search over any `StepFn`, as one compiled loop."""

from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from seqjax.decode.logits import chain, normalised
from seqjax.decode.protocol import AnyState, Hypotheses, LogitsProcessor, StepFn
from seqjax.decode.scoring import LengthPenalty, average, best_possible


class _Pool(NamedTuple):
    """The best finished hypotheses of each sentence, best first; an empty slot scores -inf."""

    scores: Float[Array, "batch beam"]
    log_probs: Float[Array, "batch beam"]
    lengths: Int[Array, "batch beam"]
    tokens: Int[Array, "batch beam max_length"]


class _Live(NamedTuple):
    """The hypotheses being extended, best first; one that is none has log-probability -inf."""

    log_probs: Float[Array, "batch beam"]
    tokens: Int[Array, "batch beam max_length"]


class _Search(NamedTuple):
    length: Int[Array, ""]  # tokens that every live hypothesis holds
    live: _Live
    state: AnyState
    pool: _Pool
    done: Bool[Array, " batch"]
    ended: Int[Array, " batch"]  # the length at which a sentence was done


def beam_search(
    step_fn: StepFn,
    state: AnyState,
    *,
    beam_size: int,
    n_best: int,
    max_length: int,
    bos_id: int,
    eos_id: int,
    pad_id: int,
    limits: Int[Array, " batch"] | None = None,
    processor: LogitsProcessor = chain(),
    length_penalty: LengthPenalty = average(0.0),
    stop: Literal["exact", "first_full"] = "exact",
) -> Hypotheses:
    """Returns the `n_best` highest-scoring hypotheses of each sentence that the beam finds.

    At each step the 2 * beam_size best extensions of the live hypotheses are looked at. Those that
    end with EOS and are among the best beam_size go to a pool of the beam_size best finished ones,
    ranked by `log_prob / length_penalty(length)`; the best beam_size of those that do not end live
    on. (Were EOS taken from lower ranks too, a beam of 1 would not be greedy decoding.) Ties go to
    the better parent, then to the lower id. What a sentence gets does not depend on the others: one
    that is done is frozen until all are.

    Unfinished hypotheses, cut at the limit, only fill slots that no finished one takes. A live
    hypothesis all of whose extensions are forbidden (or NaN) dies; if all die, the sentence ends.

    Args:
      step_fn: The model.
      state: Its state before the first step, one row per sentence.
      beam_size: Live hypotheses per sentence; may exceed the vocabulary.
      n_best: Hypotheses returned, at most `beam_size`.
      max_length: Tokens, EOS counted, that the result has room for.
      bos_id, eos_id, pad_id: Ids.
      limits: Most tokens, EOS counted, of each sentence; `max_length` where not given.
      processor: Changes the logits before they are normalised.
      length_penalty: See `scoring`.
      stop: `exact` ends a sentence when no live hypothesis can still beat the worst of its n_best
        finished ones, which is never too early; `first_full` when `beam_size` have finished.

    Raises:
      ValueError: If `n_best > beam_size` or one of them is below 1.
    """
    if not 1 <= n_best <= beam_size:
        raise ValueError(f"n_best must be in [1, beam_size={beam_size}], got {n_best}")
    batch = jax.tree.leaves(state)[0].shape[0]
    most = jnp.full((batch,), max_length, jnp.int32)
    limits = most if limits is None else jnp.minimum(limits, most)

    def step(search: _Search) -> _Search:
        log_probs, model_state = _extend(search, step_fn, processor, bos_id)
        parents, tokens, totals = _best_extensions(search.live.log_probs, log_probs)
        histories = _gather(search.live.tokens, parents)
        histories = histories.at[:, :, search.length].set(tokens)
        length = search.length + 1
        ends = tokens == eos_id
        accepted = ends & (jnp.arange(ends.shape[1])[None] < beam_size)
        pool = _pooled(search.pool, accepted, totals, histories, length, length_penalty)
        live, chosen = _survivors(ends, totals, histories, beam_size)
        rows = jnp.arange(batch)[:, None] * beam_size + _gather(parents, chosen)
        done = search.done | (length >= limits) | jnp.all(live.log_probs == -jnp.inf, axis=1)
        match stop:
            case "exact":
                bound = best_possible(
                    live.log_probs[:, 0],
                    jnp.full((batch,), length + 1, jnp.float32),
                    limits.astype(jnp.float32),
                    length_penalty,
                )
                done |= pool.scores[:, n_best - 1] >= bound
            case "first_full":
                done |= pool.scores[:, beam_size - 1] > -jnp.inf
        live, pool = jax.tree.map(
            lambda new, old: _where_sentence(search.done, old, new),
            (live, pool),
            (search.live, search.pool),
        )
        return _Search(
            length=length,
            live=live,
            state=jax.tree.map(lambda leaf: leaf[rows.reshape(-1)], model_state),
            pool=pool,
            done=done,
            ended=jnp.where(search.done, search.ended, length),
        )

    search = jax.lax.while_loop(
        lambda search: (search.length < max_length) & ~jnp.all(search.done),
        step,
        _initial(state, batch, beam_size, max_length, pad_id),
    )
    return _ranked(search, n_best, pad_id, length_penalty)


def _initial(state, batch, beam_size, max_length, pad_id) -> _Search:
    """One live hypothesis per sentence, with nothing said yet, and room for the others."""
    nothing = jnp.full((batch, beam_size), -jnp.inf)
    tokens = jnp.full((batch, beam_size, max_length), pad_id, jnp.int32)
    return _Search(
        length=jnp.zeros((), jnp.int32),
        live=_Live(nothing.at[:, 0].set(0.0), tokens),
        state=jax.tree.map(lambda leaf: jnp.repeat(leaf, beam_size, axis=0), state),
        pool=_Pool(nothing, nothing, jnp.zeros((batch, beam_size), jnp.int32), tokens),
        done=jnp.zeros((batch,), bool),
        ended=jnp.zeros((batch,), jnp.int32),
    )


def _extend(search: _Search, step_fn, processor, bos_id):
    """Returns log-probabilities [batch beam vocab] of every next token, and the model's state."""
    batch, beam_size, max_length = search.live.tokens.shape
    history = search.live.tokens.reshape(batch * beam_size, max_length)
    last = jnp.where(search.length > 0, history[:, search.length - 1], bos_id)
    logits, state = step_fn(last, search.state)
    log_probs = normalised(processor(logits, history, search.length))
    return log_probs.reshape(batch, beam_size, -1), state


def _best_extensions(live_log_probs, log_probs):
    """Returns parent, token and total log-probability of the 2 * beam best, best first."""
    batch, beam_size, vocab_size = log_probs.shape
    totals = (live_log_probs[:, :, None] + log_probs).reshape(batch, beam_size * vocab_size)
    totals, index = jax.lax.top_k(totals, min(2 * beam_size, beam_size * vocab_size))
    return index // vocab_size, index % vocab_size, totals


def _pooled(pool: _Pool, ends, totals, histories, length, length_penalty) -> _Pool:
    """Merges extensions that ended into the pool."""
    penalty = length_penalty(length.astype(jnp.float32))
    scores = jnp.where(ends, totals / penalty, -jnp.inf)
    lengths = jnp.broadcast_to(length, ends.shape)
    arrivals = _Pool(scores, jnp.where(ends, totals, -jnp.inf), lengths, histories)
    both = jax.tree.map(lambda old, new: jnp.concatenate([old, new], axis=1), pool, arrivals)
    _, chosen = jax.lax.top_k(both.scores, pool.scores.shape[1])
    return jax.tree.map(lambda leaf: _gather(leaf, chosen), both)


def _survivors(ends, totals, histories, beam_size):
    """Returns the best extensions that did not end, and which of the candidates they are."""
    log_probs, chosen = jax.lax.top_k(jnp.where(ends, -jnp.inf, totals), beam_size)
    return _Live(log_probs, _gather(histories, chosen)), chosen


def _ranked(search: _Search, n_best, pad_id, length_penalty) -> Hypotheses:
    """Finished hypotheses first, then what was cut, then empty slots."""
    live, pool = search.live, search.pool
    ended = jnp.broadcast_to(search.ended[:, None], live.log_probs.shape)
    cut = _Pool(
        live.log_probs / length_penalty(ended.astype(jnp.float32)),
        live.log_probs,
        ended,
        live.tokens,
    )
    both = jax.tree.map(lambda a, b: jnp.concatenate([a, b], axis=1), pool, cut)
    # Pool and cut are both sorted: slot j is pool[j] while that lasts, cut[j - count] after it.
    beam_size = pool.scores.shape[1]
    count = jnp.sum(pool.scores > -jnp.inf, axis=1, keepdims=True)
    slots = jnp.arange(n_best)[None]
    finished = slots < count
    best = jax.tree.map(
        lambda leaf: _gather(leaf, jnp.where(finished, slots, beam_size + slots - count)), both
    )
    exists = best.log_probs > -jnp.inf
    lengths = jnp.where(exists, best.lengths, 0)
    written = jnp.arange(best.tokens.shape[-1])[None, None] < lengths[:, :, None]
    return Hypotheses(
        tokens=jnp.where(written, best.tokens, pad_id),
        log_probs=best.log_probs,
        scores=jnp.where(exists, best.scores, -jnp.inf),
        lengths=lengths,
        finished=finished & exists,
    )


def _gather(values: Array, index: Int[Array, "batch chosen"]) -> Array:
    """Picks along axis 1 of each sentence."""
    return jnp.take_along_axis(
        values, index.reshape(index.shape + (1,) * (values.ndim - 2)), axis=1
    )


def _where_sentence(condition: Bool[Array, " batch"], true: Array, false: Array) -> Array:
    return jnp.where(condition.reshape((-1,) + (1,) * (true.ndim - 1)), true, false)

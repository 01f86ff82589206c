"""One hypothesis at a time: greedy decoding, sampling, and scoring what is given."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from seqjax.decode.logits import chain, normalised
from seqjax.decode.protocol import AnyState, Hypotheses, LogitsProcessor, StepFn
from seqjax.types import Key


def greedy(
    step_fn: StepFn,
    state: AnyState,
    *,
    max_length: int,
    bos_id: int,
    eos_id: int,
    pad_id: int,
    limits: Int[Array, " batch"] | None = None,
    processor: LogitsProcessor = chain(),
) -> Hypotheses:
    """Returns the most likely token at each step until EOS or the limit; `n_best` is 1.

    Arguments are those of `beam_search`. Ties go to the lower id. A row whose tokens are all
    forbidden ends there without a hypothesis.
    """
    rows = jax.tree.leaves(state)[0].shape[0]
    run = _generate(
        step_fn,
        state,
        lambda log_probs, length: jnp.argmax(log_probs, axis=-1).astype(jnp.int32),
        max_length=max_length,
        limits=_full_limits(limits, rows, max_length),
        bos_id=bos_id,
        eos_id=eos_id,
        pad_id=pad_id,
        processor=processor,
    )
    return _hypotheses(run, rows, pad_id)


def sample(
    step_fn: StepFn,
    state: AnyState,
    keys: Key,
    *,
    num_samples: int = 1,
    max_length: int,
    bos_id: int,
    eos_id: int,
    pad_id: int,
    limits: Int[Array, " batch"] | None = None,
    processor: LogitsProcessor = chain(),
) -> Hypotheses:
    """Returns `num_samples` draws for each sentence, the most likely first.

    Temperature, top-k and top-p are processors. The `log_probs` are those of the distribution that
    was drawn from, after the processors.

    Args:
      step_fn: The model.
      state: Its state before the first step, one row per sentence.
      keys: One key per sentence. Sample i uses `fold_in(key, i)`, its position n `fold_in` of n:
        a draw depends neither on its batch mates nor on how many samples there are.
      num_samples: Draws per sentence.
      max_length, bos_id, eos_id, pad_id, limits, processor: As in `beam_search`.
    """
    rows = jax.tree.leaves(state)[0].shape[0]
    each = jax.vmap(jax.vmap(jax.random.fold_in, (None, 0)), (0, None))
    sample_keys = each(keys, jnp.arange(num_samples)).reshape(-1)

    def choose(log_probs, length):
        here = jax.vmap(jax.random.fold_in, (0, None))(sample_keys, length)
        return jax.vmap(jax.random.categorical)(here, log_probs).astype(jnp.int32)

    run = _generate(
        step_fn,
        jax.tree.map(lambda leaf: jnp.repeat(leaf, num_samples, axis=0), state),
        choose,
        max_length=max_length,
        limits=jnp.repeat(_full_limits(limits, rows, max_length), num_samples),
        bos_id=bos_id,
        eos_id=eos_id,
        pad_id=pad_id,
        processor=processor,
    )
    return _hypotheses(run, rows, pad_id)


def force(
    step_fn: StepFn,
    state: AnyState,
    tokens: Int[Array, "rows time"],
    lengths: Int[Array, " rows"],
    *,
    bos_id: int,
    processor: LogitsProcessor = chain(),
) -> Float[Array, "rows time"]:
    """Returns the log-probability of every given token after those before it; 0 at padding.

    Args:
      step_fn: The model.
      state: Its state before the first step, one row per row of `tokens`.
      tokens: What is to be scored, EOS included where it is meant.
      lengths: Valid tokens of each row.
      bos_id: Read before the first token.
      processor: As in the search whose scores are to be recomputed.
    """
    rows, time = tokens.shape

    def step(state, position):
        last = jnp.where(position > 0, tokens[:, position - 1], bos_id)
        logits, state = step_fn(last, state)
        log_probs = normalised(processor(logits, tokens, position))
        return state, jnp.take_along_axis(log_probs, tokens[:, position][:, None], axis=1)[:, 0]

    _, scored = jax.lax.scan(step, state, jnp.arange(time))
    return jnp.where(jnp.arange(time)[None] < lengths[:, None], scored.T, 0.0)


class _Run(NamedTuple):
    length: Int[Array, ""]
    tokens: Int[Array, "rows max_length"]
    log_probs: Float[Array, " rows"]
    lengths: Int[Array, " rows"]
    finished: Bool[Array, " rows"]
    done: Bool[Array, " rows"]
    state: AnyState


def _generate(
    step_fn: StepFn,
    state: AnyState,
    choose: Callable[[Float[Array, "rows vocab"], Int[Array, ""]], Int[Array, " rows"]],
    *,
    max_length: int,
    limits: Int[Array, " rows"],
    bos_id: int,
    eos_id: int,
    pad_id: int,
    processor: LogitsProcessor,
) -> _Run:
    rows = limits.shape[0]

    def step(run: _Run) -> _Run:
        last = jnp.where(run.length > 0, run.tokens[:, run.length - 1], bos_id)
        logits, state = step_fn(last, run.state)
        log_probs = normalised(processor(logits, run.tokens, run.length))
        chosen = jnp.where(run.done, pad_id, choose(log_probs, run.length))
        gained = jnp.take_along_axis(log_probs, chosen[:, None], axis=1)[:, 0]
        total = jnp.where(run.done, run.log_probs, run.log_probs + gained)
        length = run.length + 1
        finished = run.finished | (~run.done & (chosen == eos_id))
        return _Run(
            length=length,
            tokens=run.tokens.at[:, run.length].set(chosen),
            log_probs=total,
            lengths=jnp.where(run.done, run.lengths, length),
            finished=finished,
            done=run.done | finished | (length >= limits) | (total == -jnp.inf),
            state=state,
        )

    return jax.lax.while_loop(
        lambda run: (run.length < max_length) & ~jnp.all(run.done),
        step,
        _Run(
            length=jnp.zeros((), jnp.int32),
            tokens=jnp.full((rows, max_length), pad_id, jnp.int32),
            log_probs=jnp.zeros((rows,)),
            lengths=jnp.zeros((rows,), jnp.int32),
            finished=jnp.zeros((rows,), bool),
            done=jnp.zeros((rows,), bool),
            state=state,
        ),
    )


def _full_limits(limits, rows: int, max_length: int) -> Int[Array, " rows"]:
    most = jnp.full((rows,), max_length, jnp.int32)
    return most if limits is None else jnp.minimum(limits, most)


def _hypotheses(run: _Run, batch: int, pad_id: int) -> Hypotheses:
    """Rows become samples of their sentence, best first; a row that died is an empty slot."""
    exists = run.log_probs > -jnp.inf
    found = Hypotheses(
        tokens=jnp.where(exists[:, None], run.tokens, pad_id),
        log_probs=run.log_probs,
        scores=run.log_probs,
        lengths=jnp.where(exists, run.lengths, 0),
        finished=run.finished & exists,
    )
    found = jax.tree.map(lambda leaf: leaf.reshape(batch, -1, *leaf.shape[1:]), found)
    order = jnp.argsort(-found.scores, axis=1, stable=True)
    return jax.tree.map(
        lambda leaf: jnp.take_along_axis(
            leaf, order.reshape(order.shape + (1,) * (leaf.ndim - 2)), axis=1
        ),
        found,
    )

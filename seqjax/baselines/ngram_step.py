"""An n-gram model as a compiled step: what a search listens to beside a network."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from seqjax.baselines.ngram import NGramModel


class StepOrder(NamedTuple):
    """The n-grams of one order, those of one context next to each other.

    Behind them stands one that is never found, so that there is always something to gather from.

    Attributes:
      starts: `[contexts + 2]` where those of each context start.
      tokens: `[ngrams]` the last token of each, ascending within a context.
      gains: `[ngrams]`, and `backoffs` `[contexts]`, as in `Order`.
    """

    starts: Int[Array, " bounds"]
    tokens: Int[Array, " ngrams"]
    gains: Float[Array, " ngrams"]
    backoffs: Float[Array, " contexts"]


def step_tables(model: NGramModel) -> tuple[StepOrder, ...]:
    """Returns a model as float32 and int32 arrays, the shortest n-grams first."""
    base, tables = model.vocab_size + 1, []
    for keys, gains, backoffs in model.orders:
        starts = np.searchsorted(keys, np.arange(len(backoffs) + 1) * base)
        tables.append(
            StepOrder(
                jnp.asarray(np.append(starts, len(keys)), jnp.int32),
                jnp.asarray(np.append(keys % base, base), jnp.int32),
                jnp.asarray(np.append(gains, 0.0), jnp.float32),
                jnp.asarray(np.append(backoffs, 1.0), jnp.float32),
            )
        )
    return tuple(tables)


def initial_state(tables: tuple[StepOrder, ...], rows: int) -> Int[Array, "rows orders"]:
    """Returns the state before a sequence, whose first token is BOS."""
    return jnp.full((rows, len(tables)), -1, jnp.int32).at[:, 0].set(0)


def ngram_step(
    tables: tuple[StepOrder, ...],
    bos_id: int,
    tokens: Int[Array, " rows"],
    state: Int[Array, "rows orders"],
) -> tuple[Float[Array, "rows vocab"], Int[Array, "rows orders"]]:
    """Returns the log-probabilities in nats of what follows, and the state; a `StepFn` if bound.

    Bind the first two with `functools.partial`; inside a compiled function, let the tables be an
    argument of it, for they are too large for constants.

    Args:
      tables: Of `step_tables`.
      bos_id: Becomes the boundary at which sequences start.
      tokens: Ids emitted last, BOS at the first step.
      state: `[rows, orders]` where the contexts of 0, 1, ... tokens stand, or -1.
    """
    boundary = len(tables[0].tokens) - 2
    tokens = jnp.where(tokens == bos_id, boundary, tokens.astype(jnp.int32))
    longer = [jnp.zeros_like(tokens)]
    for depth, table in enumerate(tables[:-1]):
        longer.append(_find(table, state[:, depth, None], tokens[:, None])[:, 0])
    ids = jnp.arange(boundary, dtype=jnp.int32)[None]
    probs = jnp.full((len(tokens), boundary), 1 / boundary, jnp.float32)
    for table, context in zip(tables, longer, strict=True):
        found = _find(table, context[:, None], ids)
        known = (context >= 0)[:, None]
        backoffs = table.backoffs[jnp.maximum(context, 0)][:, None]
        gains = jnp.where(found >= 0, table.gains[jnp.maximum(found, 0)], 0.0)
        probs = jnp.where(known, backoffs * probs + gains, probs)
    return jnp.log(probs), jnp.stack(longer, axis=1)


def _find(
    table: StepOrder, context: Int[Array, "rows 1"], tokens: Int[Array, "#rows ids"]
) -> Int[Array, "rows ids"]:
    """Returns where the n-grams `context token` stand, or -1: a binary search in each context."""
    known = jnp.maximum(context, 0)
    shape = jnp.broadcast_shapes(context.shape, tokens.shape)
    end = table.starts[known + 1]

    def halve(_, bounds):
        low, high = bounds
        middle = (low + high) // 2
        less = table.tokens[middle] < tokens
        return (
            jnp.where((low < high) & less, middle + 1, low),
            jnp.where((low < high) & ~less, middle, high),
        )

    bounds = jnp.broadcast_to(table.starts[known], shape), jnp.broadcast_to(end, shape)
    low, _ = jax.lax.fori_loop(0, len(table.tokens).bit_length(), halve, bounds)
    hit = (context >= 0) & (low < end) & (table.tokens[low] == tokens)
    return jnp.where(hit, low, -1)

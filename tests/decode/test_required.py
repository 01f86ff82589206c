"""How far a hypothesis has come with its phrases, against a loop."""

import jax
import jax.numpy as jnp
import numpy as np
from oracles import search as oracle

from seqjax.decode.required import Required, fulfilment, next_tokens

PHRASES = ((1, 2), (2, 2, 1), (0,), (1, 1, 1, 1))


def test_phrases_are_looked_for_in_what_was_said_and_nowhere_else():
    """What stands beyond the length is as random as what was said, and so are padded phrases."""
    rng = np.random.default_rng(2)
    batch, width, room = 40, 3, 6
    tokens = rng.integers(0, 3, (batch, width, room))
    lengths = rng.integers(0, room + 1, batch)
    values = rng.integers(0, 3, (batch, len(PHRASES), 4))
    for place, phrase in enumerate(PHRASES):
        values[:, place, : len(phrase)] = phrase
    sizes = np.broadcast_to([len(phrase) for phrase in PHRASES], (batch, len(PHRASES)))
    required = Required(jnp.asarray(values, jnp.int32), jnp.asarray(sizes, jnp.int32))
    state = jax.jit(fulfilment)(
        required, jnp.asarray(tokens, jnp.int32), jnp.asarray(lengths, jnp.int32)
    )
    missing, level = state.missing(required), state.level(required)
    upcoming = next_tokens(required, state)
    for row in range(batch):
        for one in range(width):
            said = tuple(tokens[row, one, : lengths[row]].tolist())
            met, begun = oracle.fulfilled(said, PHRASES)
            assert state.met[row, one].tolist() == met
            assert state.begun[row, one].tolist() == begun
            wanted = [-1 if m else p[n] for p, m, n in zip(PHRASES, met, begun, strict=True)]
            assert upcoming[row, one].tolist() == wanted
            assert int(level[row, one]) == oracle.level(said, PHRASES)
            left = sum(len(p) for p, m in zip(PHRASES, met, strict=True) if not m)
            assert int(missing[row, one]) == left

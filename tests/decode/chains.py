"""The toy model of the search tests as a `StepFn`: its state is the token before the last."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from seqjax import decode

VOCAB, EOS, BOS, PAD = 4, 0, 1, 0
IDS = {"bos_id": BOS, "eos_id": EOS, "pad_id": PAD}


def step_fn_of(tables):
    """`tables` `[batch, vocab, vocab, vocab]`: a chain of its own for every sentence."""

    def step_fn(tokens, state):
        batch = tables.shape[0]
        sentence = jnp.arange(tokens.shape[0]) // (tokens.shape[0] // batch)
        return tables[sentence, state, tokens], tokens

    return step_fn


def start(batch):
    return jnp.full((batch,), BOS, jnp.int32)


@functools.partial(jax.jit, static_argnames=("beam_size", "n_best", "max_length", "options"))
def beam(tables, limits=None, *, beam_size, n_best, max_length, options=()):
    """`options` are `(name, value)` pairs of `beam_search`, hashable."""
    return decode.beam_search(
        step_fn_of(tables),
        start(tables.shape[0]),
        beam_size=beam_size,
        n_best=n_best,
        max_length=max_length,
        limits=limits,
        **IDS,
        **dict(options),
    )


def tables_of(chains):
    return jnp.asarray(np.stack([chain.table for chain in chains]))


def answers(hypotheses, row):
    """A sentence's hypotheses as `(tokens, log_prob, score, finished)`, without empty slots."""
    found = []
    for slot in range(hypotheses.tokens.shape[1]):
        length = int(hypotheses.lengths[row, slot])
        if hypotheses.log_probs[row, slot] > -np.inf:
            found.append(
                (
                    tuple(np.asarray(hypotheses.tokens[row, slot, :length]).tolist()),
                    float(hypotheses.log_probs[row, slot]),
                    float(hypotheses.scores[row, slot]),
                    bool(hypotheses.finished[row, slot]),
                )
            )
    return found

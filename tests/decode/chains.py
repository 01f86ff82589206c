"""The toy model of the search tests as a `StepFn`: its state is the token before the last."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from seqjax import decode

VOCAB, EOS, BOS, PAD = 4, 0, 1, 0
SYMBOLS = decode.Symbols(bos_id=BOS, eos_id=EOS, pad_id=PAD)


NOTHING = decode.chain()


def step_fn_of(tables):
    """`tables` `[batch, vocab, vocab, vocab]`: a chain of its own for every sentence."""

    def step_fn(tokens, state):
        batch = tables.shape[0]
        sentence = jnp.arange(tokens.shape[0]) // (tokens.shape[0] // batch)
        return tables[sentence, state, tokens], tokens

    return step_fn


def start(batch):
    return jnp.full((batch,), BOS, jnp.int32)


@functools.partial(jax.jit, static_argnames=("way", "max_length", "processor"))
def found_by(way, tables, limits=None, *, max_length, processor=NOTHING):
    """What a way of searching finds for the chains."""
    return decode.search(
        step_fn_of(tables),
        start(tables.shape[0]),
        way,
        symbols=SYMBOLS,
        max_length=max_length,
        limits=limits,
        processor=processor,
    )


def tables_of(chains):
    return jnp.asarray(np.stack([chain.table for chain in chains]))


def answers(hypotheses, row):
    """A sentence's hypotheses as `(tokens, log_prob, score, finished)`, without empty slots."""
    hypotheses, found = jax.device_get(hypotheses), []
    for slot in range(hypotheses.tokens.shape[1]):
        length = int(hypotheses.lengths[row, slot])
        if hypotheses.log_probs[row, slot] > -np.inf:
            found.append(
                (
                    tuple(hypotheses.tokens[row, slot, :length].tolist()),
                    float(hypotheses.log_probs[row, slot]),
                    float(hypotheses.scores[row, slot]),
                    bool(hypotheses.finished[row, slot]),
                )
            )
    return found

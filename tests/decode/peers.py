"""The cases in which we are compared with Hugging Face transformers: ours, and how to make theirs.

Its ids and lengths count the token that a search starts from; ours do not. So it is given that
token before every history, and what it says of that very token is not looked at.
"""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from oracles import search as oracle

from seqjax import decode

VOCAB, START, ROWS, ROOM, EOS = 9, 8, 12, 6, 0
RNG = np.random.default_rng(5)
SOURCE = RNG.integers(0, START, (ROWS, 4))
BIASES = {(2,): 1.5, (0, 1): -2.0, (1, 2, 0): 0.7, (3, 3): 0.25}
BAD_WORDS = [[4], [0, 1], [1, 2, 3]]
SOURCED = (jnp.asarray(SOURCE, jnp.int32), jnp.full((ROWS,), 4))


def histories(length):
    """Logits with forbidden tokens and ties, and `length` tokens of each row."""
    rng = np.random.default_rng(100 + length)
    logits = np.round(rng.normal(size=(ROWS, VOCAB)) * 2, 2).astype(np.float32)
    logits[:, 5][rng.random(ROWS) < 0.3] = -np.inf
    logits[:, START] = -50.0
    return logits, rng.integers(0, 4, (ROWS, length))


class Case(NamedTuple):
    """Our processor; its name in transformers and what that is made with."""

    ours: decode.LogitsProcessor
    name: str
    arguments: tuple = ()
    settings: dict = {}


CASES = {
    "repetition": Case(decode.repetition_penalty(1.3), "RepetitionPenalty", (1.3,)),
    "encouragement": Case(decode.repetition_penalty(0.6), "RepetitionPenalty", (0.6,)),
    "encoder repetition": Case(
        decode.encoder_repetition_penalty(1.4, *SOURCED), "EncoderRepetitionPenalty", (1.4, SOURCE)
    ),
    **{f"{n}-grams": Case(decode.no_repeat_ngram(n), "NoRepeatNGram", (n,)) for n in (1, 2, 3)},
    **{
        f"encoder {n}-grams": Case(
            decode.encoder_no_repeat_ngram(n, *SOURCED), "EncoderNoRepeatNGram", (n, SOURCE)
        )
        for n in (2, 3)
    },
    "min length": Case(decode.min_length(3, eos_id=EOS), "MinLength", (4, EOS)),
    "min new tokens": Case(decode.min_length(2, eos_id=EOS), "MinNewTokensLength", (1, 2, EOS)),
    "forced first": Case(decode.force_first(3), "ForcedBOSToken", (3,)),
    "forced last": Case(
        decode.force_last(EOS, limits=jnp.full((ROWS,), 4)), "ForcedEOSToken", (5, EOS)
    ),
    "decay": Case(
        decode.decay_length(2, 1.4, eos_id=EOS), "ExponentialDecayLengthPenalty", ((2, 1.4), EOS, 1)
    ),
    "suppress": Case(decode.forbid((1, 3)), "SuppressTokens", ([1, 3],)),
    "suppress at begin": Case(decode.forbid_at_start((1, 3)), "SuppressTokensAtBegin", ([1, 3], 1)),
    "bad words": Case(decode.forbid_phrases(BAD_WORDS), "NoBadWords", (BAD_WORDS, 7)),
    "bias": Case(decode.sequence_bias(BIASES), "SequenceBias", (BIASES,)),
    "temperature": Case(decode.temperature(0.7), "TemperatureLogitsWarper", (0.7,)),
    "top-k": Case(decode.top_k(3), "TopKLogitsWarper", (3,)),
    "top-p": Case(decode.top_p(0.77), "TopPLogitsWarper", (0.77,)),
    "min-p": Case(decode.min_p(0.21), "MinPLogitsWarper", (0.21,)),
    "typical": Case(decode.typical_p(0.63), "TypicalLogitsWarper", (0.63,)),
    "epsilon": Case(decode.epsilon_cutoff(0.11), "EpsilonLogitsWarper", (0.11,)),
    "eta": Case(decode.eta_cutoff(0.3), "EtaLogitsWarper", (0.3,)),
}


def theirs(case, logits, history):
    """What transformers makes of the logits, as NumPy."""
    import torch
    import transformers

    kind = getattr(transformers, case.name, None) or getattr(
        transformers, f"{case.name}LogitsProcessor"
    )
    arguments = [
        torch.tensor(one) if isinstance(one, np.ndarray) else one for one in case.arguments
    ]
    start = np.full((ROWS, 1), START)
    ids = torch.tensor(np.concatenate([start, history], axis=1))
    return kind(*arguments)(ids, torch.tensor(logits)).numpy()


def ours(case, logits, history):
    """What we make of them."""
    length = history.shape[1]
    room = np.pad(history, ((0, 0), (0, ROOM - length)), constant_values=1)
    found = case.ours(jnp.asarray(logits), jnp.asarray(room, jnp.int32), jnp.full((ROWS,), length))
    return np.asarray(found)


# Whole beam searches, over a chain that never says the token it starts from.

CHAINS, BEAM, LENGTH = 8, 3, 6
SEARCHES = {
    f"{stop} {alpha}": (stop, alpha, {})
    for stop in ("exact", "current_length", "first_full")
    for alpha in (0.0, 1.0, -0.7, 2.0)
} | {
    "penalised": ("exact", 1.0, {"repetition_penalty": 1.4, "no_repeat_ngram_size": 2}),
    "renormalised": (
        "exact",
        1.0,
        {"repetition_penalty": 1.4, "no_repeat_ngram_size": 2, "renormalize_logits": True},
    ),
}
EARLY_STOPPING = {"exact": "never", "current_length": False, "first_full": True}


def tables():
    found = [oracle.Chain(40 + seed, VOCAB, eos_bias=1.0).table for seed in range(CHAINS)]
    found = np.stack(found)
    found[..., START] = -np.inf
    return found

"""Search by looking at everything, in NumPy float64."""

import itertools

import numpy as np


class Chain:
    """A second-order chain: logits depend on the last token and the one before it.

    A search that loses or misplaces the model's state loses the token before the last.
    """

    def __init__(self, seed, vocab, eos_bias=0.0, scale=2.0):
        rng = np.random.default_rng(seed)
        self.table = (scale * rng.normal(size=(vocab, vocab, vocab))).astype(np.float32)
        self.vocab = vocab
        self.table[:, :, 0] += np.float32(eos_bias)

    def logits(self, tokens, bos):
        """Raw logits after `tokens`, a tuple."""
        padded = (bos, bos, *tokens)
        return np.float64(self.table[padded[-2], padded[-1]])


def log_softmax(logits):
    top = np.max(logits)
    if not np.isfinite(top):
        return np.full_like(logits, -np.inf)
    return logits - top - np.log(np.sum(np.exp(logits - top)))


def score_all(chain, max_length, *, bos, eos, process=lambda logits, tokens: logits):
    """Returns (finished, unfinished): {tokens: log-probability} of every possible answer."""
    finished, alive = {}, {(): 0.0}
    for _ in range(max_length):
        extended = {}
        for tokens, total in alive.items():
            log_probs = log_softmax(process(chain.logits(tokens, bos).copy(), tokens))
            for token in range(chain.vocab):
                value = total + log_probs[token]
                if value == -np.inf:
                    continue
                where = finished if token == eos else extended
                where[(*tokens, token)] = value
        alive = extended
    return finished, alive


def n_best(chain, n, max_length, penalty, **settings):
    """Returns the n best `(score, tokens, log_prob, finished)`: finished ones first."""
    finished, alive = score_all(chain, max_length, **settings)
    ranked = [
        sorted(
            ((value / penalty(len(tokens)), tokens, value, flag) for tokens, value in part.items()),
            key=lambda item: -item[0],
        )
        for part, flag in ((finished, True), (alive, False))
    ]
    return (ranked[0] + ranked[1])[:n]


def ngrams(tokens, size):
    return [tuple(tokens[i : i + size]) for i in range(len(tokens) - size + 1)]


def every_history(vocab, length):
    return itertools.product(range(vocab), repeat=length)

"""Search by looking at everything, in NumPy float64."""

import itertools
import math

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


def beam_search(
    chain,
    size,
    n,
    max_length,
    *,
    score,
    stop,
    bos,
    eos,
    patience=1.0,
    groups=1,
    diversity=0.0,
    phrases=(),
    process=lambda logits, tokens: logits,
):
    """Beam search as its documentation has it, one hypothesis at a time.

    Returns the n best `(score, tokens, log_prob, finished)`.
    """
    width = size // groups
    live = [[((), 0.0)] for _ in range(groups)]
    pools, ended, lengths = [[] for _ in range(groups)], [0] * groups, [0] * groups
    done = [False] * groups
    for length in range(1, max_length + 1):
        chosen = []
        for group in range(groups):
            if done[group]:
                continue
            candidates = []
            for place, (tokens, total) in enumerate(live[group]):
                log_probs = log_softmax(process(chain.logits(tokens, bos).copy(), tokens))
                for token, value in enumerate(log_probs):
                    if value > -np.inf:
                        rank = total + value - diversity * chosen.count(token)
                        candidates.append((-rank, place, token, tokens, total + value))
            candidates.sort(key=lambda item: item[:3])
            best = candidates[: 2 * width]
            if phrases:
                best = share_out(candidates, best, phrases)
            for place, (_, _, token, tokens, total) in enumerate(best):
                if token == eos and place < width:
                    ended[group] += 1
                    said = (*tokens, token)
                    pools[group].append((score(total, length), said, total, True))
            pools[group] = sorted(pools[group], key=lambda item: -item[0])[:width]
            live[group] = [((*c[3], c[2]), c[4]) for c in best if c[2] != eos][:width]
            lengths[group] = length
            chosen += [tokens[-1] for tokens, _ in live[group]]
            possible = max(
                (
                    score(total, end)
                    for _, total in live[group]
                    for end in (
                        [length] if stop == "current_length" else range(length + 1, max_length + 1)
                    )
                ),
                default=-np.inf,
            )
            full = len(pools[group]) >= min(n, width)
            done[group] = (
                not live[group]
                or {
                    "exact": full and pools[group][min(n, width) - 1][0] >= possible,
                    "current_length": full and pools[group][min(n, width) - 1][0] >= possible,
                    "first_full": ended[group] >= width,
                    "patience": ended[group] >= max(1, math.ceil(patience * width)),
                }[stop]
            )
        if all(done):
            break
    ranked = []
    for group in range(groups):
        cut = [(score(v, lengths[group]), t, v, False) for t, v in live[group]]
        cut.sort(key=lambda item: -item[0])
        ranked.append((pools[group] + cut)[:width])
    rounds = [[r[place] for r in ranked if place < len(r)] for place in range(width)]
    found = [one for a_round in rounds for one in sorted(a_round, key=lambda i: -i[0])]
    return sorted(found, key=lambda one: not one[3])[:n]


def fulfilled(tokens, phrases):
    """Returns (which phrases are there, with how many tokens of each other one it ends)."""
    met, begun = [], []
    for phrase in phrases:
        met.append(phrase in ngrams(tokens, len(phrase)))
        sizes = [n for n in range(1, len(phrase)) if n <= len(tokens)]
        begun.append(max((n for n in sizes if tokens[-n:] == phrase[:n]), default=0))
    return met, [0 if there else n for there, n in zip(met, begun, strict=True)]


def level(tokens, phrases):
    met, begun = fulfilled(tokens, phrases)
    return sum(len(p) for p, there in zip(phrases, met, strict=True) if there) + max(begun)


def share_out(candidates, best, phrases):
    """The best of every level first, then the second best, ...; see `Beam`."""
    wanted = set()
    for _, place, _, tokens, _ in candidates:
        met, begun = fulfilled(tokens, phrases)
        for phrase, there, n in zip(phrases, met, begun, strict=True):
            if not there:
                wanted.add((place, phrase[n]))
    more = [c for c in candidates if c in best or (c[1], c[2]) in wanted]
    levels, turns = {}, []
    for place, c in enumerate(more):
        at = level((*c[3], c[2]), phrases)
        levels[at] = levels.get(at, 0) + 1
        turns.append((levels[at], -at, place, c))
    return [turn[3] for turn in sorted(turns, key=lambda turn: turn[:3])]


def require(logits, tokens, phrases, eos, limit):
    """Forbids EOS until all phrases are there, and all else when there is just room for them."""
    met, begun = fulfilled(tokens, phrases)
    missing = sum(len(p) for p, there in zip(phrases, met, strict=True) if not there)
    if not missing:
        return logits
    logits = logits.copy()
    if limit - len(tokens) - 1 > missing:
        logits[eos] = -np.inf
        return logits
    allowed = {
        phrase[n]
        for phrase, there, n in zip(phrases, met, begun, strict=True)
        if not there and n == max(begun)
    }
    return np.array([v if t in allowed else -np.inf for t, v in enumerate(logits)])

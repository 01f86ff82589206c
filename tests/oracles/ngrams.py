"""Modified Kneser-Ney from the equations of Chen and Goodman (1998), in dictionaries."""

from collections import Counter

BOUNDARY = "boundary"


def adjusted_counts(sequences, order):
    """Returns, for each length up to `order`, the adjusted count of each n-gram."""
    raw = [Counter() for _ in range(order + 1)]
    for sequence in sequences:
        tokens = (BOUNDARY, *(int(token) for token in sequence))
        for length in range(1, order + 1):
            for start in range(len(tokens) - length + 1):
                raw[length][tokens[start : start + length]] += 1
    counts = {}
    for length in range(1, order + 1):
        counts[length] = {}
        for ngram, often in raw[length].items():
            if ngram == (BOUNDARY,):
                continue
            if length < order and ngram[0] != BOUNDARY:
                often = sum(1 for longer in raw[length + 1] if longer[1:] == ngram)
            counts[length][ngram] = often
    return counts


def discounts(counts):
    """Returns D_1, D_2 and D_3+ of the adjusted counts of one length."""
    t = [sum(1 for often in counts.values() if often == j) for j in range(5)]
    if t[1] == 0 or t[2] == 0 or t[3] == 0:
        return 0.5, 1.0, 1.5
    share = t[1] / (t[1] + 2 * t[2])
    found = (
        1 - 2 * share * t[2] / t[1],
        2 - 3 * share * t[3] / t[2],
        3 - 4 * share * t[4] / t[3],
    )
    if min(found) < 0 or found[0] > 1 or found[1] > 2 or found[2] > 3:
        return 0.5, 1.0, 1.5
    return found


def probability(token, context, counts, vocab_size):
    """Returns `p(token | context)`; the context is a tuple shorter than the order."""
    length = len(context) + 1
    lower = probability(token, context[1:], counts, vocab_size) if context else 1 / vocab_size
    after = {ngram: often for ngram, often in counts[length].items() if ngram[:-1] == context}
    if not after:
        return lower
    taken = discounts(counts[length])
    total = sum(after.values())
    weight = sum(taken[min(often, 3) - 1] for often in after.values()) / total
    own = after.get((*context, token), 0)
    gain = (own - taken[min(own, 3) - 1]) / total if own else 0.0
    return gain + weight * lower

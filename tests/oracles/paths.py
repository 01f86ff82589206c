"""Sums over paths by looking at every path, in NumPy float64."""

import itertools

import numpy as np


def log_softmax(logits):
    logits = np.asarray(logits, np.float64)
    top = np.max(logits, axis=-1, keepdims=True)
    return logits - top - np.log(np.sum(np.exp(logits - top), axis=-1, keepdims=True))


def collapsed(path, blank):
    """What a path says: repetitions joined, blanks taken out."""
    said = [token for token, _ in itertools.groupby(path)]
    return tuple(token for token in said if token != blank)


def every_labelling(log_probs, blank):
    """Returns {labels: log-probability} of `log_probs` `[time, vocab]`."""
    time, vocab = log_probs.shape
    total = {}
    for path in itertools.product(range(vocab), repeat=time):
        value = sum(log_probs[step, token] for step, token in enumerate(path))
        labels = collapsed(path, blank)
        total[labels] = np.logaddexp(total.get(labels, -np.inf), value)
    return {labels: value for labels, value in total.items() if value > -np.inf}


def label_posteriors(log_probs, labels, blank):
    """Returns how probable each token is at each step among the paths that say `labels`."""
    time, vocab = log_probs.shape
    weights = np.zeros((time, vocab))
    for path in itertools.product(range(vocab), repeat=time):
        if collapsed(path, blank) == tuple(labels):
            steps = np.arange(time)
            weights[steps, path] += np.exp(np.sum(log_probs[steps, path]))
    return weights / weights.sum(axis=1, keepdims=True)


def best_alignment(log_probs, labels, blank):
    """Returns (log-probability, path) of the likeliest path that says `labels`."""
    time, vocab = log_probs.shape
    paths = (
        path
        for path in itertools.product(range(vocab), repeat=time)
        if collapsed(path, blank) == tuple(labels)
    )
    steps = np.arange(time)
    return max((float(np.sum(log_probs[steps, path])), path) for path in paths)


def long_posteriors(log_probs, labels, blank):
    """Returns (log-probability of the labels, posteriors) by Graves's recursion, state by state."""
    spread = [blank]
    for label in labels:
        spread += [label, blank]
    spread = np.array(spread)
    time, states = len(log_probs), len(spread)
    skips = np.zeros(states, bool)
    skips[2:] = (spread[2:] != blank) & (spread[2:] != spread[:-2])
    before = np.full((time, states), -np.inf)
    before[0, :2] = log_probs[0, spread[:2]]
    after = np.full((time, states), -np.inf)
    after[-1, -2:] = 0.0
    for step in range(1, time):
        last, new = before[step - 1], before[step - 1].copy()
        new[1:] = np.logaddexp(new[1:], last[:-1])
        new[2:] = np.logaddexp(new[2:], np.where(skips[2:], last[:-2], -np.inf))
        before[step] = new + log_probs[step, spread]
    for step in reversed(range(time - 1)):
        coming = after[step + 1] + log_probs[step + 1, spread]
        new = coming.copy()
        new[:-1] = np.logaddexp(new[:-1], coming[1:])
        new[:-2] = np.logaddexp(new[:-2], np.where(skips[2:], coming[2:], -np.inf))
        after[step] = new
    total = np.logaddexp(before[-1, -1], before[-1, -2])
    posteriors = np.zeros_like(log_probs)
    shares = np.exp(before + after - total)
    for state, token in enumerate(spread):
        posteriors[:, token] += shares[:, state]
    return total, posteriors


def every_tagging(emissions, start, end, between):
    """Returns {tags: score} of `emissions` `[time, tags]`; of no steps, the empty sequence."""
    time, size = emissions.shape
    found = {}
    for tags in itertools.product(range(size), repeat=time):
        value = sum(emissions[step, tag] for step, tag in enumerate(tags))
        value += sum(between[one, other] for one, other in itertools.pairwise(tags))
        found[tags] = value + (start[tags[0]] + end[tags[-1]] if tags else 0.0)
    return found


def tag_expectations(taggings, time, size):
    """Returns (log of the sum, probabilities of tags, expected counts of transitions)."""
    total = np.logaddexp.reduce(list(taggings.values()))
    tags, pairs = np.zeros((time, size)), np.zeros((size, size))
    for sequence, value in taggings.items():
        prob = np.exp(value - total)
        for step, tag in enumerate(sequence):
            tags[step, tag] += prob
        for one, other in itertools.pairwise(sequence):
            pairs[one, other] += prob
    return total, tags, pairs

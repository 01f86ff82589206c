"""Logits processors written as loops over one row, in NumPy float64.

Each takes the logits of a row and the tokens that it holds, a tuple.
"""

import math

import numpy as np

from oracles.search import log_softmax


def repetition_penalty(logits, tokens, penalty, exempt=(), meaning="logits", window=None):
    values = logits.copy() if meaning == "logits" else log_softmax(logits)
    recent = tokens if window is None else tokens[max(len(tokens) - window, 0) :]
    for token in set(recent) - set(exempt):
        values[token] = values[token] / penalty if values[token] > 0 else values[token] * penalty
    return log_softmax(values) if meaning == "normalized" else values


def encoder_repetition_penalty(logits, tokens, penalty, source, exempt=(), meaning="logits"):
    return repetition_penalty(logits, source, 1 / penalty, exempt, meaning)


def presence_penalty(logits, tokens, value, exempt=(), window=None):
    logits = logits.copy()
    recent = tokens if window is None else tokens[max(len(tokens) - window, 0) :]
    for token in set(recent) - set(exempt):
        logits[token] -= value
    return logits


def frequency_penalty(logits, tokens, value, exempt=(), window=None):
    logits = logits.copy()
    recent = tokens if window is None else tokens[max(len(tokens) - window, 0) :]
    for token in recent:
        if token not in exempt:
            logits[token] -= value
    return logits


def _forbid_completing(logits, tokens, size, grams, exempt):
    logits = logits.copy()
    if len(tokens) < size - 1:
        return logits
    for token in range(len(logits)):
        gram = (*tokens[len(tokens) - size + 1 :], token) if size > 1 else (token,)
        if gram in grams and not set(gram) & set(exempt):
            logits[token] = -np.inf
    return logits


def no_repeat_ngram(logits, tokens, size, exempt=(), window=None):
    recent = tokens if window is None else tokens[max(len(tokens) - window, 0) :]
    grams = {tuple(recent[i : i + size]) for i in range(len(recent) - size + 1)}
    return _forbid_completing(logits, tokens, size, grams, exempt)


def encoder_no_repeat_ngram(logits, tokens, size, source, exempt=()):
    grams = {tuple(source[i : i + size]) for i in range(len(source) - size + 1)}
    return _forbid_completing(logits, tokens, size, grams, exempt)


def min_length(logits, tokens, minimum, eos):
    logits = logits.copy()
    if len(tokens) < minimum:
        logits[eos] = -np.inf
    return logits


def decay_length(logits, tokens, start, factor, eos):
    logits = logits.copy()
    if len(tokens) > start:
        logits[eos] += abs(logits[eos]) * (factor ** (len(tokens) - start) - 1)
    return logits


def only(logits, token):
    alone = np.full_like(logits, -np.inf)
    alone[token] = 0.0
    return alone


def force_first(logits, tokens, token):
    return only(logits, token) if not tokens else logits


def force_last(logits, tokens, token, limit):
    return only(logits, token) if len(tokens) == limit - 1 else logits


def force_prefix(logits, tokens, prefix):
    return only(logits, prefix[len(tokens)]) if len(tokens) < len(prefix) else logits


def sequence_bias(logits, tokens, biases):
    logits = logits.copy()
    for phrase, bias in biases.items():
        before = phrase[:-1]
        if not before or tuple(tokens[len(tokens) - len(before) :]) == before:
            logits[phrase[-1]] += bias
    return logits


def forbid_phrases(logits, tokens, phrases):
    return sequence_bias(logits, tokens, dict.fromkeys(phrases, -np.inf))


def forbid_at_start(logits, tokens, ids):
    return logits if tokens else sequence_bias(logits, tokens, {(one,): -np.inf for one in ids})


def top_k(logits, tokens, size):
    threshold = sorted(logits)[-size] if size <= len(logits) else -np.inf
    return np.where(logits >= threshold, logits, -np.inf)


def _first_of_mass(logits, order, mass):
    probs = np.exp(log_softmax(logits))
    kept, total = set(), 0.0
    for token in order:
        kept.add(token)
        total += probs[token]
        if total >= mass:
            break
    return np.array([v if t in kept else -np.inf for t, v in enumerate(logits)])


def top_p(logits, tokens, mass):
    order = sorted(range(len(logits)), key=lambda token: (-logits[token], token))
    return _first_of_mass(logits, order, mass)


def entropy(logits):
    log_probs = log_softmax(logits)
    return -sum(math.exp(value) * value for value in log_probs if value > -np.inf)


def typical_p(logits, tokens, mass):
    distance = np.abs(-log_softmax(logits) - entropy(logits))
    order = sorted(range(len(logits)), key=lambda token: (distance[token], token))
    kept = _first_of_mass(logits, order, mass) > -np.inf
    last = max(distance[kept])
    return np.where(distance <= last, logits, -np.inf)  # what ties with the last one stays


def _at_least(logits, probability):
    probs = np.exp(log_softmax(logits))
    kept = (probs >= probability) | (logits == max(logits))
    return np.where(kept, logits, -np.inf)


def min_p(logits, tokens, share):
    return _at_least(logits, share * max(np.exp(log_softmax(logits))))


def epsilon_cutoff(logits, tokens, epsilon):
    return _at_least(logits, epsilon)


def eta_cutoff(logits, tokens, epsilon):
    return _at_least(logits, min(epsilon, math.sqrt(epsilon) * math.exp(-entropy(logits))))

"""Update rules as loops over one array in float64, written from the papers' equations.

Each takes the weights, a list of gradients (or a function of the weights) and the learning rate of
each step, and returns the weights after the last. `decay` is that of the weights, where they decay.
"""

import math

import numpy as np


def adam(weights, gradients, rates, *, b1=0.9, b2=0.999, eps=1e-8, decay=0.0):
    """Kingma and Ba (2015), algorithm 1; with decay Loshchilov and Hutter (2019), algorithm 2:
    `rate` times `decay` is the share of a weight that goes."""
    m = v = np.zeros_like(weights)
    for t, (g, rate) in enumerate(zip(gradients, rates, strict=True), start=1):
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g**2
        m_hat, v_hat = m / (1 - b1**t), v / (1 - b2**t)
        weights = weights - rate * (m_hat / (np.sqrt(v_hat) + eps) + decay * weights)
    return weights


def sgd(weights, gradients, rates, *, momentum=0.0, nesterov=False, decay=0.0):
    """Sutskever et al. (2013), with the velocity in units of gradients and Nesterov's look ahead
    written for the weights where the gradient is taken."""
    velocity = np.zeros_like(weights)
    for g, rate in zip(gradients, rates, strict=True):
        g = g + decay * weights
        velocity = momentum * velocity + g
        weights = weights - rate * (g + momentum * velocity if nesterov else velocity)
    return weights


def lion(weights, gradients, rates, *, b1=0.9, b2=0.99, decay=0.0):
    """Chen et al. (2023), algorithm 2."""
    m = np.zeros_like(weights)
    for g, rate in zip(gradients, rates, strict=True):
        c = b1 * m + (1 - b1) * g
        weights = weights - rate * (np.sign(c) + decay * weights)
        m = b2 * m + (1 - b2) * g
    return weights


def adafactor(weights, gradients, rates, *, eps1=1e-30, eps2=1e-3, decay=0.0, smallest=128):
    """Shazeer and Stern (2018), algorithms 4 and 5 with b2 = 1 - t^-0.8 and d = 1; a matrix is
    factored if both of its sides are at least `smallest`."""
    root = lambda x: math.sqrt(np.mean(x**2))
    rows = columns = whole = 0.0
    for t, (g, rate) in enumerate(zip(gradients, rates, strict=True), start=1):
        b2 = 1 - t**-0.8
        square = g**2 + eps1
        if weights.ndim == 2 and min(weights.shape) >= smallest:
            rows = b2 * rows + (1 - b2) * square.sum(axis=1)
            columns = b2 * columns + (1 - b2) * square.sum(axis=0)
            v = np.outer(rows, columns) / np.sum(rows)
        else:
            v = whole = b2 * whole + (1 - b2) * square
        u = g / np.sqrt(v)
        u = u / max(1.0, root(u) / 1.0)
        weights = weights - rate * (max(eps2, root(weights)) * u + decay * weights)
    return weights


def muon(weights, gradients, rates, *, momentum=0.95, decay=0.0, rms=0.2):
    """Jordan (2024): Nesterov momentum (here a mean, freed of its start at 0), then five quintic
    Newton-Schulz iterations; the length of a step as Liu et al. (2025), section 2.2."""
    a, b, c = 3.4445, -4.7750, 2.0315
    m = np.zeros_like(weights)
    for t, (g, rate) in enumerate(zip(gradients, rates, strict=True), start=1):
        m = momentum * m + (1 - momentum) * g
        x = momentum * m / (1 - momentum ** (t + 1)) + (1 - momentum) * g / (1 - momentum**t)
        x = x / np.linalg.norm(x)
        for _ in range(5):
            square = x @ x.T
            x = a * x + (b * square + c * square @ square) @ x
        step = rms * math.sqrt(max(weights.shape)) * x
        weights = weights - rate * (step + decay * weights)
    return weights


def clipped(gradients, norm):
    """Pascanu et al. (2013), algorithm 1, of a dict of arrays as one long vector."""
    length = math.sqrt(sum(np.sum(g**2) for g in gradients.values()))
    return {name: g * min(1.0, norm / length) for name, g in gradients.items()}

"""Shapes of batches: the best choice by trying them all, and what no choice can better."""

import itertools

import numpy as np


def work(lengths, shapes):
    """Returns the positions of all examples `[examples, 2]`, each in the cheapest shape it fits."""
    return sum(
        min(source + target for source, target in shapes if source >= s and target >= t)
        for s, t in lengths.tolist()
    )


def least_work(lengths, size):
    """Returns the least work of any `size` shapes, by trying all of them."""
    sides = [sorted(set(lengths[:, axis].tolist())) for axis in range(2)]
    corner = tuple(side[-1] for side in sides)
    found = []
    for shapes in itertools.combinations(itertools.product(*sides), size):
        if corner in shapes or all(
            any(s <= source and t <= target for source, target in shapes)
            for s, t in lengths.tolist()
        ):
            found.append(work(lengths, shapes))
    return min(found)


def bound(lengths, size, best, rounds=400):
    """Returns work that no `size` shapes can better, by Lagrange relaxation of the choice.

    With a price `paid[i]` for leaving out that each kind of example i has a home, shape j is worth
    `sum_i min(count_i cost_j - paid[i], 0)` over what it holds; the `size` best of them and all
    `paid` together are a bound, whatever is paid. Subgradients raise it.

    Args:
      lengths: `[examples, 2]`.
      size: Shapes.
      best: Work that is known to be reached.
      rounds: Steps of the subgradient.
    """
    kinds, counts = np.unique(lengths, axis=0, return_counts=True)
    rooms = np.array(list(itertools.product(*(np.unique(side) for side in kinds.T))))
    holds = (kinds[:, None] <= rooms[None]).all(axis=-1)
    held = holds.any(axis=0)
    rooms, holds = rooms[held], holds[:, held]
    costs = np.where(holds, counts[:, None] * rooms.sum(axis=1)[None], np.inf)
    paid, found, scale = 1.1 * counts * kinds.sum(axis=1).astype(float), 0.0, 1.0
    for number in range(rounds):
        gains = np.minimum(costs - paid[:, None], 0.0)
        worth = gains.sum(axis=0)
        chosen = np.argpartition(worth, size - 1)[:size]
        value = float(paid.sum() + worth[chosen].sum())
        found = max(found, value)
        slope = 1.0 - (gains[:, chosen] < 0).sum(axis=1)
        if not slope.any():
            break
        scale = scale if number % 20 else scale * 0.8
        paid = paid + scale * (best - value) / (slope @ slope) * slope
    return found

"""The records that travel through the whole project, and the names of its array types."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Shaped

Key = jax.Array
"""A typed PRNG key, as `jax.random.key` makes it."""

Parameters = dict[str, Any]
"""A nested dict of weights, as linen keeps them under `params`."""

AnyArray = Array | np.ndarray
"""What the host side hands over (NumPy) and what a compiled function sees (JAX). In a record that
both sides use, a field is annotated `Any` with its shape."""


ComputeDtype = np.dtype | None
"""What the operands of matrix products are rounded to while a model learns; None for nothing. Sums,
and all else that is computed or kept, are not rounded."""


class Padded(NamedTuple):
    """Right-padded sequences of unequal length: token ids, or vectors for every time step.

    Attributes:
      values: `[batch, time]` ids or `[batch, time, features]` numbers. What stands at padding is
        never read.
      lengths: `[batch]` valid steps of each row, EOS included where there is one; 0 is allowed.
    """

    values: Shaped[Any, "batch time *features"]
    lengths: Int[Any, " batch"]


class Batch(NamedTuple):
    """One training or evaluation batch of any task.

    Attributes:
      inputs: What the model reads.
      targets: What it is to say, step by step (`Padded`), or once per row (an array of labels).
        Rows that only fill up a batch have length 0 and weigh nothing.
    """

    inputs: Padded
    targets: Padded | Shaped[Any, "batch *labels"]


class Transitions(NamedTuple):
    """Something of every way that tags can follow each other: scores, or whether it is allowed.

    Attributes:
      start: `[tags]` of a tag that begins a sequence.
      end: `[tags]` of a tag that ends one.
      between: `[tags, tags]` of a tag (second axis) after another one (first axis).
    """

    start: Shaped[Any, " tags"]
    end: Shaped[Any, " tags"]
    between: Shaped[Any, "tags tags"]


class Part(NamedTuple):
    """Which rows of every batch one of several processes builds: block `index` of `count`.

    >>> Part(1, 4).rows(8)
    slice(2, 4, None)
    """

    index: int
    count: int

    def rows(self, height: int) -> slice:
        """Returns this part's rows of a batch of `height`, which lie one after the other.

        Raises:
          ValueError: If the rows cannot be dealt evenly.
        """
        if height % self.count:
            raise ValueError(f"rows must be a multiple of {self.count} parts, got {height}")
        share = height // self.count
        return slice(self.index * share, (self.index + 1) * share)


WHOLE = Part(0, 1)
"""All rows: there is one process."""


class Mean(NamedTuple):
    """A mean that has not been divided yet, so that adding the parts of a whole stays exact.

    >>> parts = [Mean(6.0, 3.0), Mean(2.0, 1.0)]
    >>> sum_means(parts).value()
    2.0
    """

    total: Float[Any, ""] | float
    weight: Float[Any, ""] | float

    def value(self):
        """Returns `total / weight`, and 0 where nothing was weighed."""
        if isinstance(self.weight, jax.Array):
            return jnp.where(self.weight > 0, self.total / jnp.maximum(self.weight, 1e-30), 0.0)
        return self.total / self.weight if self.weight > 0 else 0.0


def sum_means(means) -> Mean:
    """Adds numerators and denominators of several `Mean`s, on the host and in double precision, as
    tokens may be more than float32 can count; of none, it is `Mean(0, 0)`."""
    total = weight = 0.0
    for mean in means:
        total, weight = total + float(mean.total), weight + float(mean.weight)
    return Mean(total, weight)

"""Zoneout: a cell some units of whose state stay as they were."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from seqjax.cells.cell import RecurrentCell
from seqjax.cells.noise import noisy


class Zoneout(RecurrentCell):
    """A cell some units of whose state stay as they were, others at every step.

    While learning, a unit keeps its old value with the given probability; otherwise the new state
    is the mean that this has, `rate * old + (1 - rate) * new`. The output is the hidden state that
    results.

    Attributes:
      cell: A cell whose carry is a NamedTuple with the output in its field `hidden`.
      hidden_rate: In [0, 1), for the field `hidden`.
      rate: In [0, 1), for all other fields (an LSTM's cell state).

    References:
      Krueger et al., "Zoneout: regularizing RNNs by randomly preserving hidden activations", 2017;
      0.05 for the hidden and 0.5 for the cell state is what they found best on characters.
    """

    cell: RecurrentCell
    hidden_rate: float = 0.05
    rate: float = 0.5

    def initial_carry(self, rows: int) -> Any:
        return self.cell.initial_carry(rows)

    @property
    def width(self) -> int:
        """Features of the output."""
        return self.cell.width

    @property
    def start_size(self) -> int:
        """Features that `start` takes."""
        return self.cell.start_size

    def start(self, features: Float[Array, "rows start"]) -> Any:
        return self.cell.start(features)

    def project(self, inputs: Float[Array, "*rows features"]) -> Any:
        return self.cell.project(inputs)

    def draw(self, rows: int) -> Any:
        return self.cell.draw(rows)

    def recur(self, carry: Any, projected: Any, drawn: Any) -> tuple[Any, Array]:
        new, _ = self.cell.recur(carry, projected, drawn)
        fields = [
            jax.tree.map(
                functools.partial(self._mixed, self.hidden_rate if name == "hidden" else self.rate),
                getattr(carry, name),
                getattr(new, name),
            )
            for name in new._fields
        ]
        new = type(new)(*fields)
        return new, new.hidden

    def _mixed(self, rate: float, old: Array, new: Array) -> Array:
        if not noisy(self):
            return rate * old + (1 - rate) * new
        stays = jax.random.bernoulli(self.make_rng("dropout"), rate, new.shape)
        return jnp.where(stays, old, new)

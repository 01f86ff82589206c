"""What a cell is: one time step, and the weights that it needs."""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, runtime_checkable

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from seqjax.cells.noise import compute_dtype_of
from seqjax.cells.product import multiply
from seqjax.types import ComputeDtype


@runtime_checkable
class Cell(Protocol):
    """Any linen module with these is a cell and works wherever a built-in one does.

    Its carry may be any pytree whose leaves are `[rows, size]`. `width` is the size of its output.
    """

    @property
    def width(self) -> int: ...

    def initial_carry(self, rows: int) -> Any: ...

    def __call__(
        self, carry: Any, inputs: Float[Array, "rows features"]
    ) -> tuple[Any, Float[Array, "rows output"]]: ...


CellFn = Callable[[int, int, int], Cell]
"""`(depth, input size, hidden size) -> cell`; the layer at the bottom has depth 0."""


def carry_features(carry: Any) -> Float[Array, "rows features"]:
    """Returns a carry as one vector a row: its `summary()`, or all leaves if it has none."""
    parts = carry.summary() if hasattr(carry, "summary") else jax.tree.leaves(carry)
    return jnp.concatenate(parts, axis=-1)


class RecurrentCell(nn.Module):
    """A cell whose step comes in three parts, so that each is done no more often than it must be.

    `project` needs no carry and is run for all time steps in one product. `draw` makes what is
    random but the same at all times (the masks of variational dropout, a kernel with dropped
    connections), once for a sequence. `recur` is what is left for every step.
    """

    def initial_carry(self, rows: int) -> Any:
        """Returns the carry before the first step."""
        raise NotImplementedError

    @property
    def width(self) -> int:
        """Features of the output."""
        raise NotImplementedError

    @property
    def start_size(self) -> int:
        """Features that `start` takes."""
        raise NotImplementedError

    def start(self, features: Float[Array, "rows start"]) -> Any:
        """Returns a carry made of any numbers, as a bridge from an encoder has them."""
        raise NotImplementedError

    def project(self, inputs: Float[Array, "*rows features"]) -> Any:
        """Returns what the inputs of any number of time steps contribute to their steps."""
        raise NotImplementedError

    def draw(self, rows: int) -> Any:
        """Returns what is drawn once for a sequence, and given to each of its steps; or nothing."""
        del rows

    def recur(self, carry: Any, projected: Any, drawn: Any) -> tuple[Any, Array]:
        """Returns carry and output after a step whose inputs are already projected."""
        raise NotImplementedError

    def __call__(
        self, carry: Any, inputs: Float[Array, "rows features"]
    ) -> tuple[Any, Float[Array, "rows output"]]:
        return self.recur(carry, self.project(inputs), self.draw(inputs.shape[0]))


def _add_nothing(weights: Any, d_projected: Any, d_product: Any) -> Any:
    del d_projected, d_product
    return weights


class GradientFns(NamedTuple):
    """An update that says what its gradient needs, and the gradient; pure functions.

    Attributes:
      keep_fn: `(unit weights, carry, projected, product) -> (carry, (instead, more))`; `instead` is
        shaped as `projected` and stored in its place.
      pull_fn: `(unit weights, carry, (instead, more), gradient of the carry after) -> (gradients of
        unit weights, carry, projected, product)`; the last two may be one and the same array.
      add_fn: `(gradients of unit weights, of projected and product at all times) -> the former`,
        with those of weights that are only added: `pull_fn` leaves them 0. A sum over rows at every
        step would have devices that share a batch wait for each other at every step.
    """

    keep_fn: Callable[[Any, Any, Any, Any], tuple[Any, tuple[Any, Any]]]
    pull_fn: Callable[[Any, Any, Any, Any], tuple[Any, Any, Any, Any]]
    add_fn: Callable[[Any, Any, Any], Any] = _add_nothing


class ProductCell(RecurrentCell):
    """A cell that sees its hidden state through one product, and for the rest works unit by unit.

    Its step is `carry' = update(unit_weights, carry, projected, multiply(drawn, carry.hidden))`,
    and its output `carry'.hidden`. Both are pure functions, from which `unroll/fused.py` makes the
    gradient of all time steps. For that the update is run by its `gradient_fns`, which
    compute it once more unless a cell knows what is better kept.

    A cell may have an attribute `compute_dtype`: what the operands of its products are rounded to
    while learning. Its state, and all that works unit by unit, are not.
    """

    compute_dtype = None  # no attribute of linen's, for those of a cell would have to come after it

    @property
    def multiply_fn(self) -> Callable[[Any, Any], Any]:
        """`(drawn, hidden [*time rows output]) -> product`; `drawn` is what `draw` returns."""
        return functools.partial(_multiply, dtype=compute_dtype_of(self))

    @property
    def update_fn(self) -> Callable[[Any, Any, Any, Any], Any]:
        """`(unit weights, carry, projected, product) -> carry` of one time step."""
        raise NotImplementedError

    def unit_weights(self) -> Any:
        """Returns the weights of the update: biases and the like."""
        raise NotImplementedError

    @property
    def gradient_fns(self) -> GradientFns:
        """The update once more, with what its gradient needs, and that gradient."""
        return GradientFns(
            functools.partial(_keep_arguments, self.update_fn),
            functools.partial(_pull_by_updating_again, self.update_fn),
        )

    def recur(self, carry: Any, projected: Any, drawn: Any) -> tuple[Any, Array]:
        """Returns carry and output after a step whose inputs are already projected."""
        product = self.multiply_fn(drawn, carry.hidden)
        carry = self.update_fn(self.unit_weights(), carry, projected, product)
        return carry, carry.hidden


def _multiply(kernel: Float[Array, "output n_hidden"], hidden: Any, dtype: ComputeDtype) -> Any:
    return multiply(hidden, kernel, dtype)


def _keep_arguments(update_fn, unit_weights, carry, projected, product):
    return update_fn(unit_weights, carry, projected, product), (projected, product)


def _pull_by_updating_again(update_fn, unit_weights, carry, kept, d_after):
    _, pull = jax.vjp(update_fn, unit_weights, carry, *kept)
    return pull(d_after)


class HiddenCarry(NamedTuple):
    """What a cell hands on whose output is all of its state.

    Attributes:
      hidden: `[rows, hidden]`.
    """

    hidden: Float[Array, "rows hidden"]


class HiddenCell(RecurrentCell):
    """A cell whose carry is a `HiddenCarry`.

    Attributes:
      input_size: Features of `x`.
      hidden_size: Features of the output.
      compute_dtype: What the operands of products are rounded to while learning; the state is not.
    """

    input_size: int
    hidden_size: int
    compute_dtype: ComputeDtype = None

    @property
    def width(self) -> int:
        """Features of the output."""
        return self.hidden_size

    @property
    def start_size(self) -> int:
        """Features that `start` takes."""
        return self.hidden_size

    def initial_carry(self, rows: int) -> HiddenCarry:
        """Returns the carry before the first step: zeros."""
        return HiddenCarry(jnp.zeros((rows, self.hidden_size)))

    def start(self, features: Float[Array, "rows hidden"]) -> HiddenCarry:
        """Returns a carry within the range of a tanh."""
        return HiddenCarry(jnp.tanh(features))

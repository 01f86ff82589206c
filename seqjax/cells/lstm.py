"""The LSTM and its relatives: the module with their weights, which `lstm_step` takes."""

import functools
from typing import Any

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from seqjax.cells.cell import GradientFns, ProductCell
from seqjax.cells.initial import chrono_bias, orthogonal_blocks
from seqjax.cells.lstm_step import (
    LSTMCarry,
    LSTMWeights,
    layer_norm,
    lstm_add,
    lstm_keep,
    lstm_pull,
    lstm_update,
)
from seqjax.cells.lstm_variant import STANDARD, LSTMVariant
from seqjax.cells.noise import compute_dtype_of, kept, shared_mask
from seqjax.cells.product import multiply, product
from seqjax.types import ComputeDtype, Key


class LSTMCell(ProductCell):
    """An LSTM's weights. `cell(carry, x)` is one step; see `RecurrentCell` for its parts.

    Attributes:
      input_size: Features of `x`.
      hidden_size: Features of the cell state.
      variant: Which LSTM.
      output_size: Features of the output and of the hidden state, where a projection makes them
        fewer than `hidden_size`; None for no projection.
      normalised: Layer normalisation.
      forget_bias: Where the forget gate's bias starts. At 1 a fresh cell remembers (Jozefowicz,
        Zaremba & Sutskever, 2015); it is part of the parameter, nothing is added at run time.
      longest: If given, input and forget biases start by `chrono_bias` for memories of up to this
        many steps, and `forget_bias` is not used.
      state_dropout: Share of the hidden state that the recurrent product does not see, the same
        units at all times (Gal & Ghahramani, 2016).
      connection_dropout: Share of the recurrent kernel's entries that are 0, the same ones at all
        times (DropConnect, as Merity, Keskar & Socher, 2018, put it to LSTMs).
      compute_dtype: What the operands of products are rounded to while learning; the state is not.
    """

    input_size: int
    hidden_size: int
    variant: LSTMVariant = STANDARD
    output_size: int | None = None
    normalised: bool = False
    forget_bias: float = 1.0
    longest: int | None = None
    state_dropout: float = 0.0
    connection_dropout: float = 0.0
    compute_dtype: ComputeDtype = None

    @property
    def width(self) -> int:
        """Features of the output."""
        return self.output_size or self.hidden_size

    def setup(self):
        size, variant = self.hidden_size, self.variant
        blocks, gates = len(variant.blocks), len(variant.gates)
        if self.output_size is not None and not 0 < self.output_size < size:
            raise ValueError(
                f"output_size must be between 0 and hidden_size={size}, got {self.output_size}"
            )
        glorot, zeros = nn.initializers.glorot_uniform(), nn.initializers.zeros
        self.input_kernel = self.param("input_kernel", glorot, (self.input_size, blocks * size))
        self.recurrent_kernel = self.param(
            "recurrent_kernel", orthogonal_blocks(blocks), (self.width, blocks * size)
        )
        self.bias = self.param("bias", self._initial_bias)
        if variant.peepholes:
            self.peepholes = self.param("peepholes", zeros, (gates, size))
        if variant.gate_recurrence:
            self.gate_kernel = self.param("gate_kernel", glorot, (gates * size, gates * size))
        if self.output_size is not None:
            self.projection = self.param("projection", glorot, (size, self.output_size))
        if self.normalised:
            ones = nn.initializers.ones
            self.input_scale = self.param("input_scale", ones, (blocks * size,))
            self.recurrent_scale = self.param("recurrent_scale", ones, (blocks * size,))
            self.cell_scale = self.param("cell_scale", ones, (size,))
            self.cell_bias = self.param("cell_bias", zeros, (size,))

    def _initial_bias(self, key: Key) -> Array:
        size = self.hidden_size
        starts = {"f": jnp.full((size,), self.forget_bias)}
        if self.longest is not None:
            starts["f"] = chrono_bias(key, size, self.longest)
            starts["i"] = -starts["f"]
        return jnp.concatenate([starts.get(b, jnp.zeros((size,))) for b in self.variant.blocks])

    def initial_carry(self, rows: int) -> LSTMCarry:
        """Returns the carry before the first step: zeros."""
        zeros = lambda size: jnp.zeros((rows, size))
        fed_back = len(self.variant.gates) * self.hidden_size
        gates = zeros(fed_back) if self.variant.gate_recurrence else ()
        return LSTMCarry(zeros(self.width), zeros(self.hidden_size), gates)

    @property
    def start_size(self) -> int:
        """Features that `start` takes: those of the hidden state and of the cell."""
        return self.width + self.hidden_size

    def start(self, features: Float[Array, "rows start"]) -> LSTMCarry:
        """Returns a carry whose hidden state is within the range of a tanh."""
        hidden, cell = jnp.split(features, [self.width], axis=-1)
        zeros = self.initial_carry(features.shape[0])
        return zeros._replace(hidden=jnp.tanh(hidden), cell=cell)

    def project(self, inputs: Float[Array, "*rows features"]) -> Float[Array, "*rows n_hidden"]:
        """Returns what the inputs of any number of time steps contribute to the gates."""
        projected = product(inputs, self.input_kernel, compute_dtype_of(self))
        if self.normalised:
            scale = self.input_scale.reshape((1,) * (projected.ndim - 1) + (-1,))
            return layer_norm(projected) * scale
        return projected

    def draw(self, rows: int) -> tuple[Any, Any]:
        """Returns the recurrent kernel, and the mask of the hidden state or `()`."""
        mask = shared_mask(self, self.state_dropout, (rows, self.width))
        return kept(self, self.connection_dropout, self.recurrent_kernel), mask

    def unit_weights(self) -> LSTMWeights:
        """Returns the weights of the update."""
        variant = self.variant
        return LSTMWeights(
            self.bias,
            self.peepholes if variant.peepholes else (),
            self.gate_kernel if variant.gate_recurrence else (),
            self.projection if self.output_size is not None else (),
            (self.recurrent_scale, self.cell_scale, self.cell_bias) if self.normalised else (),
        )

    @property
    def multiply_fn(self):
        """h U, with the units that the mask leaves."""
        return functools.partial(_multiply_masked, dtype=compute_dtype_of(self))

    @property
    def update_fn(self):
        """`lstm_update`."""
        return functools.partial(lstm_update, variant=self.variant, dtype=compute_dtype_of(self))

    @property
    def gradient_fns(self):
        """`lstm_keep`, `lstm_pull` and `lstm_add`, where they are the update."""
        plain = self.variant == STANDARD and self.output_size is None and not self.normalised
        return GradientFns(lstm_keep, lstm_pull, lstm_add) if plain else super().gradient_fns


def _multiply_masked(
    drawn: tuple[Array, Any], hidden: Float[Array, "*rows output"], dtype: ComputeDtype
) -> Float[Array, "*rows n_hidden"]:
    kernel, mask = drawn
    if not isinstance(mask, tuple):
        hidden *= mask.reshape((1,) * (hidden.ndim - 2) + mask.shape)
    return multiply(hidden, kernel, dtype)

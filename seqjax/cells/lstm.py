"""The LSTM and its relatives: one time step as a pure function, and the module with its weights."""

import functools
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from seqjax.cells.cell import ProductCell
from seqjax.cells.initial import chrono_bias, orthogonal_blocks
from seqjax.cells.lstm_variant import STANDARD, LSTMVariant
from seqjax.cells.noise import kept, shared_mask
from seqjax.types import Key


class LSTMCarry(NamedTuple):
    """What an LSTM hands from one time step to the next.

    Attributes:
      hidden: `[rows, output]`; narrower than the cell where there is a projection.
      cell: `[rows, hidden]`.
      gates: `[rows, gates * hidden]` the last values of the gates, where they are fed back (full
        gate recurrence); else `()`.
    """

    hidden: Float[Array, "rows output"]
    cell: Float[Array, "rows hidden"]
    gates: Any = ()


class LSTMWeights(NamedTuple):
    """What an LSTM weighs besides its two products; `n` blocks, `m` gates as its variant has them.

    Attributes:
      bias: b, blocks in the order i f g o. Added at every step rather than to the projected inputs,
        where it would cost a pass over memory for all time steps.
      peepholes: One weight for each gate and unit, or `()`.
      gate_kernel: What gates read of the gates of the step before, or `()`.
      projection: From `o * tanh(c')` to the hidden state, or `()`.
      norm: `(recurrent_scale, cell_scale, cell_bias)` of layer normalisation, or `()`.
    """

    bias: Float[Array, " n_hidden"]
    peepholes: Float[Array, "m hidden"] | tuple[()] = ()
    gate_kernel: Float[Array, "m_hidden m_hidden"] | tuple[()] = ()
    projection: Float[Array, "hidden output"] | tuple[()] = ()
    norm: Any = ()


def lstm_update(
    weights: LSTMWeights,
    carry: LSTMCarry,
    projected: Float[Array, "rows n_hidden"],
    product: Float[Array, "rows n_hidden"],
    *,
    variant: LSTMVariant = STANDARD,
) -> LSTMCarry:
    r"""Returns the carry after one time step.

    With every switch on,

    .. math::
        i, f &= \sigma(x W_{if} + h U_{if} + p_{if} \odot c + a R_{if} + b_{if}), \quad
        g = \tanh(x W_g + h U_g + b_g) \\
        c' &= f \odot c + i \odot g, \quad
        o = \sigma(x W_o + h U_o + p_o \odot c' + a R_o + b_o), \quad
        h' = (o \odot \tanh(c')) P

    where :math:`a` are the gates of the step before. There is one bias (PyTorch and cuDNN keep two
    and add them). With layer normalisation :math:`x W`, :math:`h U` and the :math:`c'` that is read
    out are normalised, the first two over all blocks together.

    Args:
      weights: Those that the variant has.
      carry: State before the step.
      projected: x W, blocks in the order i f g o.
      product: h U.
      variant: What of the above is there.

    References:
      Hochreiter & Schmidhuber, "Long short-term memory", 1997; the forget gate of Gers, Schmidhuber
      & Cummins, "Learning to forget", 2000; the peepholes of Gers & Schmidhuber, "Recurrent nets
      that time and count", 2000; the projection of Sak, Senior & Beaufays, 2014; the normalisation
      of Ba, Kiros & Hinton, "Layer normalization", 2016, supplement (20) to (22).
    """
    if weights.norm:
        product = layer_norm(product) * weights.norm[0][None]
    blocks = _named(variant.blocks, projected + product + weights.bias[None])
    fed_back = {}
    if variant.gate_recurrence:
        fed_back = _named(variant.gates, carry.gates @ weights.gate_kernel)

    def gate(name: str, cell: Float[Array, "rows hidden"]) -> Float[Array, "rows hidden"]:
        pre = blocks[name] + fed_back.get(name, 0.0)
        if variant.peepholes:
            pre += cell * weights.peepholes[variant.gates.index(name)][None]
        return jax.nn.sigmoid(pre)

    one = jnp.ones((), carry.cell.dtype)
    i = gate("i", carry.cell) if "i" in blocks else one
    g = jnp.tanh(blocks["g"]) if variant.input_activation else blocks["g"]
    f = gate("f", carry.cell) if "f" in blocks else one
    if variant.coupled:
        f = 1 - i
    cell = f * carry.cell + i * g
    o = gate("o", cell) if "o" in blocks else one
    shown = cell
    if weights.norm:
        shown = layer_norm(cell) * weights.norm[1][None] + weights.norm[2][None]
    hidden = o * (jnp.tanh(shown) if variant.output_activation else shown)
    if not isinstance(weights.projection, tuple):
        hidden = hidden @ weights.projection
    gates = ()
    if variant.gate_recurrence:
        values = {"i": i, "f": f, "o": o}
        gates = jnp.concatenate([values[name] for name in variant.gates], axis=-1)
    return LSTMCarry(hidden, cell, gates)


def _multiply_masked(
    drawn: tuple[Array, Any], hidden: Float[Array, "*rows output"]
) -> Float[Array, "*rows n_hidden"]:
    kernel, mask = drawn
    if isinstance(mask, tuple):
        return hidden @ kernel
    return (hidden * mask.reshape((1,) * (hidden.ndim - 2) + mask.shape)) @ kernel


def _named(names: str, side_by_side: Float[Array, "rows n_hidden"]) -> dict[str, Array]:
    return dict(zip(names, jnp.split(side_by_side, len(names), axis=-1), strict=True))


def layer_norm(values: Float[Array, "*rows size"]) -> Float[Array, "*rows size"]:
    """Returns values of mean 0 and variance 1 over the last axis (epsilon 1e-6)."""
    mean = jnp.mean(values, axis=-1, keepdims=True)
    variance = jnp.mean(jnp.square(values - mean), axis=-1, keepdims=True)
    return (values - mean) * jax.lax.rsqrt(variance + 1e-6)


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
        projected = inputs @ self.input_kernel
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
        return _multiply_masked

    @property
    def update_fn(self):
        """`lstm_update`."""
        return functools.partial(lstm_update, variant=self.variant)

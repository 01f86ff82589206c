"""One time step of the LSTM and its relatives, and its gradient, as pure functions."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from seqjax.cells.lstm_variant import STANDARD, LSTMVariant
from seqjax.cells.product import multiply
from seqjax.types import ComputeDtype


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
    dtype: ComputeDtype = None,
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
      dtype: What the operands of its own products, with R and P, are rounded to.

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
    if not isinstance(weights.gate_kernel, tuple):
        fed_back = _named(variant.gates, multiply(carry.gates, weights.gate_kernel, dtype))

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
        hidden = multiply(hidden, weights.projection, dtype)
    gates = ()
    if variant.gate_recurrence:
        values = {"i": i, "f": f, "o": o}
        gates = jnp.concatenate([values[name] for name in variant.gates], axis=-1)
    return LSTMCarry(hidden, cell, gates)


def lstm_keep(
    weights: LSTMWeights,
    carry: LSTMCarry,
    projected: Float[Array, "rows four_hidden"],
    product: Float[Array, "rows four_hidden"],
) -> tuple[LSTMCarry, tuple[Float[Array, "rows four_hidden"], tuple[()]]]:
    r"""Returns `lstm_update` of the standard LSTM, and its gates i f g o for `lstm_pull`.

    All four come of one pass, for a sigmoid is a tanh: :math:`\sigma(x) = (1 + \tanh(x / 2)) / 2`.
    """
    rows, four_hidden = projected.shape
    blocks = (projected + product + weights.bias[None]).reshape(rows, 4, four_hidden // 4)
    is_g = np.arange(4)[None, :, None] == 2
    slope, shift = np.where(is_g, 1, 0.5), np.where(is_g, 0, 0.5)
    slope, shift = (jnp.asarray(value, blocks.dtype) for value in (slope, shift))
    gates = slope * jnp.tanh(slope * blocks) + shift
    i, f, g, o = (gates[:, number] for number in range(4))
    cell = f * carry.cell + i * g
    return LSTMCarry(o * jnp.tanh(cell), cell), (gates.reshape(projected.shape), ())


def lstm_pull(
    weights: LSTMWeights,
    carry: LSTMCarry,
    kept: tuple[Float[Array, "rows four_hidden"], tuple[()]],
    d_after: LSTMCarry,
) -> tuple[LSTMWeights, LSTMCarry, Array, Array]:
    """Returns the gradients of `lstm_keep`'s four arguments but the bias; see `GradientFns`."""
    i, f, g, o = jnp.split(kept[0], 4, axis=-1)
    shown = jnp.tanh(f * carry.cell + i * g)
    d_cell = d_after.cell + d_after.hidden * o * (1 - shown * shown)
    d_i, d_f = d_cell * g * i * (1 - i), d_cell * carry.cell * f * (1 - f)
    d_g, d_o = d_cell * i * (1 - g * g), d_after.hidden * shown * o * (1 - o)
    d_sum = jnp.concatenate([d_i, d_f, d_g, d_o], axis=-1)
    d_weights = weights._replace(bias=jnp.zeros_like(weights.bias))
    return d_weights, LSTMCarry(jnp.zeros_like(carry.hidden), d_cell * f), d_sum, d_sum


def lstm_add(
    weights: LSTMWeights,
    d_projected: Float[Array, "time rows four_hidden"],
    d_product: Float[Array, "time rows four_hidden"],
) -> LSTMWeights:
    """Returns the gradients of the weights, that of the bias among them."""
    del d_product
    return weights._replace(bias=jnp.sum(d_projected, axis=(0, 1)))


def _named(names: str, side_by_side: Float[Array, "rows n_hidden"]) -> dict[str, Array]:
    return dict(zip(names, jnp.split(side_by_side, len(names), axis=-1), strict=True))


def layer_norm(values: Float[Array, "*rows size"]) -> Float[Array, "*rows size"]:
    """Returns values of mean 0 and variance 1 over the last axis (epsilon 1e-6)."""
    mean = jnp.mean(values, axis=-1, keepdims=True)
    variance = jnp.mean(jnp.square(values - mean), axis=-1, keepdims=True)
    return (values - mean) * jax.lax.rsqrt(variance + 1e-6)

"""The sLSTM of xLSTM: exponential gates, kept finite by a running maximum."""

import functools
from typing import Literal, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from seqjax.cells.cell import ProductCell
from seqjax.cells.initial import orthogonal_blocks
from seqjax.cells.noise import compute_dtype_of
from seqjax.cells.product import contract, product
from seqjax.types import ComputeDtype, Key

NOTHING_YET = -1e30
"""Where the stabiliser starts: below every gate, and still a number."""


class SLSTMCarry(NamedTuple):
    """What an sLSTM hands on; all `[rows, hidden]`. `cell` and `normaliser` share a scale.

    Attributes:
      hidden: The output.
      cell: The state, times `exp(-stabiliser)`.
      normaliser: The sum of the weights in it, times `exp(-stabiliser)`.
      stabiliser: The logarithm of that scale.
    """

    hidden: Float[Array, "rows hidden"]
    cell: Float[Array, "rows hidden"]
    normaliser: Float[Array, "rows hidden"]
    stabiliser: Float[Array, "rows hidden"]

    def summary(self) -> tuple[Float[Array, "rows hidden"], Float[Array, "rows hidden"]]:
        """Returns what the state says whatever its scale is; 0 where nothing has been read."""
        empty = self.normaliser == 0
        return self.hidden, jnp.where(
            empty, 0.0, self.cell / jnp.where(empty, 1.0, self.normaliser)
        )


def slstm_update(
    bias: Float[Array, " four_hidden"],
    carry: SLSTMCarry,
    projected: Float[Array, "rows four_hidden"],
    product: Float[Array, "rows four_hidden"],
    *,
    forget: Literal["sigmoid", "exponential"] = "sigmoid",
) -> SLSTMCarry:
    r"""Returns the carry after one step; gates in the order i f g o.

    .. math::
        c' = f \odot c + i \odot \tanh(g), \quad n' = f \odot n + i, \quad
        h' = \sigma(o) \odot c' / n', \quad i = \exp(\tilde i)

    where :math:`\tilde i, \tilde f, g, o` are x W + h U + b, and f is a sigmoid or an exponential
    of :math:`\tilde f`. Numbers that would overflow are kept as multiples of :math:`\exp(m)`,
    :math:`m' = \max(\log f + m, \log i)`, which changes no output.

    Args:
      bias: b.
      carry: State before the step.
      projected: x W.
      product: h U, by heads.
      forget: What f is.

    References:
      Beck et al., "xLSTM: extended long short-term memory", 2024, equations 8 to 17.
    """
    i, f, g, o = jnp.split(projected + product + bias[None], 4, axis=-1)
    kept = (jax.nn.log_sigmoid(f) if forget == "sigmoid" else f) + carry.stabiliser
    stabiliser = jnp.maximum(kept, i)
    new, old = jnp.exp(i - stabiliser), jnp.exp(kept - stabiliser)
    cell = old * carry.cell + new * jnp.tanh(g)
    normaliser = old * carry.normaliser + new
    return SLSTMCarry(jax.nn.sigmoid(o) * cell / normaliser, cell, normaliser, stabiliser)


def multiply_heads(
    kernel: Float[Array, "heads size four_size"],
    hidden: Float[Array, "*rows hidden"],
    *,
    dtype: ComputeDtype = None,
) -> Float[Array, "*rows four_hidden"]:
    """Returns h U with a block-diagonal U: gates side by side, and heads within each of them."""
    heads = hidden.reshape(*hidden.shape[:-1], kernel.shape[0], kernel.shape[1])
    product = contract("...hs,hst->...ht", heads, kernel, dtype)
    # heads (gate size) -> gate heads size
    product = product.reshape(*heads.shape[:-1], 4, kernel.shape[1])
    return jnp.swapaxes(product, -3, -2).reshape(*hidden.shape[:-1], 4 * hidden.shape[-1])


class SLSTMCell(ProductCell):
    """An sLSTM's weights; gates in the order i f g o, heads side by side within each.

    Attributes:
      input_size: Features of `x`.
      hidden_size: Features of the output.
      num_heads: Parts of the state that do not mix: the recurrent kernel is block-diagonal.
      forget: What the forget gate is.
      forget_bias: Where its bias starts.
      compute_dtype: What the operands of products are rounded to while learning; the state is not.
    """

    input_size: int
    hidden_size: int
    num_heads: int = 1
    forget: Literal["sigmoid", "exponential"] = "sigmoid"
    forget_bias: float = 1.0
    compute_dtype: ComputeDtype = None

    @property
    def width(self) -> int:
        """Features of the output."""
        return self.hidden_size

    def setup(self):
        size, heads = self.hidden_size, self.num_heads
        if size % heads:
            raise ValueError(f"num_heads must divide hidden_size={size}, got {heads}")
        glorot = nn.initializers.glorot_uniform()
        self.input_kernel = self.param("input_kernel", glorot, (self.input_size, 4 * size))
        self.recurrent_kernel = self.param("recurrent_kernel", self._initial_recurrent)
        self.bias = self.param(
            "bias", lambda key: jnp.repeat(jnp.array([0.0, self.forget_bias, 0.0, 0.0]), size)
        )

    def _initial_recurrent(self, key: Key) -> Float[Array, "heads size four_size"]:
        size = self.hidden_size // self.num_heads
        keys = jax.random.split(key, self.num_heads)
        return jnp.stack([orthogonal_blocks(4)(k, (size, 4 * size)) for k in keys])

    def initial_carry(self, rows: int) -> SLSTMCarry:
        """Returns the carry before the first step: zeros, on the smallest scale."""
        zeros = jnp.zeros((rows, self.hidden_size))
        return SLSTMCarry(zeros, zeros, zeros, jnp.full_like(zeros, NOTHING_YET))

    @property
    def start_size(self) -> int:
        """Features that `start` takes: those of the hidden state and of the cell."""
        return 2 * self.hidden_size

    def start(self, features: Float[Array, "rows start"]) -> SLSTMCarry:
        """Returns a carry as if the cell had been written once, with weight 1."""
        hidden, cell = jnp.split(features, 2, axis=-1)
        return SLSTMCarry(
            jnp.tanh(hidden), cell, normaliser=jnp.ones_like(cell), stabiliser=jnp.zeros_like(cell)
        )

    def project(self, inputs: Float[Array, "*rows features"]) -> Float[Array, "*rows four_hidden"]:
        """Returns x W of any number of time steps."""
        return product(inputs, self.input_kernel, compute_dtype_of(self))

    def draw(self, rows: int) -> Float[Array, "heads size four_size"]:
        """Returns U."""
        return self.recurrent_kernel

    def unit_weights(self) -> Float[Array, " four_hidden"]:
        """Returns b."""
        return self.bias

    @property
    def multiply_fn(self):
        """`multiply_heads`."""
        return functools.partial(multiply_heads, dtype=compute_dtype_of(self))

    @property
    def update_fn(self):
        """`slstm_update`."""
        return functools.partial(slstm_update, forget=self.forget)

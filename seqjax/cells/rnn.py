"""The plain recurrent network of Elman: what gated cells are compared with."""

import functools
from typing import Literal

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from seqjax.cells.cell import HiddenCarry, HiddenCell, ProductCell
from seqjax.cells.noise import compute_dtype_of
from seqjax.cells.product import product


def rnn_update(
    bias: Float[Array, " hidden"],
    carry: HiddenCarry,
    projected: Float[Array, "rows hidden"],
    product: Float[Array, "rows hidden"],
    *,
    activation: Literal["tanh", "relu"] = "tanh",
) -> HiddenCarry:
    """Returns `phi(x W + h U + b)`, with phi the tanh or the rectifier.

    Args:
      bias: b.
      carry: State before the step, seen through the product alone.
      projected: x W.
      product: h U.
      activation: phi.

    References:
      Elman, "Finding structure in time", 1990.
    """
    del carry
    pre = projected + product + bias[None]
    return HiddenCarry(jnp.tanh(pre) if activation == "tanh" else jax.nn.relu(pre))


class RNNCell(HiddenCell, ProductCell):
    """A plain recurrent network's weights; see `rnn_update`.

    Attributes:
      activation: phi. The recurrent kernel starts orthogonal for `tanh`, and as the identity for
        `relu` (Le, Jaitly & Hinton, "A simple way to initialize recurrent networks of rectified
        linear units", 2015).
    """

    activation: Literal["tanh", "relu"] = "tanh"

    def setup(self):
        size = self.hidden_size
        identity = lambda key, shape, dtype=jnp.float32: jnp.eye(*shape, dtype=dtype)
        start = nn.initializers.orthogonal() if self.activation == "tanh" else identity
        glorot = nn.initializers.glorot_uniform()
        self.input_kernel = self.param("input_kernel", glorot, (self.input_size, size))
        self.recurrent_kernel = self.param("recurrent_kernel", start, (size, size))
        self.bias = self.param("bias", nn.initializers.zeros, (size,))

    def project(self, inputs: Float[Array, "*rows features"]) -> Float[Array, "*rows hidden"]:
        """Returns x W of any number of time steps."""
        return product(inputs, self.input_kernel, compute_dtype_of(self))

    def draw(self, rows: int) -> Float[Array, "hidden hidden"]:
        """Returns U."""
        return self.recurrent_kernel

    def unit_weights(self) -> Float[Array, " hidden"]:
        """Returns b."""
        return self.bias

    @property
    def update_fn(self):
        """`rnn_update`."""
        return functools.partial(rnn_update, activation=self.activation)

"""minGRU and minLSTM: gates that do not see the state, so that all time steps can be had at once.

Their step is linear in the state, `h' = a * h + b`, where a and b come from the inputs alone. Steps
of that kind compose: `(a, b)` after `(a', b')` is `(a a', a b' + b)`, which is associative, and a
sequence of T steps takes log T rounds in parallel (`unroll/parallel.py`).
"""

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from seqjax.cells.cell import HiddenCarry, HiddenCell
from seqjax.cells.noise import compute_dtype_of
from seqjax.cells.product import product


class LinearCell(HiddenCell):
    """A cell whose step is `h' = decay * h + addition`. Projected inputs are that pair.

    `unroll` runs it in parallel over time, without asking what else it is.
    """

    def recur(
        self,
        carry: HiddenCarry,
        projected: tuple[Float[Array, "rows hidden"], Float[Array, "rows hidden"]],
        drawn: None,
    ) -> tuple[HiddenCarry, Float[Array, "rows hidden"]]:
        """Returns carry and output after a step whose inputs are already projected."""
        decay, addition = projected
        hidden = decay * carry.hidden + addition
        return HiddenCarry(hidden), hidden


class MinGRUCell(LinearCell):
    r"""`z = sigma(x W_z + b_z)`, `n = x W_n + b_n`, `h' = (1 - z) h + z n`; blocks in order z n.

    References:
      Feng et al., "Were RNNs all we needed?", 2024, section 3.1. Their version in the logarithmic
      domain, which needs a positive candidate, is not used: with decays in (0, 1) nothing here
      over- or underflows.
    """

    def setup(self):
        glorot = nn.initializers.glorot_uniform()
        self.input_kernel = self.param(
            "input_kernel", glorot, (self.input_size, 2 * self.hidden_size)
        )
        self.bias = self.param("bias", nn.initializers.zeros, (2 * self.hidden_size,))

    def project(
        self, inputs: Float[Array, "*rows features"]
    ) -> tuple[Float[Array, "*rows hidden"], Float[Array, "*rows hidden"]]:
        """Returns decay and addition of any number of time steps."""
        update, candidate = _blocks(self, inputs, 2)
        z = jax.nn.sigmoid(update)
        return 1 - z, z * candidate


class MinLSTMCell(LinearCell):
    r"""`i, f = sigma(x W_if + b_if)`, `n = x W_n + b_n`, `h' = (f h + i n) / (f + i)`.

    Blocks in the order i f n.

    Attributes:
      forget_bias: Where the forget gate's bias starts.

    References:
      Feng et al., 2024, section 3.2; see `MinGRUCell`.
    """

    forget_bias: float = 1.0

    def setup(self):
        size = self.hidden_size
        start = lambda key: jnp.repeat(jnp.array([0.0, self.forget_bias, 0.0]), size)
        glorot = nn.initializers.glorot_uniform()
        self.input_kernel = self.param("input_kernel", glorot, (self.input_size, 3 * size))
        self.bias = self.param("bias", start)

    def project(
        self, inputs: Float[Array, "*rows features"]
    ) -> tuple[Float[Array, "*rows hidden"], Float[Array, "*rows hidden"]]:
        """Returns decay and addition of any number of time steps."""
        i, f, candidate = _blocks(self, inputs, 3)
        # f / (f + i) as a sigmoid of the difference of the gates' logarithms: exact at the edges,
        # where both gates are too small for their quotient.
        keep = jax.nn.sigmoid(jax.nn.log_sigmoid(f) - jax.nn.log_sigmoid(i))
        return keep, (1 - keep) * candidate


def _blocks(cell, inputs, count: int):
    projected = product(inputs, cell.input_kernel, compute_dtype_of(cell))
    bias = cell.bias.reshape((1,) * (projected.ndim - 1) + (-1,))
    return jnp.split(projected + bias, count, axis=-1)

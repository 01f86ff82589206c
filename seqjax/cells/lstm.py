"""The LSTM: one time step as a pure function, and the linen module that owns its weights."""

from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from seqjax.types import Key


class LSTMCarry(NamedTuple):
    """What an LSTM hands from one time step to the next; both `[rows, hidden]`."""

    hidden: Float[Array, "rows hidden"]
    cell: Float[Array, "rows hidden"]


class LSTMGates(NamedTuple):
    """The four gates after their activations; the order i f g o holds wherever they are stored."""

    i: Float[Array, "rows hidden"]
    f: Float[Array, "rows hidden"]
    g: Float[Array, "rows hidden"]
    o: Float[Array, "rows hidden"]


def lstm_gates(pre_activations: Float[Array, "rows four_hidden"]) -> LSTMGates:
    """Returns sigma(i), sigma(f), tanh(g), sigma(o) of pre-activations laid out as i f g o."""
    i, f, g, o = jnp.split(pre_activations, 4, axis=-1)
    return LSTMGates(jax.nn.sigmoid(i), jax.nn.sigmoid(f), jnp.tanh(g), jax.nn.sigmoid(o))


def lstm_step(
    recurrent_kernel: Float[Array, "hidden four_hidden"],
    bias: Float[Array, " four_hidden"],
    carry: LSTMCarry,
    projected: Float[Array, "rows four_hidden"],
) -> tuple[LSTMCarry, Float[Array, "rows hidden"]]:
    r"""Returns the carry after one time step, and its hidden state as the output.

    .. math::
        i, f, o &= \sigma(x W_{ifo} + h U_{ifo} + b_{ifo}), \quad g = \tanh(x W_g + h U_g + b_g) \\
        c' &= f \odot c + i \odot g, \quad h' = o \odot \tanh(c')

    There is one bias (PyTorch and cuDNN keep two and add them) and there are no peepholes.

    Args:
      recurrent_kernel: U, gates i f g o on the last axis.
      bias: b, gates in the same order. Added here rather than to `projected`, where it would cost a
        pass over memory for all time steps.
      carry: State before the step.
      projected: x W of this step, computed for all time steps in one product beforehand.

    References:
      Hochreiter & Schmidhuber, "Long short-term memory", 1997; with the forget gate of Gers,
      Schmidhuber & Cummins, "Learning to forget", 2000.
    """
    gates = lstm_gates(projected + carry.hidden @ recurrent_kernel + bias[None])
    cell = gates.f * carry.cell + gates.i * gates.g
    hidden = gates.o * jnp.tanh(cell)
    return LSTMCarry(hidden, cell), hidden


def _orthogonal_per_gate(key: Key, shape: tuple[int, int], dtype=jnp.float32) -> Array:
    """One orthogonal matrix per gate, so that each gate starts by keeping the state's norm."""
    init = nn.initializers.orthogonal()
    hidden_size = shape[0]
    gate_keys = jax.random.split(key, shape[1] // hidden_size)
    return jnp.concatenate([init(k, (hidden_size, hidden_size), dtype) for k in gate_keys], axis=1)


class LSTMCell(nn.Module):
    """An LSTM's weights. `cell(carry, x)` is one step; `project` and `recur` are its two halves.

    Attributes:
      input_size: Features of `x`.
      hidden_size: Features of the output and of either half of the carry.
      forget_bias: Where the forget gate's bias starts. At 1 a fresh cell remembers (Jozefowicz,
        Zaremba & Sutskever, 2015); it is part of the parameter, nothing is added at run time.
    """

    input_size: int
    hidden_size: int
    forget_bias: float = 1.0

    def setup(self):
        size = self.hidden_size
        self.input_kernel = self.param(
            "input_kernel", nn.initializers.glorot_uniform(), (self.input_size, 4 * size)
        )
        self.recurrent_kernel = self.param(
            "recurrent_kernel", _orthogonal_per_gate, (size, 4 * size)
        )
        self.bias = self.param("bias", self._initial_bias)

    def _initial_bias(self, key: Key) -> Array:
        del key
        return jnp.repeat(jnp.array([0.0, self.forget_bias, 0.0, 0.0]), self.hidden_size)

    def initial_carry(self, rows: int) -> LSTMCarry:
        """Returns the carry before the first step: zeros."""
        zeros = jnp.zeros((rows, self.hidden_size))
        return LSTMCarry(zeros, zeros)

    def project(self, inputs: Float[Array, "*rows features"]) -> Float[Array, "*rows four_hidden"]:
        """Returns what the inputs of any number of time steps contribute to the gates."""
        return inputs @ self.input_kernel

    def recur(
        self, carry: LSTMCarry, projected: Float[Array, "rows four_hidden"]
    ) -> tuple[LSTMCarry, Float[Array, "rows hidden"]]:
        """Returns carry and output after a step whose inputs are already projected."""
        return lstm_step(self.recurrent_kernel, self.bias, carry, projected)

    def __call__(
        self, carry: LSTMCarry, inputs: Float[Array, "rows features"]
    ) -> tuple[LSTMCarry, Float[Array, "rows hidden"]]:
        return self.recur(carry, self.project(inputs))

"""Gated recurrent units: the GRU in both of its conventions, and the minimal gated unit."""

import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from seqjax.cells.cell import GradientFns, HiddenCarry, HiddenCell, ProductCell
from seqjax.cells.initial import orthogonal_blocks
from seqjax.cells.noise import compute_dtype_of
from seqjax.cells.product import multiply, product
from seqjax.types import ComputeDtype


def gru_update(
    biases: tuple[Float[Array, " three_hidden"], Float[Array, " hidden"]],
    carry: HiddenCarry,
    projected: Float[Array, "rows three_hidden"],
    product: Float[Array, "rows three_hidden"],
) -> HiddenCarry:
    r"""Returns the carry after one step of a GRU that resets after the product; blocks r z n.

    .. math::
        r, z = \sigma(x W_{rz} + h U_{rz} + b_{rz}), \quad
        n = \tanh(x W_n + b_n + r \odot (h U_n + b_u)), \quad h' = (1 - z) \odot n + z \odot h

    The convention of cuDNN, PyTorch and Keras. Weights of the other one mean something else here.

    Args:
      biases: b of all blocks, and b_u.
      carry: State before the step.
      projected: x W.
      product: h U.

    References:
      Cho et al., "Learning phrase representations using RNN encoder-decoder", 2014, whose z weighs
      the old state as here (Chung et al., 2014, let it weigh the new one).
    """
    x_gates, x_candidate = _gates_and_candidate(projected + biases[0][None], 2)
    h_gates, h_candidate = _gates_and_candidate(product, 2)
    r, z = jnp.split(jax.nn.sigmoid(x_gates + h_gates), 2, axis=-1)
    candidate = jnp.tanh(x_candidate + r * (h_candidate + biases[1][None]))
    return HiddenCarry((1 - z) * candidate + z * carry.hidden)


def gru_keep(
    biases: tuple[Float[Array, " three_hidden"], Float[Array, " hidden"]],
    carry: HiddenCarry,
    projected: Float[Array, "rows three_hidden"],
    product: Float[Array, "rows three_hidden"],
) -> tuple[HiddenCarry, tuple[Float[Array, "rows three_hidden"], Float[Array, "rows hidden"]]]:
    """Returns `gru_update`, and for `gru_pull` r z n and what r is multiplied with."""
    x_gates, x_candidate = _gates_and_candidate(projected + biases[0][None], 2)
    h_gates, h_candidate = _gates_and_candidate(product, 2)
    r, z = jnp.split(jax.nn.sigmoid(x_gates + h_gates), 2, axis=-1)
    reset = h_candidate + biases[1][None]
    n = jnp.tanh(x_candidate + r * reset)
    return HiddenCarry((1 - z) * n + z * carry.hidden), (jnp.concatenate([r, z, n], -1), reset)


def gru_pull(
    biases: tuple[Float[Array, " three_hidden"], Float[Array, " hidden"]],
    carry: HiddenCarry,
    kept: tuple[Float[Array, "rows three_hidden"], Float[Array, "rows hidden"]],
    d_after: HiddenCarry,
) -> tuple[tuple[Array, Array], HiddenCarry, Array, Array]:
    """Returns the gradients of `gru_keep`'s four arguments but the biases; see `GradientFns`."""
    (r, z, n), reset = jnp.split(kept[0], 3, axis=-1), kept[1]
    d_n = d_after.hidden * (1 - z) * (1 - n * n)
    d_reset = d_n * r
    d_r, d_z = d_n * reset * r * (1 - r), d_after.hidden * (carry.hidden - n) * z * (1 - z)
    d_projected = jnp.concatenate([d_r, d_z, d_n], axis=-1)
    d_product = jnp.concatenate([d_r, d_z, d_reset], axis=-1)
    d_biases = jnp.zeros_like(biases[0]), jnp.zeros_like(biases[1])
    return d_biases, HiddenCarry(d_after.hidden * z), d_projected, d_product


def gru_add(
    biases: tuple[Float[Array, " three_hidden"], Float[Array, " hidden"]],
    d_projected: Float[Array, "time rows three_hidden"],
    d_product: Float[Array, "time rows three_hidden"],
) -> tuple[Float[Array, " three_hidden"], Float[Array, " hidden"]]:
    """Returns the gradients of the biases."""
    del biases
    d_reset = _gates_and_candidate(d_product, 2)[1]
    return jnp.sum(d_projected, axis=(0, 1)), jnp.sum(d_reset, axis=(0, 1))


def gru_reset_before_update(
    weights: tuple[Float[Array, " three_hidden"], Float[Array, "hidden hidden"]],
    carry: HiddenCarry,
    projected: Float[Array, "rows three_hidden"],
    product: Float[Array, "rows two_hidden"],
    *,
    dtype: ComputeDtype = None,
) -> HiddenCarry:
    r"""Returns the carry after one step of a GRU that resets before the product; blocks r z n.

    As `gru_update`, but :math:`n = \tanh(x W_n + b_n + (r \odot h) U_n)`: the convention of the
    paper, and of ONNX's default.

    Args:
      weights: b of all blocks, and :math:`U_n`.
      carry: State before the step.
      projected: x W.
      product: h U of the two gates.
      dtype: What the operands of the candidate's product are rounded to.
    """
    bias, candidate_kernel = weights
    x_gates, x_candidate = _gates_and_candidate(projected + bias[None], 2)
    r, z = jnp.split(jax.nn.sigmoid(x_gates + product), 2, axis=-1)
    candidate = jnp.tanh(x_candidate + multiply(r * carry.hidden, candidate_kernel, dtype))
    return HiddenCarry((1 - z) * candidate + z * carry.hidden)


def mgu_update(
    weights: tuple[Float[Array, " two_hidden"], Float[Array, "hidden hidden"]],
    carry: HiddenCarry,
    projected: Float[Array, "rows two_hidden"],
    product: Float[Array, "rows hidden"],
    *,
    dtype: ComputeDtype = None,
) -> HiddenCarry:
    r"""Returns the carry after one step of a minimal gated unit; blocks f n.

    .. math::
        f = \sigma(x W_f + h U_f + b_f), \quad n = \tanh(x W_n + (f \odot h) U_n + b_n), \quad
        h' = (1 - f) \odot h + f \odot n

    Args:
      weights: b of both blocks, and :math:`U_n`.
      carry: State before the step.
      projected: x W.
      product: h U of the gate.
      dtype: What the operands of the candidate's product are rounded to.

    References:
      Zhou et al., "Minimal gated unit for recurrent neural networks", 2016. (Flax's `MGUCell` lets
      its gate weigh the old state and resets after the product: another unit.)
    """
    bias, candidate_kernel = weights
    x_gate, x_candidate = _gates_and_candidate(projected + bias[None], 1)
    f = jax.nn.sigmoid(x_gate + product)
    candidate = jnp.tanh(x_candidate + multiply(f * carry.hidden, candidate_kernel, dtype))
    return HiddenCarry((1 - f) * carry.hidden + f * candidate)


def _gates_and_candidate(blocks: Float[Array, "*rows blocks_hidden"], gates: int):
    return jnp.split(blocks, [blocks.shape[-1] // (gates + 1) * gates], axis=-1)


class _GatedCell(HiddenCell, ProductCell):
    """What units of `gates` gates and a candidate have in common."""

    gates = 2

    def setup(self):
        size, blocks = self.hidden_size, self.gates + 1
        glorot, zeros = nn.initializers.glorot_uniform(), nn.initializers.zeros
        self.input_kernel = self.param("input_kernel", glorot, (self.input_size, blocks * size))
        self.recurrent_kernel = self.param(
            "recurrent_kernel", orthogonal_blocks(blocks), (size, blocks * size)
        )
        self.bias = self.param("bias", zeros, (blocks * size,))

    def project(self, inputs: Float[Array, "*rows features"]) -> Float[Array, "*rows n_hidden"]:
        """Returns x W of any number of time steps."""
        return product(inputs, self.input_kernel, compute_dtype_of(self))

    def draw(self, rows: int) -> Float[Array, "hidden gates_hidden"]:
        """Returns U of the gates."""
        return _gates_and_candidate(self.recurrent_kernel, self.gates)[0]

    def unit_weights(self) -> tuple[Array, Array]:
        """Returns b, and U of the candidate."""
        return self.bias, _gates_and_candidate(self.recurrent_kernel, self.gates)[1]


class GRUCell(_GatedCell):
    """A GRU's weights; see `gru_update` and `gru_reset_before_update`.

    Attributes:
      reset_after: Whether the reset gate acts after the recurrent product or before it.
    """

    reset_after: bool = True

    def setup(self):
        super().setup()
        if self.reset_after:
            self.candidate_bias = self.param(
                "candidate_bias", nn.initializers.zeros, (self.hidden_size,)
            )

    def draw(self, rows: int) -> Float[Array, "hidden blocks_hidden"]:
        """Returns U, of the gates alone where the candidate has a product of its own."""
        return self.recurrent_kernel if self.reset_after else super().draw(rows)

    def unit_weights(self) -> tuple[Array, Array]:
        """Returns the weights of the update."""
        return (self.bias, self.candidate_bias) if self.reset_after else super().unit_weights()

    @property
    def update_fn(self):
        """`gru_update`, or `gru_reset_before_update`."""
        if self.reset_after:
            return gru_update
        return functools.partial(gru_reset_before_update, dtype=compute_dtype_of(self))

    @property
    def gradient_fns(self):
        """`gru_keep`, `gru_pull` and `gru_add`, where they are the update."""
        return (
            GradientFns(gru_keep, gru_pull, gru_add) if self.reset_after else super().gradient_fns
        )


class MGUCell(_GatedCell):
    """A minimal gated unit's weights; see `mgu_update`."""

    gates = 1

    @property
    def update_fn(self):
        """`mgu_update`."""
        return functools.partial(mgu_update, dtype=compute_dtype_of(self))

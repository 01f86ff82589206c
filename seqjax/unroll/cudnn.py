"""A standard LSTM along time by cuDNN: on a GPU, in full float32, and never without being asked.

Before a process first uses it, cuDNN shows on a small batch that it computes what the reference
does: the layout of its buffer of weights is nowhere promised, and JAX's binding is experimental.
"""

import functools
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from seqjax.cells.lstm import LSTMCell
from seqjax.cells.lstm_step import LSTMCarry
from seqjax.cells.lstm_variant import STANDARD
from seqjax.cells.noise import compute_dtype_of, noisy
from seqjax.masking import length_mask, reverse_within_lengths, where_valid
from seqjax.unroll.scan import scan_time

TOLERANCE = 1e-4
"""Largest difference from the reference that is taken for rounding, which in float32 makes a tenth
of it at the most; with products of TensorFloat-32 it is more."""


class Kernels(NamedTuple):
    """All weights of a standard LSTM, blocks in the order i f g o."""

    input_kernel: Float[Array, "features four_hidden"]
    recurrent_kernel: Float[Array, "hidden four_hidden"]
    bias: Float[Array, " four_hidden"]


def cudnn_scan(
    cell: Any,
    carry: Any,
    inputs: Float[Array, "batch time features"],
    lengths: Int[Array, " batch"],
    *,
    reverse: bool = False,
) -> tuple[LSTMCarry, Float[Array, "batch time hidden"]]:
    """Returns the carry after the last valid step and the outputs, 0 at padding.

    JAX cannot map it over another axis (`vmap`), and cuDNN has its own order of adding up.

    Args:
      cell: An `LSTMCell` of the standard variant and nothing besides.
      carry: State before the first step.
      inputs: Right-padded; finite at padding.
      lengths: Valid steps per row, 0 allowed.
      reverse: Read every row from its own last valid step to its first.

    Raises:
      ValueError: If cuDNN computes no such cell, not in that dtype, or there is no GPU.
      RuntimeError: If it computes something else than `scan`; see `check_parity`.
    """
    _refuse(cell, carry, inputs)
    check_parity()
    kernels = Kernels(cell.input_kernel, cell.recurrent_kernel, cell.bias)
    if reverse:
        carry, outputs = run_lstm(kernels, carry, reverse_within_lengths(inputs, lengths), lengths)
        return carry, reverse_within_lengths(outputs, lengths)
    return run_lstm(kernels, carry, inputs, lengths)


def _refuse(cell: Any, carry: Any, inputs: Array) -> None:
    """Raises ValueError unless cuDNN computes this."""

    def require(holds: bool, takes: str, got: Any) -> None:
        if not holds:
            raise ValueError(f"method 'cudnn' takes {takes}, got {got}")

    require(type(cell) is LSTMCell, "an LSTMCell", type(cell).__name__)
    require(cell.variant == STANDARD, "the standard variant", cell.variant)
    require(cell.output_size is None, "no projection", f"output_size={cell.output_size}")
    require(not cell.normalised, "no layer normalisation", f"normalised={cell.normalised}")
    for name in ("state_dropout", "connection_dropout"):
        rate = getattr(cell, name)
        require(not (rate and noisy(cell)), f"no {name} while learning", f"{name}={rate}")
    dtype = compute_dtype_of(cell)
    require(dtype is None, "no compute_dtype while learning", dtype)
    for leaf in (inputs, *jax.tree.leaves(carry), cell.input_kernel):
        require(leaf.dtype == jnp.float32, "float32", leaf.dtype)
    require(jax.default_backend() == "gpu", "a GPU", jax.default_backend())


def run_lstm(
    kernels: Kernels,
    carry: LSTMCarry,
    inputs: Float[Array, "batch time features"],
    lengths: Int[Array, " batch"],
) -> tuple[LSTMCarry, Float[Array, "batch time hidden"]]:
    """Returns what `cudnn_scan` does, forwards and unchecked.

    cuDNN refuses rows of length 0. They are run for one step, of which neither a value nor a
    gradient remains.
    """
    time = inputs.shape[1]
    if not inputs.size:
        return carry, jnp.zeros((*inputs.shape[:2], carry.hidden.shape[-1]), inputs.dtype)
    steps = jnp.clip(lengths, 1, time).astype(jnp.int32)
    outputs, hidden, cell = _lstm(inputs, carry.hidden, carry.cell, pack(kernels), steps)
    empty = (lengths == 0)[:, None]
    final = LSTMCarry(
        jnp.where(empty, carry.hidden, hidden), jnp.where(empty, carry.cell, cell), carry.gates
    )
    return final, where_valid(length_mask(lengths, time), outputs)


def pack(kernels: Kernels) -> Float[Array, " weights"]:
    """Returns weights as cuDNN wants them: a row for each unit, and two biases to be added up."""
    parts = (
        kernels.input_kernel.T,
        kernels.recurrent_kernel.T,
        kernels.bias,
        jnp.zeros_like(kernels.bias),
    )
    return jnp.concatenate([part.reshape(-1) for part in parts])


def _lstm(
    inputs: Float[Array, "batch time features"],
    hidden: Float[Array, "batch hidden"],
    cell: Float[Array, "batch hidden"],
    weights: Float[Array, " weights"],
    lengths: Int[Array, " batch"],
) -> tuple[Array, Array, Array]:
    """Returns cuDNN's outputs and last hidden and cell state; every length is at least 1."""
    from jax.experimental import rnn  # imported by those alone who ask for it

    results: Any = rnn.lstm(
        inputs,
        hidden[None],  # [layers, batch, hidden]
        cell[None],
        weights,
        lengths,
        input_size=inputs.shape[-1],
        hidden_size=hidden.shape[-1],
        num_layers=1,
        dropout=0.0,
        bidirectional=False,
        precision=jax.lax.Precision.HIGHEST,  # else products are of TensorFloat-32
    )
    outputs, hidden, cell = results
    return outputs, hidden[0], cell[0]


@functools.cache
def check_parity() -> None:
    """Computes once in a process what cuDNN and the reference make of a small ragged batch.

    Values and gradients of everything, a row of length 0 and a carry that is not zero among them.

    Raises:
      RuntimeError: If they differ by more than `TOLERANCE`, or in what is not finite.
    """
    features, size, lengths = 24, 32, np.array([7, 3, 0, 1, 5])
    draw = np.random.default_rng(0).normal
    with jax.ensure_compile_time_eval(), jax.default_matmul_precision("highest"):
        array = lambda *shape: jnp.asarray(draw(size=shape), jnp.float32)
        kernels = Kernels(
            array(features, 4 * size) / features**0.5,
            array(size, 4 * size) / size**0.5,
            array(4 * size),
        )
        carry = LSTMCarry(array(len(lengths), size), array(len(lengths), size))
        inputs = array(len(lengths), max(lengths) + 1, features)
        arguments = jnp.asarray(lengths, jnp.int32), kernels, carry, inputs
        found, expected = (
            jax.jit(functools.partial(_values_and_gradients, run_fn))(*arguments)
            for run_fn in (run_lstm, _reference)
        )
        differences = jax.tree.map(
            lambda one, other: float(jnp.max(jnp.abs(one - other))), found, expected
        )
    where = max(differences, key=lambda name: np.nan_to_num(differences[name], nan=np.inf))
    if not differences[where] <= TOLERANCE:
        raise RuntimeError(
            f"method 'cudnn' differs from 'scan' by up to {differences[where]:.2g} ({where}), more "
            f"than the {TOLERANCE} of rounding; take another method or another version of JAX"
        )


def _reference(
    kernels: Kernels, carry: LSTMCarry, inputs: Array, lengths: Array
) -> tuple[Any, Any]:
    """Returns what `run_lstm` should."""
    step = lambda cell, carry, x: cell(carry, x)
    scan = lambda cell: scan_time(step, cell, carry, inputs, length_mask(lengths, inputs.shape[1]))
    cell = LSTMCell(inputs.shape[-1], carry.hidden.shape[-1], parent=None)
    return nn.apply(scan, cell)({"params": kernels._asdict()})


def _values_and_gradients(
    run_fn: Any, lengths: Array, kernels: Kernels, carry: LSTMCarry, inputs: Array
) -> dict[str, Array]:
    """Returns all results, and all gradients of a loss that sees each of them, by name."""

    def loss(kernels, carry, inputs):
        final, outputs = run_fn(kernels, carry, inputs, lengths)
        results = {"outputs": outputs, "last hidden": final.hidden, "last cell": final.cell}
        waves = [jnp.cos(jnp.arange(leaf.size, dtype=leaf.dtype)) for leaf in results.values()]
        parts = zip(results.values(), waves, strict=True)
        return sum(jnp.sum(leaf.reshape(-1) * wave) for leaf, wave in parts), results

    gradients, results = jax.grad(loss, (0, 1, 2), has_aux=True)(kernels, carry, inputs)
    d_kernels, d_carry, d_inputs = gradients
    named = {**d_kernels._asdict(), "hidden": d_carry.hidden, "cell": d_carry.cell}
    named["inputs"] = d_inputs
    return results | {f"gradient of {name}": leaf for name, leaf in named.items()}

"""An LSTM along time with its gradient written by hand.

Reverse-mode differentiation of a scan adds every step's contribution to the weight gradient to an
accumulator inside the loop: a small product and a pass over the whole kernel at each time step.
Here the backward scan yields only the gradients of the pre-activations; the kernel's gradient
is one product over all time steps after it. Same function, same parameters as the reference.
"""

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from seqjax.cells.lstm import LSTMCarry, LSTMGates, lstm_gates


class _Trace(NamedTuple):
    """What the backward pass needs of every step, time first."""

    gates: Float[Array, "time batch four_hidden"]
    hidden: Float[Array, "time batch hidden"]
    cell: Float[Array, "time batch hidden"]


def fused_lstm(
    recurrent_kernel: Float[Array, "hidden four_hidden"],
    bias: Float[Array, " four_hidden"],
    carry: LSTMCarry,
    projected: Float[Array, "time batch four_hidden"],
    mask: Bool[Array, "time batch"],
    *,
    reverse: bool = False,
) -> tuple[LSTMCarry, Float[Array, "time batch hidden"]]:
    """Returns the carry after the last valid step and the outputs, 0 at padding; time first.

    Args:
      recurrent_kernel: As in `lstm_step`.
      bias: As in `lstm_step`.
      carry: State before the first step.
      projected: The inputs' share of the gates for all steps.
      mask: True where a step is valid; elsewhere the carry passes through.
      reverse: Run from the last time step to the first.
    """
    carried: Any = _carried_lstm(reverse, recurrent_kernel, bias, carry, projected, mask)
    final, hidden = carried
    return final, jnp.where(mask[..., None], hidden, jnp.zeros((), hidden.dtype))


def _forward(reverse, recurrent_kernel, bias, carry, projected, mask):
    def body(carry, scanned):
        projected, valid = scanned
        gates = lstm_gates(projected + carry.hidden @ recurrent_kernel + bias[None])
        cell = gates.f * carry.cell + gates.i * gates.g
        hidden = gates.o * jnp.tanh(cell)
        keep = valid[:, None]
        carry = LSTMCarry(jnp.where(keep, hidden, carry.hidden), jnp.where(keep, cell, carry.cell))
        return carry, _Trace(jnp.concatenate(gates, axis=-1), carry.hidden, carry.cell)

    return jax.lax.scan(body, carry, (projected, mask), reverse=reverse)


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def _carried_lstm(reverse, recurrent_kernel, bias, carry, projected, mask):
    """Returns the final carry and the hidden state carried out of every step."""
    final, trace = _forward(reverse, recurrent_kernel, bias, carry, projected, mask)
    return final, trace.hidden


def _carried_lstm_forward(reverse, recurrent_kernel, bias, carry, projected, mask):
    final, trace = _forward(reverse, recurrent_kernel, bias, carry, projected, mask)
    return (final, trace.hidden), (recurrent_kernel, carry, mask, trace)


def _carried_lstm_backward(reverse, residuals, cotangents):
    recurrent_kernel, initial, mask, trace = residuals
    d_final, d_hiddens = cotangents
    previous_hidden = _shift_in(initial.hidden, trace.hidden, reverse)
    previous_cell = _shift_in(initial.cell, trace.cell, reverse)

    def body(d_carry, scanned):
        gates, cell, previous_cell, valid, d_hidden = scanned
        gates = LSTMGates(*jnp.split(gates, 4, axis=-1))
        d_hidden = d_carry.hidden + d_hidden
        tanh_cell = jnp.tanh(cell)
        d_cell = d_carry.cell + d_hidden * gates.o * (1 - tanh_cell**2)
        d_pre = jnp.concatenate(
            [
                d_cell * gates.g * gates.i * (1 - gates.i),
                d_cell * previous_cell * gates.f * (1 - gates.f),
                d_cell * gates.i * (1 - gates.g**2),
                d_hidden * tanh_cell * gates.o * (1 - gates.o),
            ],
            axis=-1,
        )
        keep = valid[:, None]
        d_pre = jnp.where(keep, d_pre, jnp.zeros((), d_pre.dtype))
        d_carry = LSTMCarry(
            jnp.where(keep, d_pre @ recurrent_kernel.T, d_hidden),
            jnp.where(keep, d_cell * gates.f, d_carry.cell),
        )
        return d_carry, d_pre

    d_initial, d_projected = jax.lax.scan(
        body,
        d_final,
        (trace.gates, trace.cell, previous_cell, mask, d_hiddens),
        reverse=not reverse,
    )
    d_kernel = jnp.einsum("tbh,tbg->hg", previous_hidden, d_projected)
    return d_kernel, jnp.sum(d_projected, axis=(0, 1)), d_initial, d_projected, None


_carried_lstm.defvjp(_carried_lstm_forward, _carried_lstm_backward)


def _shift_in(
    initial: Float[Array, "batch hidden"], after: Float[Array, "time batch hidden"], reverse: bool
) -> Float[Array, "time batch hidden"]:
    """Returns the state *before* every step, given the one after each."""
    if reverse:
        return jnp.concatenate([after[1:], initial[None]])
    return jnp.concatenate([initial[None], after[:-1]])

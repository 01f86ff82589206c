"""A cell along time with the gradient of its recurrent product taken once.

Reverse-mode differentiation of a scan adds every step's contribution to a weight's gradient to an
accumulator inside the loop: a small product and a pass over the whole kernel at each time step.
Here the backward scan yields only the gradients of the products' *results*; that of the kernel is
one product over all time steps after it. Same function, same parameters as the reference.

The update between two products works unit by unit and is cheap, so that the backward scan computes
it again rather than to keep what is inside it: all that is kept are the carries and the products.
"""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float


def fused_scan(
    multiply_fn: Callable[[Any, Any], Any],
    update_fn: Callable[[Any, Any, Any, Any], Any],
    drawn: Any,
    unit_weights: Any,
    carry: Any,
    projected: Any,
    mask: Bool[Array, "time batch"],
    *,
    reverse: bool = False,
) -> tuple[Any, Float[Array, "time batch output"]]:
    """Returns the carry after the last valid step and the outputs, 0 at padding; time first.

    Args:
      multiply_fn, update_fn: The two halves of a `ProductCell`'s step, which close over nothing.
      drawn: What is multiplied with.
      unit_weights: Weights of the update; their gradients are few, and added up in the loop.
      carry: State before the first step.
      projected: The inputs' share of the update for all steps, leaves `[time, batch, ...]`.
      mask: True where a step is valid; elsewhere the carry passes through.
      reverse: Run from the last time step to the first.
    """
    carried: Any = _carried(
        multiply_fn, update_fn, reverse, drawn, unit_weights, carry, projected, mask
    )
    final, hidden = carried
    return final, jnp.where(mask[..., None], hidden, jnp.zeros((), hidden.dtype))


def _forward(multiply_fn, update_fn, reverse, drawn, unit_weights, carry, projected, mask):
    """Returns the final carry; and, for every step, the carry after it and its product."""

    def body(carry, scanned):
        projected, valid = scanned
        product = multiply_fn(drawn, carry.hidden)
        new = update_fn(unit_weights, carry, projected, product)
        carry = jax.tree.map(functools.partial(jnp.where, valid[:, None]), new, carry)
        return carry, (carry, product)

    return jax.lax.scan(body, carry, (projected, mask), reverse=reverse)


@functools.partial(jax.custom_vjp, nondiff_argnums=(0, 1, 2))
def _carried(multiply_fn, update_fn, reverse, drawn, unit_weights, carry, projected, mask):
    """Returns the final carry and the hidden state carried out of every step."""
    final, (carries, _) = _forward(
        multiply_fn, update_fn, reverse, drawn, unit_weights, carry, projected, mask
    )
    return final, carries.hidden


def _carried_forward(multiply_fn, update_fn, reverse, drawn, unit_weights, carry, projected, mask):
    final, (carries, products) = _forward(
        multiply_fn, update_fn, reverse, drawn, unit_weights, carry, projected, mask
    )
    residuals = drawn, unit_weights, carry, carries, products, projected, mask
    return (final, carries.hidden), residuals


def _carried_backward(multiply_fn, update_fn, reverse, residuals, cotangents):
    drawn, unit_weights, initial, carries, products, projected, mask = residuals
    d_final, d_hiddens = cotangents
    before = jax.tree.map(functools.partial(_shift_in, reverse), initial, carries)
    _, pull_hidden = jax.vjp(functools.partial(multiply_fn, drawn), initial.hidden)  # linear

    def body(state, scanned):
        d_carry, d_weights = state
        before, product, projected, valid, d_hidden = scanned
        d_carry = d_carry._replace(hidden=d_carry.hidden + d_hidden)
        valid = valid[:, None]
        zero = lambda leaf: jnp.zeros((), leaf.dtype)
        d_new = jax.tree.map(lambda leaf: jnp.where(valid, leaf, zero(leaf)), d_carry)
        _, pull = jax.vjp(update_fn, unit_weights, before, projected, product)
        d_here, d_before, d_projected, d_product = pull(d_new)
        (d_multiplied,) = pull_hidden(d_product)
        d_before = d_before._replace(hidden=d_before.hidden + d_multiplied)
        d_carry = jax.tree.map(functools.partial(jnp.where, valid), d_before, d_carry)
        d_weights = jax.tree.map(jnp.add, d_weights, d_here)
        return (d_carry, d_weights), (d_projected, d_product)

    start = d_final, jax.tree.map(jnp.zeros_like, unit_weights)
    (d_initial, d_weights), (d_projected, d_products) = jax.lax.scan(
        body, start, (before, products, projected, mask, d_hiddens), reverse=not reverse
    )
    _, pull_drawn = jax.vjp(lambda drawn: multiply_fn(drawn, before.hidden), drawn)
    (d_drawn,) = pull_drawn(d_products)
    return d_drawn, d_weights, d_initial, d_projected, None


_carried.defvjp(_carried_forward, _carried_backward)


def _shift_in(
    reverse: bool, initial: Float[Array, "batch size"], after: Float[Array, "time batch size"]
) -> Float[Array, "time batch size"]:
    """Returns the state *before* every step, given the one after each."""
    if reverse:
        return jnp.concatenate([after[1:], initial[None]])
    return jnp.concatenate([initial[None], after[:-1]])

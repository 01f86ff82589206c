"""A cell along time with the gradient of its recurrent product taken once.

Reverse-mode differentiation of a scan adds every step's contribution to a weight's gradient to an
accumulator inside the loop: a small product and a pass over the whole kernel at each time step.
Here the backward scan yields only the gradients of the products' *results*; that of the kernel is
one product over all time steps after it. Same function, same parameters as the reference.

What goes from the forward to the backward scan is the carry before every step, from which outputs
are read as well, and what the cell itself chooses to keep of its update.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from seqjax.cells.product import features_first


class StepFns(NamedTuple):
    """The parts of a `ProductCell`'s step; see there. They close over nothing."""

    multiply_fn: Callable[[Any, Any], Any]
    keep_fn: Callable[[Any, Any, Any, Any], tuple[Any, tuple[Any, Any]]]
    pull_fn: Callable[[Any, Any, Any, Any], tuple[Any, Any, Any, Any]]
    add_fn: Callable[[Any, Any, Any], Any]


def fused_scan(
    fns: StepFns,
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
      fns: One time step.
      drawn: What is multiplied with.
      unit_weights: Weights of the update; what `pull_fn` says of their gradients is added up in
        the loop.
      carry: State before the first step.
      projected: The inputs' share of the update for all steps, leaves `[time, batch, ...]`.
      mask: True where a step is valid; elsewhere the carry passes through.
      reverse: Run from the last time step to the first.
    """
    found: Any = _scan(fns, reverse, drawn, unit_weights, carry, projected, mask)
    final, before = found  # before: of the hidden state
    if reverse:
        after = jnp.concatenate([final.hidden[None], before[:-1]])
    else:
        after = jnp.concatenate([before[1:], final.hidden[None]])
    return final, jnp.where(mask[..., None], after, jnp.zeros((), after.dtype))


@functools.partial(jax.custom_vjp, nondiff_argnums=(0, 1))
def _scan(fns, reverse, drawn, unit_weights, carry, projected, mask):
    """Returns the final carry and the hidden state before every step."""

    def body(before, scanned):
        projected, valid = scanned
        carry, _ = _step(fns, drawn, unit_weights, before, projected, valid)
        return carry, before.hidden

    return jax.lax.scan(body, carry, (projected, mask), reverse=reverse)


def _step(fns, drawn, unit_weights, before, projected, valid):
    product = fns.multiply_fn(drawn, before.hidden)
    new, kept = fns.keep_fn(unit_weights, before, projected, product)
    return jax.tree.map(functools.partial(jnp.where, valid[:, None]), new, before), kept


def _scan_forward(fns, reverse, drawn, unit_weights, carry, projected, mask):
    def body(state, scanned):
        before, stored = state
        time, valid = scanned
        here = jax.tree.map(lambda s: jax.lax.dynamic_index_in_dim(s, time, 0, False), stored)
        after, (instead, more) = _step(fns, drawn, unit_weights, before, here, valid)
        if instead is not here:
            put = lambda s, new: jax.lax.dynamic_update_index_in_dim(s, new, time, 0)
            stored = jax.tree.map(put, stored, instead)
        return (after, stored), (before, more)

    times = jnp.arange(mask.shape[0])
    (final, stored), (befores, more) = jax.lax.scan(
        body, (carry, projected), (times, mask), reverse=reverse
    )
    return (final, befores.hidden), (drawn, unit_weights, carry, befores, (stored, more), mask)


def _scan_backward(fns, reverse, residuals, cotangents):
    drawn, unit_weights, initial, befores, kept, mask = residuals
    d_final, d_befores = cotangents
    _, pull_hidden = jax.vjp(functools.partial(fns.multiply_fn, drawn), initial.hidden)  # linear

    def body(state, scanned):
        d_carry, d_weights = state
        before, kept, valid, d_hidden = scanned
        valid = valid[:, None]
        zero = lambda leaf: jnp.zeros((), leaf.dtype)
        d_new = jax.tree.map(lambda leaf: jnp.where(valid, leaf, zero(leaf)), d_carry)
        d_here, d_before, d_projected, d_product = fns.pull_fn(unit_weights, before, kept, d_new)
        (d_multiplied,) = pull_hidden(d_product)
        d_before = d_before._replace(hidden=d_before.hidden + d_multiplied)
        d_carry = jax.tree.map(functools.partial(jnp.where, valid), d_before, d_carry)
        d_carry = d_carry._replace(hidden=d_carry.hidden + d_hidden)
        d_weights = jax.tree.map(jnp.add, d_weights, d_here)
        # An update that sees only the sum of both has one gradient, which is written down once.
        d_own_product = () if d_product is d_projected else d_product
        return (d_carry, d_weights), (d_projected, d_own_product)

    start = d_final, jax.tree.map(jnp.zeros_like, unit_weights)
    (d_initial, d_weights), (d_projected, d_products) = jax.lax.scan(
        body, start, (befores, kept, mask, d_befores), reverse=not reverse
    )
    hidden = features_first(befores.hidden)
    _, pull_drawn = jax.vjp(lambda drawn: fns.multiply_fn(drawn, hidden), drawn)
    d_products = d_products if jax.tree.leaves(d_products) else d_projected
    (d_drawn,) = pull_drawn(d_products)
    d_weights = fns.add_fn(d_weights, d_projected, d_products)
    return d_drawn, d_weights, d_initial, d_projected, None


_scan.defvjp(_scan_forward, _scan_backward)

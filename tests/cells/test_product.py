"""Products of rounded operands, beside the same sums in float64."""

import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest

from seqjax.cells.dense import Dense
from seqjax.cells.product import contract, multiply, product

BFLOAT16 = jnp.dtype(jnp.bfloat16)
KEY = jax.random.key(0)


def rounded(array):
    """Returns float64 numbers that bfloat16 has."""
    return np.asarray(array).astype(ml_dtypes.bfloat16).astype(np.float64)


def drawn(*shape):
    return jnp.asarray(np.random.default_rng(len(shape)).normal(size=shape), jnp.float32)


@pytest.mark.parametrize(
    ("spec", "left", "right"),
    (
        ("...f,fn->...n", (5, 3), (3, 4)),
        ("...f,fn->...n", (2, 5, 3), (3, 4)),
        ("...hs,hst->...ht", (5, 2, 3), (2, 3, 4)),
        ("bqs,bsf->bqf", (2, 3, 4), (2, 4, 5)),
    ),
)
def test_operands_are_rounded_and_sums_are_not_in_value_and_gradients(spec, left, right):
    left, right = drawn(*left), drawn(*right)
    found, pull = jax.vjp(lambda *sides: contract(spec, *sides, BFLOAT16), left, right)
    d_found = jnp.cos(jnp.arange(found.size, dtype=jnp.float32)).reshape(found.shape)
    inputs, out = spec.replace("...", "xy"[: found.ndim - 1 - ("h" in spec)]).split("->")
    one, other = inputs.split(",")
    expected = (
        np.einsum(f"{one},{other}->{out}", rounded(left), rounded(right)),
        np.einsum(f"{out},{other}->{one}", rounded(d_found), rounded(right)),
        np.einsum(f"{one},{out}->{other}", rounded(left), rounded(d_found)),
    )
    for array, sums in zip((found, *pull(d_found)), expected, strict=True):
        assert array.dtype == jnp.float32
        np.testing.assert_allclose(array, sums, rtol=1e-5, atol=1e-6)
    assert np.max(np.abs(found - contract(spec, left, right))) > 1e-3


def test_what_is_not_rounded_is_the_product_of_numpy_to_the_last_bit():
    inputs, kernel = drawn(2, 5, 3), drawn(3, 4)
    for multiply_fn in (multiply, product):
        np.testing.assert_array_equal(multiply_fn(inputs, kernel), inputs @ kernel)
        pulled, expected = (
            jax.grad(lambda *sides, fn=fn: jnp.sum(jnp.sin(fn(*sides))), (0, 1))(inputs, kernel)
            for fn in (multiply_fn, jnp.matmul)
        )
        jax.tree.map(functools.partial(np.testing.assert_allclose, rtol=1e-5), pulled, expected)


def test_the_gradients_of_many_equal_rows_add_up():
    """In bfloat16, a sum of equal terms stands still at 256 of them."""
    rows, features, size = (64, 64), 3, 2
    dense = Dense(size, compute_dtype=BFLOAT16)
    inputs = jnp.full((*rows, features), 1 / 3)
    params = dense.init(KEY, inputs)
    apply = lambda params: dense.apply(params, inputs, rngs={"dropout": KEY})
    gradient = jax.grad(lambda params: jnp.sum(apply(params)))(params)["params"]
    np.testing.assert_array_equal(gradient["bias"], [4096] * size)
    np.testing.assert_allclose(gradient["kernel"], 4096 * rounded(1 / 3), rtol=1e-6)


@pytest.mark.parametrize("use_bias", (True, False))
def test_a_dense_layer_is_that_of_flax_to_the_last_bit(use_bias):
    inputs = drawn(2, 5, 3)
    ours, theirs = Dense(4, use_bias, compute_dtype=BFLOAT16), nn.Dense(4, use_bias)
    params = ours.init(KEY, inputs)
    jax.tree.map(np.testing.assert_array_equal, params, theirs.init(KEY, inputs))
    moved = jax.tree.map(lambda leaf: leaf + 0.1, params)
    exact = theirs.apply(moved, inputs)
    np.testing.assert_array_equal(ours.apply(moved, inputs), exact)
    learning = ours.apply(moved, inputs, rngs={"dropout": KEY})
    assert 1e-4 < np.max(np.abs(learning - exact)) < 0.05

"""Products: what their operands are rounded to, and how their gradients are had fast."""

import functools

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from seqjax.types import ComputeDtype


def contract(
    spec: str, left: Float[Array, "..."], right: Float[Array, "..."], dtype: ComputeDtype = None
) -> Float[Array, "..."]:
    """Returns `einsum(spec, left, right)`, perhaps of operands that are rounded first.

    Every product of a model is this one. Rounded operands are multiplied exactly and added up in
    the type that `left` has, forwards and backwards: what comes out, a weight's gradient too, has
    not been rounded, and what is added to it, a bias say, need not be. The operands of the
    gradient's products are rounded alike.

    Args:
      spec: As einsum has it, with `->`. Each index stands in two of the three.
      left, right: Of one type.
      dtype: What they are rounded to; None leaves them as they are.

    References:
      Micikevicius et al., "Mixed precision training", 2018, section 3.3, of the sums; Kalamkar et
      al., "A study of BFLOAT16 for deep learning training", 2019.

    >>> third = jnp.full((1, 1), 1 / 3)
    >>> for dtype in (None, jnp.dtype(jnp.bfloat16)):
    ...     print(contract("ij,jk->ik", third, third, dtype))
    [[0.11111112]]
    [[0.11154556]]
    """
    return jnp.einsum(spec, left, right) if dtype is None else _rounded(spec, dtype, left, right)


@functools.partial(jax.custom_vjp, nondiff_argnums=(0, 1))
def _rounded(spec, dtype, left, right):
    return _rounded_forward(spec, dtype, left, right)[0]


def _rounded_forward(spec, dtype, left, right):
    operands = left.astype(dtype), right.astype(dtype)
    return _summed(spec, *operands, left.dtype), operands


def _rounded_backward(spec, dtype, operands, d_product):
    # JAX would multiply with a gradient that is not rounded, in float32, and round what comes out.
    left, right = operands
    inputs, out = spec.split("->")
    of_left, of_right = inputs.split(",")
    rounded, wide = d_product.astype(dtype), d_product.dtype
    return (
        _summed(f"{out},{of_right}->{of_left}", rounded, right, wide),
        _summed(f"{of_left},{out}->{of_right}", left, rounded, wide),
    )


def _summed(spec, left, right, wide):
    """Returns the einsum, in the type `wide`, of operands that are narrower."""

    def widened(left, right):  # XLA has not all such products on a CPU
        return jnp.einsum(spec, left.astype(wide), right.astype(wide))

    narrow = functools.partial(jnp.einsum, spec, preferred_element_type=wide)
    return jax.lax.platform_dependent(left, right, cpu=widened, default=narrow)


_rounded.defvjp(_rounded_forward, _rounded_backward)


def multiply(
    inputs: Float[Array, "*rows features"],
    kernel: Float[Array, "features size"],
    dtype: ComputeDtype = None,
) -> Float[Array, "*rows size"]:
    """Returns `inputs @ kernel`; for `dtype` see `contract`."""
    return contract("...f,fn->...n", inputs, kernel, dtype)


def product(
    inputs: Float[Array, "*rows features"],
    kernel: Float[Array, "features size"],
    dtype: ComputeDtype = None,
) -> Float[Array, "*rows size"]:
    """Returns `multiply`, whose gradient to the kernel reads the inputs feature by feature if
    nothing is rounded."""
    return _by_feature(inputs, kernel) if dtype is None else multiply(inputs, kernel, dtype)


@jax.custom_jvp
def _by_feature(inputs, kernel):
    return inputs @ kernel


@_by_feature.defjvp
def _by_feature_jvp(primals, tangents):
    (inputs, kernel), (d_inputs, d_kernel) = primals, tangents
    return inputs @ kernel, d_inputs @ kernel + features_first(inputs) @ d_kernel


def features_first(inputs: Float[Array, "*rows features"]) -> Float[Array, "*rows features"]:
    """Returns the same, laid out in memory feature by feature.

    A product that sums over all rows is faster so on a CPU, also if the copy is counted:
    `benchmarks/README.md` says by how much. Time and batch stay two axes: rows that are dealt to
    several devices could not be told from steps otherwise, and each device would ask for all.
    """
    by_feature = jax.lax.optimization_barrier(jnp.moveaxis(inputs, -1, 0))
    return jnp.moveaxis(by_feature, 0, -1)

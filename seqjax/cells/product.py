"""The product of a layer's inputs at all time steps, and how its gradient is had fast."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


@jax.custom_jvp
def product(
    inputs: Float[Array, "*rows features"], kernel: Float[Array, "features size"]
) -> Float[Array, "*rows size"]:
    """Returns `inputs @ kernel`; its gradient to the kernel reads the inputs feature by feature."""
    return inputs @ kernel


@product.defjvp
def _product_jvp(primals, tangents):
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

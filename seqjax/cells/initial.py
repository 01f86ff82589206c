"""How weights start: kernels by gate, and biases that decide how long a fresh cell remembers."""

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array

from seqjax.types import Key


def orthogonal_blocks(blocks: int):
    """Returns an initialiser of one orthogonal matrix per gate, side by side on the last axis.

    Each gate keeps the norm of what it reads; of a matrix that is not square (a recurrent kernel
    under a projection), the shorter side is orthonormal.

    References:
      Saxe, McClelland & Ganguli, "Exact solutions to the nonlinear dynamics of learning in deep
      linear neural networks", 2014.
    """

    def init(key: Key, shape: tuple[int, int], dtype=jnp.float32) -> Array:
        orthogonal = nn.initializers.orthogonal()
        rows, columns = shape[0], shape[1] // blocks
        keys = jax.random.split(key, blocks)
        return jnp.concatenate([orthogonal(k, (rows, columns), dtype) for k in keys], axis=1)

    return init


def chrono_bias(key: Key, size: int, longest: int) -> Array:
    """Returns forget-gate biases for memories that last between 1 and `longest - 1` steps.

    A forget gate of bias b holds on for about `1 + exp(b)` steps; these are `log(U(1, T - 1))`. The
    input gate takes their negative.

    Args:
      key: Of the draw.
      size: How many.
      longest: T, the steps over which something may have to be remembered; at least 3.

    Raises:
      ValueError: If `longest` is less than 3: there is nothing to draw between.

    References:
      Tallec & Ollivier, "Can recurrent neural networks warp time?", 2018, section 3.
    """
    if longest < 3:
        raise ValueError(f"longest must be at least 3, got {longest}")
    return jnp.log(jax.random.uniform(key, (size,), minval=1.0, maxval=longest - 1.0))

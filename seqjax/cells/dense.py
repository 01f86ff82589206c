"""An affine map whose product may be of rounded operands, and whose bias is not rounded."""

import flax.linen as nn
from jaxtyping import Array, Float

from seqjax.cells.noise import compute_dtype_of
from seqjax.cells.product import multiply
from seqjax.types import ComputeDtype


class Dense(nn.Module):
    """`x W + b`: the weights and names of `nn.Dense`, started alike.

    `nn.Dense(dtype=bfloat16)` adds a bias in bfloat16 and its gradient up over all rows and times
    there, where a sum stops growing once its terms are less than about a 256th of it. Here only the
    operands of the product are rounded.

    Attributes:
      features: Of the result.
      use_bias: Whether there is a b.
      compute_dtype: What the operands are rounded to while learning.
    """

    features: int
    use_bias: bool = True
    compute_dtype: ComputeDtype = None

    @nn.compact
    def __call__(self, inputs: Float[Array, "*rows features"]) -> Float[Array, "*rows size"]:
        shape = inputs.shape[-1], self.features
        kernel = self.param("kernel", nn.initializers.lecun_normal(), shape)
        outputs = multiply(inputs, kernel, compute_dtype_of(self))
        if self.use_bias:
            bias = self.param("bias", nn.initializers.zeros, (self.features,))
            outputs += bias.reshape((1,) * (outputs.ndim - 1) + (-1,))
        return outputs

"""The bridge: how what an encoder has read starts the layers of a decoder."""

import itertools
from collections.abc import Sequence
from typing import Any, Literal

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from seqjax.cells.cell import Cell, RecurrentCell, carry_features
from seqjax.cells.dense import Dense
from seqjax.models.encoder import Encoded
from seqjax.types import ComputeDtype


class Bridge(nn.Module):
    """How what the encoder has read starts the decoder's layers.

    `linear`: every layer gets its own affine map of the state of the encoder's top layer. `mean`:
    the same of the mean of the encoder's outputs. `copy`: layer by layer as it is; where the
    encoder has fewer layers its top one serves the rest. `zeros`: nothing is handed over.

    Attributes:
      kind: See above.
      compute_dtype: What the operands of a map's product are rounded to while learning.

    References:
      The maps are those of Bahdanau et al., 2015, appendix A.2.2, and, of the mean, of Nematus
      (Sennrich et al., 2017); copying is that of Luong et al., 2015.
    """

    kind: Literal["linear", "mean", "copy", "zeros"]
    compute_dtype: ComputeDtype = None

    @nn.compact
    def __call__(self, encoded: Encoded, cells: Sequence[Cell]) -> tuple[Any, ...]:
        """Returns a carry for each of the cells.

        Raises:
          ValueError: If states are to be copied that do not fit.
        """
        rows, last = encoded.outputs.shape[0], len(encoded.carries) - 1
        started = []
        for depth, cell in enumerate(cells):
            nothing = cell.initial_carry(rows)
            match self.kind:
                case "zeros":
                    started.append(nothing)
                case "copy":
                    carry = encoded.carries[min(depth, last)]
                    _refuse_other_carry(nothing, carry, depth)
                    started.append(carry)
                case "linear" | "mean":
                    features = self._features(encoded)
                    ours = isinstance(cell, RecurrentCell)
                    sizes = [leaf.shape[-1] for leaf in jax.tree.leaves(nothing)]
                    size = cell.start_size if ours else sum(sizes)
                    dense = Dense(size, compute_dtype=self.compute_dtype, name=f"layer_{depth}")
                    mapped = dense(features)
                    started.append(cell.start(mapped) if ours else _dealt(nothing, mapped))
        return tuple(started)

    def _features(self, encoded: Encoded) -> Float[Array, "batch features"]:
        if self.kind == "linear":
            return carry_features(encoded.carries[-1])
        count = jnp.maximum(encoded.lengths, 1)[:, None].astype(encoded.outputs.dtype)
        return jnp.sum(encoded.outputs, axis=1) / count


def _refuse_other_carry(wanted: Any, got: Any, depth: int) -> None:
    shapes = [jax.tree.map(lambda leaf: leaf.shape[1:], carry) for carry in (wanted, got)]
    if shapes[0] != shapes[1]:
        raise ValueError(
            f"bridge 'copy' must find the state of decoder layer {depth} in the encoder: it is "
            f"{shapes[0]} there, {shapes[1]} here"
        )


def _dealt(carry: Any, features: Float[Array, "rows features"]) -> Any:
    """Returns a carry of the same shapes, filled with the features one leaf after the other."""
    leaves, structure = jax.tree.flatten(carry)
    ends = list(itertools.accumulate(leaf.shape[-1] for leaf in leaves))
    return structure.unflatten(jnp.split(features, ends[:-1], axis=-1))

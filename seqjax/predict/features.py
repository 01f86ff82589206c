"""Sources in, states of a trained model out: what it has learnt, as features for another one."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from seqjax.predict.labels import Sayer, SayFn
from seqjax.predict.voices import Weights
from seqjax.types import Padded

Pool = Literal["steps", "mean", "max", "last"]
"""All outputs of the top layer, their mean or highest unit by unit, or the last one."""


def encoder_outputs(model: Any) -> SayFn:
    """Returns what gives the outputs of a model's encoder, `Padded`."""

    def outputs(weights: Weights, source: Padded) -> Padded:
        encode = lambda module, source: module.encoder(source)
        encoded = model.apply({"params": weights.members[0]}, source, method=encode)
        return Padded(encoded.outputs, encoded.lengths)

    return outputs


def language_outputs(model: Any) -> SayFn:
    """Returns what gives those of a language model's top layer after each token, `Padded`."""

    def outputs(weights: Weights, source: Padded) -> Padded:
        carry = model.initial_carry(source.lengths.shape[0])
        variables = {"params": weights.members[0]}
        _, shown = model.apply(variables, source, carry, mutable="intermediates")
        return Padded(shown["intermediates"]["outputs"], source.lengths)

    return outputs


def features_of(
    sayer: Sayer, weights: Weights, sources: Sequence[str], pool: Pool
) -> list[np.ndarray]:
    """Returns the features of each source: `[steps, features]`, or `[features]` if pooled.

    There are as many steps as the model has outputs: those of the source, or fewer of a pyramid. Of
    a source without steps they are `[0, features]`, or zeros.

    Args:
      sayer: Of `encoder_outputs` or `language_outputs`.
      weights: Of the model.
      sources: What is read.
      pool: See `Pool`.
    """
    found = {
        number: _pooled(outputs.values[: outputs.lengths], pool)
        for number, _, outputs in sayer(weights, sources)
    }
    width = next(iter(found.values())).shape[-1] if found else 0
    nothing = np.zeros((0, width) if pool == "steps" else width, np.float32)
    return [found.get(number, nothing) for number in range(len(sources))]


def _pooled(outputs: np.ndarray, pool: Pool) -> np.ndarray:
    match pool:
        case "steps":
            return outputs
        case "mean":
            return outputs.mean(axis=0)
        case "max":
            return outputs.max(axis=0)
        case "last":
            return outputs[-1]

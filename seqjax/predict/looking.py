"""Where a model with attention looks while it says something."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from seqjax.config import ModelConfig
from seqjax.data.coding import PairCoder, encode_pairs
from seqjax.data.readers import Pairs
from seqjax.predict.answer import silent
from seqjax.report.attention import AttentionExample
from seqjax.train.compiled import AnnounceFn, Compiled
from seqjax.types import Parameters

LookFn = Callable[[Parameters, Pairs], list[AttentionExample]]
"""Where each target token of each pair looked; empty of a model that does not look."""


def looks_nowhere(params: Parameters, pairs: Pairs) -> list[AttentionExample]:
    """The `LookFn` of a model without attention."""
    return []


class Attention:
    """Gives the attention of an encoder-decoder at each token of given targets."""

    def __init__(
        self, config: ModelConfig, model: Any, coder: PairCoder, announce: AnnounceFn = silent
    ):
        def weights(params: Parameters, batch: Any):
            found: Any = model.apply({"params": params}, *batch)
            return found[1]

        self._config, self._coder = config, coder
        self._weights_fn = Compiled(weights, announce, lambda params, batch: "attention")

    def __call__(self, params: Parameters, pairs: Pairs) -> list[AttentionExample]:
        """Returns where each target token of each pair looked; empty without attention."""
        if self._config.attention == "none" or not pairs.sources:
            return []
        coder = self._coder
        examples = encode_pairs(pairs, coder)
        count = len(pairs.sources)
        batch = [
            side.padded(np.arange(count), count, int(side.lengths.max()), coder.target.pad_id)
            for side in examples
        ]
        weights = np.asarray(self._weights_fn(params, jax.tree.map(jnp.asarray, batch)))
        # Tokens of a position.
        together = 2 ** (self._config.encoder_layers - 1) if self._config.pyramid else 1
        found = []
        for row, (source, said) in enumerate(zip(pairs.sources, examples.targets, strict=True)):
            tokens = coder.steps(source)
            starts = range(0, len(tokens), together)
            read = [coder.source.join(tokens[start : start + together]) for start in starts]
            answer = [*coder.said(said.tolist(), source), "EOS"]
            found.append(AttentionExample(read, answer, weights[row, : len(said), : len(read)]))
        return found

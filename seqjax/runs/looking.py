"""Where a model with attention looks while it says something."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from seqjax.build.data import build_coder, encode_pairs
from seqjax.config import Config
from seqjax.data.readers import Pairs
from seqjax.data.vocabulary import Vocabulary
from seqjax.predict.answer import silent
from seqjax.report.attention import AttentionExample
from seqjax.train.compiled import AnnounceFn, Compiled
from seqjax.types import Parameters


class Attention:
    """Gives the attention of a text-to-text model at each token of given targets."""

    def __init__(
        self,
        config: Config,
        model: Any,
        vocabularies: Mapping[str, Vocabulary],
        announce: AnnounceFn = silent,
    ):
        def weights(params: Parameters, batch: Any):
            found: Any = model.apply({"params": params}, *batch)
            return found[1]

        self._model = config.model
        self._coder = build_coder(config, dict(vocabularies))
        self._weights_fn = Compiled(weights, announce, lambda params, batch: "attention")

    def __call__(self, params: Parameters, pairs: Pairs) -> list[AttentionExample]:
        """Returns where each target token of each pair looked; empty without attention."""
        if self._model.attention == "none" or not pairs.sources:
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
        together = 2 ** (self._model.encoder_layers - 1) if self._model.pyramid else 1
        found = []
        for row, (source, said) in enumerate(zip(pairs.sources, examples.targets, strict=True)):
            tokens = coder.source.cut(source)
            starts = range(0, len(tokens), together)
            read = [coder.source.join(tokens[start : start + together]) for start in starts]
            answer = [*coder.said(said.tolist(), source), "EOS"]
            found.append(AttentionExample(read, answer, weights[row, : len(said), : len(read)]))
        return found

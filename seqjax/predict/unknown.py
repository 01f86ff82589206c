"""Unknown tokens of an answer, replaced by what was looked at when they were said."""

from collections.abc import Mapping, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int

from seqjax.data.coding import PairCoder
from seqjax.decode.protocol import Hypotheses
from seqjax.models.seq2seq import Seq2Seq
from seqjax.predict.asker import Read
from seqjax.predict.room import height, padded
from seqjax.train.compiled import AnnounceFn, Compiled
from seqjax.types import Padded, Parameters


class Replacer:
    """Puts source tokens, or what a lexicon has for them, in place of unknown target tokens.

    Where a model looked at each token of an answer is had by teacher forcing.
    """

    def __init__(
        self,
        model: Seq2Seq,
        coder: PairCoder,
        lexicon: Mapping[str, str],
        batch_size: int,
        announce: AnnounceFn,
    ):
        """Args:
        model: Its attention is asked.
        coder: What texts are to it.
        lexicon: Source tokens to target tokens.
        batch_size: Answers that are forced together.
        announce: Told of compilations.
        """

        def looked_at(params: Parameters, source: Padded, said: Padded) -> Int[Array, "rows time"]:
            forced: Any = model.apply({"params": params}, source, said)
            return jnp.argmax(forced[1], axis=-1)

        def label(params, source, said) -> str:
            return f"attention, {source.values.shape[0]} x {source.values.shape[1]} source tokens"

        self._coder, self._lexicon, self._batch_size = coder, lexicon, batch_size
        self._looked_at = Compiled(looked_at, announce, label)

    def __call__(
        self, params: Parameters, reads: Sequence[Read], found: Mapping[int, Hypotheses]
    ) -> dict[tuple[int, int], list[str]]:
        """Returns the tokens of all answers that had unknown ones, by `(index, slot)`.

        Args:
          params: The model's weights.
          reads: The sources.
          found: By index into `reads`.
        """
        unknown = self._coder.target.unk_id
        places = [
            (index, slot)
            for index, hypotheses in found.items()
            for slot in range(len(hypotheses.lengths))
            if unknown in _ids(hypotheses, slot)
        ]
        places.sort(key=lambda place: len(reads[place[0]].sources[0]))
        replaced, size = {}, height(len(places), self._batch_size, width=1)
        for start in range(0, len(places), size):
            part = places[start : start + size]
            source = padded([reads[i].sources[0] for i, _ in part], size, self._coder.source.pad_id)
            said = padded(
                [_ids(found[i], slot) for i, slot in part], size, self._coder.target.pad_id
            )
            looked_at = np.asarray(self._looked_at(params, source, said))
            for row, (index, slot) in enumerate(part):
                ids = _ids(found[index], slot).tolist()
                text = reads[index].request.text
                replaced[index, slot] = self._tokens(ids, text, looked_at[row])
        return replaced

    def _tokens(self, ids: list[int], text: str, looked_at: np.ndarray) -> list[str]:
        own = self._coder.steps(text)
        there = [own[place] for place in looked_at[: len(ids)]]
        return [
            self._lexicon.get(source) or source if one == self._coder.target.unk_id else token
            for one, token, source in zip(ids, self._coder.said(ids, text), there, strict=True)
        ]


def _ids(hypotheses: Hypotheses, slot: int) -> np.ndarray:
    """Returns the ids of an answer, EOS not among them."""
    length = hypotheses.lengths[slot] - hypotheses.finished[slot]
    return np.asarray(hypotheses.tokens[slot, :length])

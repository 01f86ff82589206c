"""Text to text without a decoder: each token of a source says what it stands for."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import jax.numpy as jnp

from seqjax.build.learner import Learner
from seqjax.build.model import build_tagger
from seqjax.build.steps import build_tagger_learner
from seqjax.build.teacher import Teacher
from seqjax.config import DecodeConfig
from seqjax.data.chunks import Chunks
from seqjax.data.coding import AlignedCoder
from seqjax.data.readers import Pairs
from seqjax.data.sides import SideKind
from seqjax.decode.stepwise import stepwise
from seqjax.decode.viterbi import viterbi
from seqjax.predict.answer import Answer
from seqjax.predict.labels import Spellings
from seqjax.predict.voices import Weights
from seqjax.tasks.task import Decoded, Learnt, Vocabularies
from seqjax.tasks.texts import TextTask
from seqjax.train.compiled import AnnounceFn


@dataclasses.dataclass(frozen=True)
class Aligned(TextTask):
    """An encoder reads a source, and each of its outputs gives a chunk of the target; see `Task`.

    Training pairs are aligned once, before training; see `Chunks`. Pairs that cannot be are left
    out of training, and of the likelihood of other data; their sources are answered all the same.

    References:
      Yao & Zweig, "Sequence-to-sequence neural net models for grapheme-to-phoneme conversion",
      2015, section 3.2; there an output also sees the one before it, which here only a chain of
      chunks does (`model.crf`).
    """

    ends: ClassVar[bool] = False
    whole: ClassVar[bool] = True

    @property
    def kinds(self) -> dict[str, SideKind]:
        return {"source": self.config.data.source_tokens, "target": "chunks"}

    def coder_of(self, vocabularies: Vocabularies, most_source: int | None) -> AlignedCoder:
        source, target = vocabularies["source"], vocabularies["target"]
        return AlignedCoder(source, target, most_source=most_source)

    def learner(self, sizes: Mapping[str, int], teachers: Sequence[Teacher] = ()) -> Learner:
        model = build_tagger(
            self.config.model, vocab_size=sizes["source"], num_tags=sizes["target"]
        )
        return build_tagger_learner(model, self.config.objective)

    def answer_fn(self, learnt: Learnt, decode: DecodeConfig, announce: AnnounceFn) -> Spellings:
        """Returns what gives answers; see `Task`.

        As many sequences of chunks as the beam has places are found, exactly; those that spell the
        same text are one answer.
        """
        target = learnt.vocabularies["target"]
        special = jnp.arange(len(target)) < Chunks.specials
        width = 1 if decode.method == "greedy" else decode.beam_size

        def search(weights: Weights, source):
            said: Any = learnt.learner.model.apply({"params": weights.members[0]}, source)
            logits = jnp.where(special[None, None], -jnp.inf, said.logits)
            rest: Any = {"pad_id": target.pad_id, "n_best": width}
            if self.config.model.crf:
                return viterbi(logits, said.lengths, said.transitions, **rest)
            return stepwise(logits, said.lengths, **rest)

        sayer = self.sayer(search, learnt.vocabularies, announce, decode)
        return Spellings(sayer, self.coder(learnt.vocabularies), decode.n_best)

    def judged(
        self,
        answer_fn: Callable[[list[str]], list[list[Answer]]],
        examples: Pairs,
        vocabularies: Vocabularies,
    ) -> Decoded:
        """Answers as `TextTask`, and counts the pairs that cannot be aligned (`unaligned`)."""
        decoded = super().judged(answer_fn, examples, vocabularies)
        left = len(self.possible(examples, vocabularies).sources)
        scores = decoded.scores | {"unaligned": len(examples.sources) - left}
        return decoded._replace(scores=scores)

    def possible(self, pairs: Pairs, vocabularies: Vocabularies) -> Pairs:
        coder = self.coder(vocabularies)
        kept = [pair for pair in pairs.both() if coder.fits(pair[1], pair[0])]
        return Pairs([source for source, _ in kept], [target for _, target in kept], pairs.skipped)

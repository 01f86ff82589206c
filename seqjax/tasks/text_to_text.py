"""Text to text, and vectors to text: say a text, given something that is read."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from seqjax.build.learner import Learner, build_seq2seq_learner
from seqjax.build.model import build_seq2seq
from seqjax.build.own_answers import build_own_answers
from seqjax.build.rules import build_rules
from seqjax.build.teacher import Teacher
from seqjax.config import DecodeConfig
from seqjax.data.vocabulary import Vocabulary
from seqjax.decode.protocol import Symbols
from seqjax.predict.answerer import Answerer
from seqjax.predict.looking import Attention, LookFn
from seqjax.predict.voices import Member
from seqjax.tasks.task import Learnt
from seqjax.tasks.texts import TextTask
from seqjax.train.compiled import AnnounceFn

SYMBOLS = Symbols(Vocabulary.bos_id, Vocabulary.eos_id, Vocabulary.pad_id)


@dataclasses.dataclass(frozen=True)
class TextToText(TextTask):
    """An encoder reads a source, tokens or vectors, and a decoder writes the target; see `Task`."""

    def bounded(self, decode: DecodeConfig, longest_target: int) -> DecodeConfig:
        """Returns a search with a limit on the length of answers, where a source has none to give.

        Args:
          decode: How to search.
          longest_target: Tokens of the longest training target, EOS included.
        """
        if not self.of_vectors or decode.max_length is not None:
            return decode
        return dataclasses.replace(decode, max_length=longest_target + 10)

    def learner(self, sizes: Mapping[str, int], teachers: Sequence[Teacher] = ()) -> Learner:
        model = build_seq2seq(
            self.config.model,
            source_vocab_size=None if self.of_vectors else sizes["source"],
            target_vocab_size=sizes["target"],
            bos_id=Vocabulary.bos_id,
            unk_id=Vocabulary.unk_id,
        )
        objective = self.config.objective
        own_answers = build_own_answers(objective, SYMBOLS, ends=True)
        return build_seq2seq_learner(model, objective, own_answers, teachers)

    def answer_fn(self, learnt: Learnt, decode: DecodeConfig, announce: AnnounceFn) -> Answerer:
        model: Any = learnt.learner.model
        longest = learnt.statistics["longest_target"]
        return Answerer(
            [Member(model, self.coder(learnt.vocabularies))],
            self.bounded(decode, longest),
            build_rules(decode, learnt.vocabularies["target"]),
            longest_target=longest,
            most_source=self.config.data.max_source,
            announce=announce,
        )

    def look_fn(self, learnt: Learnt, announce: AnnounceFn) -> LookFn:
        coder = self.coder(learnt.vocabularies)
        return Attention(self.config.model, learnt.learner.model, coder, announce)

"""Vectors to text without a decoder: each step of the encoder says a label, or nothing (CTC)."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import jax

from seqjax.build.learner import Learner
from seqjax.build.model import build_tagger
from seqjax.build.steps import BLANK_ID, build_ctc_learner
from seqjax.build.teacher import Teacher
from seqjax.config import DecodeConfig
from seqjax.decode.ctc import ctc_greedy
from seqjax.decode.prefix_beam import Language, ctc_beam
from seqjax.errors import InputError
from seqjax.predict.labels import Sequences
from seqjax.predict.voices import Weights
from seqjax.tasks.task import Learnt
from seqjax.tasks.texts import TextTask
from seqjax.train.compiled import AnnounceFn

LanguageFn = Callable[[Weights, int], Language]
"""`(weights, rows) -> Language`: who else has a say."""


@dataclasses.dataclass(frozen=True)
class FramesToText(TextTask):
    """An encoder reads vectors, and labels are what its steps say, blanks between; see `Task`."""

    ends: ClassVar[bool] = False

    def learner(self, sizes: Mapping[str, int], teachers: Sequence[Teacher] = ()) -> Learner:
        model = build_tagger(self.config.model, vocab_size=None, num_tags=sizes["target"])
        return build_ctc_learner(model)

    def answer_fn(
        self,
        learnt: Learnt,
        decode: DecodeConfig,
        announce: AnnounceFn,
        language_fn: LanguageFn | None = None,
    ) -> Sequences:
        """Returns what gives answers; see `Task`.

        Args:
          learnt, announce: As in `Task`.
          decode: Greedy, or a beam of prefixes.
          language_fn: Also listens to a language model.

        Raises:
          InputError: If what is greedy should listen to one.
        """
        if language_fn is not None and decode.method == "greedy":
            raise InputError("--language-model: greedy search listens to none; give --method beam")
        pad_id = learnt.vocabularies["target"].pad_id
        most = learnt.statistics["longest_target"] + 10

        def search(weights: Weights, source):
            said: Any = learnt.learner.model.apply({"params": weights.members[0]}, source)
            log_probs = jax.nn.log_softmax(said.logits)
            if decode.method == "greedy":
                return ctc_greedy(log_probs, said.lengths, blank_id=BLANK_ID, pad_id=pad_id)
            language = language_fn(weights, said.lengths.shape[0]) if language_fn else None
            return ctc_beam(
                log_probs,
                said.lengths,
                blank_id=BLANK_ID,
                pad_id=pad_id,
                width=decode.beam_size,
                max_length=most,
                n_best=decode.n_best,
                language=language,
            )

        sayer = self.sayer(search, learnt.vocabularies, announce, decode)
        return Sequences(sayer, self.coder(learnt.vocabularies))

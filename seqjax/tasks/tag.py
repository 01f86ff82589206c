"""Tagging: say of every token of a text what it is."""

import collections
import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from seqjax.build.learner import Learner, build_step_learner
from seqjax.build.model import build_tagger
from seqjax.build.teacher import Teacher
from seqjax.config import DecodeConfig
from seqjax.data.readers import FitsFn, Pairs
from seqjax.data.sides import SideKind
from seqjax.data.vocabulary import Vocabulary
from seqjax.masking import length_mask
from seqjax.metrics.spans import evaluate_tags
from seqjax.predict.answer import Answer
from seqjax.predict.labels import Tagging
from seqjax.predict.looking import LookFn, looks_nowhere
from seqjax.tasks.pairs import PairTask, not_of_training
from seqjax.tasks.task import Decoded, Simple, TaskData, Vocabularies
from seqjax.train.compiled import AnnounceFn


@dataclasses.dataclass(frozen=True)
class Tag(PairTask):
    """An encoder reads a text, and each of its outputs gives a tag; see `Task`.

    Targets are as many tags as the source has tokens, without an end.
    """

    ends: ClassVar[bool] = False
    searches: ClassVar[bool] = False
    validation_scores: ClassVar[tuple[str, ...]] = ("exact_match", "span_f1")

    @property
    def kinds(self) -> dict[str, SideKind]:
        return {"source": self.config.data.source_tokens, "target": "tags"}

    def fits(self, source: str, target: str) -> str | None:
        tokens = len(Vocabulary(self.config.data.source_tokens, ()).cut(source))
        tags = len(target.split())
        if tokens == tags:
            return None
        kind = "words" if self.config.data.source_tokens == "words" else "characters"
        return f"has {tokens} {kind} and {tags} tags, expected as many tags as {kind}"

    def unseen_fits(self, targets: Iterable[str]) -> FitsFn:
        known = {tag for target in targets for tag in target.split()}
        return lambda source, target: not_of_training("tag", target.split(), known)

    def learner(self, sizes: Mapping[str, int], teachers: Sequence[Teacher] = ()) -> Learner:
        model = build_tagger(
            self.config.model, vocab_size=sizes["source"], num_tags=sizes["target"]
        )
        return build_step_learner(model, self.config.objective)

    def answer_fn(
        self,
        decode: DecodeConfig,
        learner: Learner,
        vocabularies: Vocabularies,
        statistics: Mapping[str, Any],
        announce: AnnounceFn,
    ) -> Tagging:
        def tags_fn(params, source):
            logits: Any = learner.model.apply({"params": params}, source)
            mask = length_mask(source.lengths, logits.shape[1])
            worth = jnp.max(jax.nn.log_softmax(logits), axis=-1)
            return jnp.argmax(logits, axis=-1), jnp.sum(jnp.where(mask, worth, 0.0), axis=1)

        return Tagging(
            tags_fn,
            self.coder(vocabularies),
            batch_size=decode.batch_size,
            max_source=self.config.data.max_source,
            announce=announce,
        )

    def judged(
        self,
        answer_fn: Callable[[list[str]], list[list[Answer]]],
        examples: Pairs,
        vocabularies: Vocabularies,
    ) -> Decoded:
        """Tags every text; each counts, also where a text comes twice."""
        answers = answer_fn(examples.sources)
        wanted = [target.split() for target in examples.targets]
        scores = evaluate_tags([list(found[0].tokens) for found in answers], wanted)
        references = [[target] for target in examples.targets]
        return Decoded(
            examples.sources, references, answers, [len(tags) for tags in wanted], scores
        )

    def look_fn(self, learner: Learner, vocabularies: Vocabularies, announce: AnnounceFn) -> LookFn:
        return looks_nowhere

    def simple(self, data: TaskData) -> Simple:
        """The most frequent tag of training."""
        usual = data.vocabularies["target"].tokens[0]  # they are in the order of their counts
        counts = collections.Counter(tag for line in data.valid.targets for tag in line.split())
        share = counts[usual] / max(1, counts.total())
        return Simple({f"always saying {usual!r}": {"accuracy": share}})

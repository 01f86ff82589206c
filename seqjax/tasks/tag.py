"""Tagging: say of every token of a text what it is."""

import collections
import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from seqjax.build.learner import Learner
from seqjax.build.model import build_tagger
from seqjax.build.steps import build_tagger_learner
from seqjax.build.teacher import Teacher
from seqjax.config import DecodeConfig
from seqjax.data.readers import FitsFn, Pairs
from seqjax.data.sides import SideKind
from seqjax.data.tagging import allowed_transitions, token_and_tag_counts
from seqjax.decode.viterbi import viterbi
from seqjax.errors import InputError
from seqjax.lattice import forbid, no_transitions
from seqjax.metrics.spans import evaluate_tags
from seqjax.predict.answer import Answer
from seqjax.predict.labels import Sequences
from seqjax.tasks.pairs import PairTask, not_of_training
from seqjax.tasks.task import Decoded, Learnt, Simple, TaskData, Vocabularies
from seqjax.train.compiled import AnnounceFn
from seqjax.types import Transitions


@dataclasses.dataclass(frozen=True)
class Tag(PairTask):
    """An encoder reads a text, and each of its outputs gives a tag; see `Task`.

    The tags of a text are the likeliest sequence, of those that `model.tag_scheme` allows.

    Targets are as many tags as the source has tokens, without an end.
    """

    ends: ClassVar[bool] = False
    whole: ClassVar[bool] = True
    searches: ClassVar[bool] = False
    validation_scores: ClassVar[tuple[str, ...]] = ("accuracy", "exact_match", "span_f1")

    @property
    def kinds(self) -> dict[str, SideKind]:
        return {"source": self.config.data.source_tokens, "target": "tags"}

    def fits(self, source: str, target: str) -> str | None:
        tokens, tags = token_and_tag_counts(source, target, self.config.data.source_tokens)
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
        return build_tagger_learner(model, self.config.objective)

    def answer_fn(self, learnt: Learnt, decode: DecodeConfig, announce: AnnounceFn) -> Sequences:
        target = learnt.vocabularies["target"]
        allowed = self._allowed(target.tokens)

        def tags_fn(weights, source):
            said: Any = learnt.learner.model.apply({"params": weights.members[0]}, source)
            scores = said.transitions or no_transitions(len(target))
            if allowed is not None:
                scores = forbid(scores, allowed)
            return viterbi(
                said.logits, said.lengths, scores, pad_id=target.pad_id, n_best=decode.n_best
            )

        sayer = self.sayer(tags_fn, learnt.vocabularies, announce, decode)
        return Sequences(sayer, self.coder(learnt.vocabularies))

    def _allowed(self, tags: Sequence[str]) -> Transitions | None:
        """Returns which tags may follow each other, as far as their names say."""
        scheme = self.config.model.tag_scheme
        if scheme == "any":
            return None
        try:
            return allowed_transitions(tags, scheme)
        except ValueError as error:
            raise InputError(f"--model.tag-scheme {scheme}: {error}") from None

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

    def simple(self, data: TaskData) -> Simple:
        """The most frequent tag of training."""
        usual = data.vocabularies["target"].tokens[0]  # they are in the order of their counts
        counts = collections.Counter(tag for line in data.valid.targets for tag in line.split())
        share = counts[usual] / max(1, counts.total())
        return Simple({f"always saying {usual!r}": {"accuracy": share}})

"""Text to text: say one text, given another."""

import collections
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from seqjax.build.learner import Learner, build_seq2seq_learner
from seqjax.build.model import build_seq2seq
from seqjax.build.own_answers import build_own_answers
from seqjax.build.rules import build_rules
from seqjax.build.teacher import Teacher
from seqjax.config import DecodeConfig
from seqjax.data.readers import Pairs
from seqjax.data.vocabulary import Vocabulary
from seqjax.decode.protocol import Symbols
from seqjax.metrics.edit import error_rate
from seqjax.metrics.health import health, repeats
from seqjax.metrics.text import evaluate_texts, group_references
from seqjax.predict.answer import Answer
from seqjax.predict.answerer import Answerer
from seqjax.predict.looking import Attention
from seqjax.predict.voices import Member
from seqjax.tasks.pairs import PairTask
from seqjax.tasks.task import Decoded, Simple, TaskData, Vocabularies
from seqjax.train.compiled import AnnounceFn

SYMBOLS = Symbols(Vocabulary.bos_id, Vocabulary.eos_id, Vocabulary.pad_id)


@dataclasses.dataclass(frozen=True)
class TextToText(PairTask):
    """An encoder reads a source, a decoder writes the target; see `Task`."""

    searches: ClassVar[bool] = True
    validation_scores: ClassVar[tuple[str, ...]] = (
        *("exact_match", "token_error_rate", "character_error_rate", "bleu", "chrf"),
        *("ended", "empty", "repeated", "length_ratio"),
    )

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

    def answer_fn(
        self,
        decode: DecodeConfig,
        learner: Learner,
        vocabularies: Vocabularies,
        statistics: Mapping[str, Any],
        announce: AnnounceFn,
    ) -> Answerer:
        model: Any = learner.model
        return Answerer(
            [Member(model, self.coder(vocabularies))],
            decode,
            build_rules(decode, vocabularies["target"]),
            longest_target=statistics["longest_target"],
            max_source=self.config.data.max_source,
            announce=announce,
        )

    def judged(
        self,
        answer_fn: Callable[[list[str]], list[list[Answer]]],
        examples: Pairs,
        vocabularies: Vocabularies,
    ) -> Decoded:
        """Answers every distinct source once; its repeated lines are several references, and the
        best of them counts."""
        sources, references = group_references(examples.sources, examples.targets)
        answers, cut = answer_fn(sources), vocabularies["target"].cut
        best = [answer[0] for answer in answers]
        scores = evaluate_texts(
            [answer.text for answer in best],
            references,
            tokenise=cut,
            bleu_tokenizer=self.config.validation.bleu_tokenizer,
        )
        scores |= health(
            [list(answer.tokens) for answer in best],
            [[cut(text) for text in accepted] for accepted in references],
            [answer.finished for answer in best],
        )
        coder = self.coder(vocabularies)
        lengths = [len(coder.source_ids(source)) for source in sources]
        return Decoded(sources, references, answers, lengths, scores)

    def look_fn(self, learner: Learner, vocabularies: Vocabularies, announce: AnnounceFn):
        return Attention(self.config.model, learner.model, self.coder(vocabularies), announce)

    def simple(self, data: TaskData) -> Simple:
        """The most frequent answer to all, and each source, if it is a text, as its own answer."""
        most, cut = self.config.validation.examples, data.vocabularies["target"].cut
        sources, references = group_references(data.valid.sources[:most], data.valid.targets[:most])
        if not sources:
            return Simple({})
        tokens = [[cut(text) for text in accepted] for accepted in references]
        counts = collections.Counter(text for accepted in references for text in accepted)
        usual = counts.most_common(1)[0][0]
        shown = usual if len(usual) <= 20 else usual[:19] + "…"
        ways = {f"always answering {shown!r}": [usual] * len(sources)}
        if not self.of_vectors:
            ways["giving back the source"] = sources
        baselines = {
            name: {
                "exact_match": sum(a in r for a, r in zip(answers, references, strict=True))
                / len(sources),
                "token_error_rate": float(
                    error_rate([cut(text) for text in answers], tokens).value()
                ),
            }
            for name, answers in ways.items()
        }
        repeated = sum(repeats(accepted[0]) for accepted in tokens) / len(tokens)
        return Simple(baselines, repeated)

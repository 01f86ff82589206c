"""What all tasks share whose answers are texts."""

import collections
import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from seqjax.data.readers import Pairs
from seqjax.metrics.dialogue import dialogue_lengths, dialogue_scores
from seqjax.metrics.edit import error_rate
from seqjax.metrics.health import health, repeats, seq_rep_n
from seqjax.metrics.rouge import rouge, rouge_scorer
from seqjax.metrics.text import evaluate_texts, group_references
from seqjax.predict.answer import Answer
from seqjax.tasks.pairs import PairTask
from seqjax.tasks.task import Decoded, Simple, TaskData, Vocabularies


@dataclasses.dataclass(frozen=True)
class TextTask(PairTask):
    """Answers are searched for, and scored as texts; see `Task`."""

    searches: ClassVar[bool] = True
    validation_scores: ClassVar[tuple[str, ...]] = (
        *("exact_match", "token_error_rate", "character_error_rate", "bleu", "chrf"),
        *("ended", "empty", "repeated", "length_ratio"),
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
        scores |= self._asked_for(examples, sources, references, best)
        lengths = [vocabularies["source"].length(source) for source in sources]
        return Decoded(sources, references, answers, lengths, scores)

    def data(self) -> TaskData:
        """Reads or makes the data, and sees to it that what is asked for can be measured."""
        if self.config.validation.rouge:
            rouge_scorer()
        return super().data()

    def _asked_for(
        self,
        examples: Pairs,
        sources: Sequence[str],
        references: Sequence[Sequence[str]],
        best: Sequence[Answer],
    ) -> dict[str, Any]:
        """Returns scores that not every task of texts has."""
        scores: dict[str, Any] = {}
        validation = self.config.validation
        if validation.rouge:
            scores |= rouge([answer.text for answer in best], references)
            said_before = sum(seq_rep_n(answer.tokens, 1) for answer in best)
            scores["said_before"] = said_before / len(best)
        if validation.dialogues:
            said = {source: answer.text for source, answer in zip(sources, best, strict=True)}
            right = [said[source] == target for source, target in examples.both()]
            scores |= dialogue_scores(right, dialogue_lengths(examples.sources, examples.targets))
        return scores

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

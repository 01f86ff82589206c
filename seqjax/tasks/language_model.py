"""Language model: say the next token of a running text."""

import dataclasses
import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from seqjax.build.coded import code_text, lines_of
from seqjax.build.learner import Learner, build_language_learner
from seqjax.build.model import build_language_model
from seqjax.build.own_answers import build_own_answers
from seqjax.build.rules import build_rules
from seqjax.build.splits import text_splits
from seqjax.build.teacher import Teacher
from seqjax.config import Config, DecodeConfig
from seqjax.data.coding import PairCoder
from seqjax.data.counts import token_counts
from seqjax.data.lines import read_text
from seqjax.data.sides import SideKind
from seqjax.data.vocabulary import Vocabulary
from seqjax.data.windows import Windows
from seqjax.errors import InputError
from seqjax.predict.continuer import Continuer
from seqjax.predict.features import language_outputs
from seqjax.predict.labels import Sayer
from seqjax.tasks.task import Learnt, Simple, TaskData, Vocabularies
from seqjax.tasks.text_to_text import SYMBOLS
from seqjax.train.compiled import AnnounceFn
from seqjax.types import Batch, Padded


@dataclasses.dataclass(frozen=True)
class LanguageModeling:
    """Stacked layers read a text and say what comes next; see `Task`.

    Attributes:
      config: Of the run.
    """

    config: Config
    loss_unit: ClassVar[str] = "nats per token"
    searches: ClassVar[bool] = True

    @property
    def kinds(self) -> dict[str, SideKind]:
        kind = self.config.data.target_tokens
        return {"text": "text_words" if kind == "words" else kind}

    def learner(self, sizes: Mapping[str, int], teachers: Sequence[Teacher] = ()) -> Learner:
        model = build_language_model(self.config.model, vocab_size=sizes["text"])
        objective, rows = self.config.objective, self.config.data.batch_size
        own_answers = build_own_answers(objective, SYMBOLS, ends=False)
        return build_language_learner(model, objective, rows, own_answers, teachers)

    def example(self, sizes: Mapping[str, int]) -> Batch:
        rows = self.config.data.batch_size
        one = Padded(np.zeros((rows, 1), np.int32), np.ones((rows,), np.int32))
        return Batch(one, one)

    def data(self) -> TaskData:
        config, splits = self.config, text_splits(self.config)
        train = splits.train
        lines_fn = functools.partial(lines_of, train) if isinstance(train, str) else train.__iter__
        coded = code_text(config, lines_fn, self.kinds["text"])
        vocabulary = coded.vocabularies["text"]
        feed = self._windows(coded.content, vocabulary)
        valid = self._windows_of(splits.valid, vocabulary)
        unknown = float(np.mean(valid.tokens == vocabulary.unk_id))
        statistics = {
            "task": config.task,
            "fingerprint": coded.fingerprint,
            "train": len(feed.tokens),
            "valid": len(valid.tokens),
            "vocabulary": len(vocabulary),
            "unknown_share": round(unknown, 4),
        }
        summary = [
            f"data     {len(feed.tokens):,} train · {len(valid.tokens):,} valid tokens · "
            f"{len(vocabulary):,} {config.data.target_tokens} · "
            f"{100 * unknown:.1f}% of valid unknown",
            f"batches  {feed.batches_per_epoch:,} an epoch: {config.data.batch_size} rows, "
            f"{config.data.window} steps each",
        ]
        return TaskData(
            coded.vocabularies,
            feed,
            lambda: valid.batches(0),
            splits.valid,
            splits.test,
            next(feed.batches(0)),
            token_counts(feed.tokens),
            len(vocabulary),
            statistics,
            summary,
        )

    def read(self, paths: Sequence[str], vocabularies: Vocabularies) -> str:
        if len(paths) > 1:
            raise InputError(f"the data of a language model is one text file, got {len(paths)}")
        return read_text(paths[0], lowercase=self.config.data.lowercase)

    def batches(
        self, examples: str, vocabularies: Vocabularies, statistics: Mapping[str, Any]
    ) -> Iterator[Batch]:
        return self._windows_of(examples, vocabularies["text"]).batches(0)

    def states(self, learnt: Learnt, announce: AnnounceFn) -> Sayer:
        text = learnt.vocabularies["text"]
        return Sayer(
            language_outputs(learnt.learner.model),
            PairCoder(text, text),
            batch_size=self.config.decode.batch_size,
            announce=announce,
        )

    def continuer(
        self,
        learnt: Learnt,
        decode: DecodeConfig,
        announce: AnnounceFn,
        *,
        forbidden: Sequence[str] = (),
    ) -> Continuer:
        """Returns what continues a text; see `ContinuingTask`."""
        model: Any = learnt.learner.model
        text = learnt.vocabularies["text"]
        rules = build_rules(decode, text, may_be_unknown=False, forbidden=forbidden)
        return Continuer(model, text, decode, rules, announce=announce)

    def simple(self, data: TaskData) -> Simple:
        """The frequencies of training, one added to each: nats per validation token."""
        counts = data.target_counts
        counts = np.pad(counts, (0, max(0, len(data.vocabularies["text"]) - len(counts)))) + 1.0
        costs = np.log(counts.sum()) - np.log(counts)
        total = weight = 0.0
        for batch in data.valid_batches():
            targets: Any = batch.targets
            values, lengths = np.asarray(targets.values), np.asarray(targets.lengths)
            said = np.arange(values.shape[1])[None] < lengths[:, None]
            total, weight = total + costs[values[said]].sum(), weight + said.sum()
        loss = float(total / max(weight, 1.0))
        return Simple({"knowing how often each token occurs": {"loss": loss}})

    def _windows_of(self, text: str, vocabulary: Vocabulary) -> Windows:
        return self._windows(np.array(vocabulary.encode(text), np.int32), vocabulary)

    def _windows(self, tokens: np.ndarray, vocabulary: Vocabulary) -> Windows:
        data = self.config.data
        return Windows(tokens, data.batch_size, data.window, vocabulary.bos_id, vocabulary.pad_id)

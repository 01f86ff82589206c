"""From configuration to vocabularies and batches."""

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from seqjax.build.coded import code_pairs, code_text, lines_of
from seqjax.build.splits import pair_splits, text_splits
from seqjax.config import Config
from seqjax.data.batching import BatchPlan, Examples, fit_shapes
from seqjax.data.coding import PairCoder
from seqjax.data.counts import token_counts
from seqjax.data.plan_report import plan_report
from seqjax.data.planning import Shape
from seqjax.data.ragged import Ragged
from seqjax.data.readers import Pairs, Splits
from seqjax.data.vocabulary import Vocabulary
from seqjax.data.windows import Windows
from seqjax.survey.finding import percent
from seqjax.survey.leakage import seen_in_training
from seqjax.train.loop import Feed
from seqjax.types import Batch


class TaskData(NamedTuple):
    """All that a task needs of its data.

    Attributes:
      vocabularies: `source` and `target` of a text-to-text task, `text` of a language model.
      feed: Training batches.
      valid_batches: Gives the validation batches, in a fixed order.
      valid: The validation examples as text: `Pairs`, or one string.
      test: Examples that neither saw; None if the data has none.
      example: A batch of the smallest shape.
      longest_target: Tokens of the longest training target, EOS included.
      target_counts: `[ids]`, how often each id is a target in training, EOS included.
      statistics: What `inspect` tells about the data; plain JSON.
      summary: The same in a few lines.
    """

    vocabularies: dict[str, Vocabulary]
    feed: Feed
    valid_batches: Callable[[], Iterator[Batch]]
    valid: Any
    test: Any
    example: Batch
    longest_target: int
    target_counts: np.ndarray
    statistics: dict[str, Any]
    summary: list[str]


def build_data(config: Config) -> TaskData:
    """Reads or makes the data that `config` names.

    Raises:
      InputError: If a file cannot be used, or nothing is left of it.
    """
    match config.task:
        case "text-to-text":
            return _pairs_data(config, pair_splits(config))
        case "language-model":
            return _text_data(config, text_splits(config))


def build_coder(config: Config, vocabularies: dict[str, Vocabulary]) -> PairCoder:
    """Returns what the texts of a text-to-text task are to the model."""
    source, target = vocabularies["source"], vocabularies["target"]
    return PairCoder(source, target, copying=config.model.copying)


def encode_pairs(pairs: Pairs, coder: PairCoder) -> Examples:
    """Returns the ids of sources, and of targets with EOS after them."""
    return Examples(
        Ragged.of(coder.source_ids(source) for source in pairs.sources),
        Ragged.of(
            coder.target_ids(*both) for both in zip(pairs.targets, pairs.sources, strict=True)
        ),
    )


def pair_batches(pairs: Pairs, coder: PairCoder, shapes: Sequence[Shape]) -> BatchPlan:
    """Returns batches of any pairs in a fixed order, of the given shapes and one more if needed."""
    examples = encode_pairs(pairs, coder)
    return BatchPlan(examples, fit_shapes(shapes, examples), coder.target.pad_id, shuffled=False)


def text_windows(text: str, vocabulary: Vocabulary, config: Config) -> Windows:
    """Returns a running text as batches of a language model."""
    return _windows(np.array(vocabulary.encode(text), np.int32), vocabulary, config)


def _windows(tokens: np.ndarray, vocabulary: Vocabulary, config: Config) -> Windows:
    return Windows(
        tokens,
        config.data.batch_size,
        config.data.window,
        vocabulary.bos_id,
        vocabulary.pad_id,
    )


def _pairs_data(config: Config, splits: Splits) -> TaskData:
    data, train = config.data, splits.train
    pairs_fn = train.both if isinstance(train, Pairs) else train.__iter__
    coded = code_pairs(config, pairs_fn, lambda: train.skipped)
    vocabularies, examples = coded.vocabularies, coded.content
    coder = build_coder(config, vocabularies)
    lengths = examples.sources.lengths, examples.targets.lengths
    report = plan_report(*lengths, data)
    pad_id = vocabularies["target"].pad_id
    feed = BatchPlan(examples, report.shapes, pad_id, seed=config.seed)
    valid_plan = pair_batches(splits.valid, coder, report.shapes)
    longest_source, longest_target = (int(side.max()) for side in lengths)
    statistics = {
        "task": config.task,
        "fingerprint": coded.fingerprint,
        "train": len(lengths[0]),
        "valid": len(splits.valid.sources),
        "skipped_lines": coded.skipped,
        "too_long": coded.too_long,
        "source_tokens": len(examples.sources.values),
        "target_tokens": len(examples.targets.values),
        "longest_source": longest_source,
        "longest_target": longest_target,
        "source_vocabulary": len(vocabularies["source"]),
        "target_vocabulary": len(vocabularies["target"]),
        **report.document(),
    }
    left_out = [
        f"{statistics[name]:,} {why}"
        for name, why in (("skipped_lines", "lines skipped"), ("too_long", "pairs too long"))
        if statistics[name]
    ]
    summary = [
        f"data     {statistics['train']:,} train · {statistics['valid']:,} valid pairs"
        + "".join(f" · {text}" for text in left_out)
        + f" · {statistics['source_vocabulary']:,} source {data.source_tokens}, "
        f"{statistics['target_vocabulary']:,} target {data.target_tokens} · "
        f"longest {longest_source} -> {longest_target}",
        f"batches  {report.line()}",
        *_leak(config, splits),
    ]
    return TaskData(
        vocabularies,
        feed,
        lambda: valid_plan.batches(0),
        splits.valid,
        splits.test,
        next(feed.batches(0)),
        longest_target,
        token_counts(examples.targets.values),
        statistics,
        summary,
    )


def _leak(config: Config, splits: Splits) -> list[str]:
    """A line on validation pairs that are trained on; none for what is held out or on disk."""
    if not config.valid or not isinstance(splits.train, Pairs):
        return []
    count, whole = seen_in_training(splits.valid.both(), splits.train.both()), len(splits.valid[0])
    said = f"{count:,} of {whole:,} valid pairs ({percent(count, whole)}) also stand in train"
    return [f"warning  SJ-D03  {said} (seqjax explain SJ-D03)"] if count else []


def _text_data(config: Config, splits: Splits) -> TaskData:
    kind, train = config.data.target_tokens, splits.train
    lines_fn = functools.partial(lines_of, train) if isinstance(train, str) else train.__iter__
    coded = code_text(config, lines_fn)
    vocabulary = coded.vocabularies["text"]
    feed = _windows(coded.content, vocabulary, config)
    valid = text_windows(splits.valid, vocabulary, config)
    statistics = {
        "task": config.task,
        "fingerprint": coded.fingerprint,
        "train": len(feed.tokens),
        "valid": len(valid.tokens),
        "vocabulary": len(vocabulary),
        "unknown_share": round(float(np.mean(valid.tokens == vocabulary.unk_id)), 4),
    }
    summary = [
        f"data     {len(feed.tokens):,} train · {len(valid.tokens):,} valid tokens · "
        f"{len(vocabulary):,} {kind} · {100 * statistics['unknown_share']:.1f}% of valid unknown",
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
        config.data.window,
        token_counts(feed.tokens),
        statistics,
        summary,
    )

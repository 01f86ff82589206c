"""From configuration to text, vocabularies and batches."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from seqjax.config import Config, DataConfig
from seqjax.data.batching import BatchPlan, Examples, fit_shapes
from seqjax.data.coding import PairCoder
from seqjax.data.counts import token_counts
from seqjax.data.dates import make_dates
from seqjax.data.docs import english_manual
from seqjax.data.plan_report import plan_report
from seqjax.data.planning import Shape
from seqjax.data.ragged import Ragged
from seqjax.data.readers import Pairs, Splits, read_pairs, read_text
from seqjax.data.toy import make_pairs
from seqjax.data.vocabulary import TokenKind, Vocabulary
from seqjax.data.windows import Windows
from seqjax.errors import InputError
from seqjax.train.loop import Feed
from seqjax.types import Batch

VALID_SHARE, MOST_VALID = 0.05, 2_000
"""Of the training examples, held out for validation when no validation data is given."""


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
            return _pairs_data(config, _pair_splits(config))
        case "language-model":
            return _text_data(config, _text_splits(config))


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
    return Windows(
        np.array(vocabulary.encode(text), np.int32),
        config.data.batch_size,
        config.data.window,
        vocabulary.bos_id,
        vocabulary.pad_id,
    )


def _pair_splits(config: Config) -> Splits:
    data = config.data
    if not config.train:
        match data.embedded:
            case "dates":
                return make_dates(data.examples, seed=config.seed)
            case "copy" | "reverse":
                return make_pairs(
                    data.embedded,
                    examples=data.examples,
                    min_length=data.min_length,
                    max_length=data.max_length,
                    seed=config.seed,
                )
            case "docs":
                raise InputError(
                    "--data.embedded docs is a running text; it needs --task language-model"
                )
    train = read_pairs(config.train, on_bad_line=data.on_bad_line, lowercase=data.lowercase)
    if not config.valid:
        return _held_out(train, config.seed)
    valid = read_pairs(config.valid, on_bad_line=data.on_bad_line, lowercase=data.lowercase)
    return Splits(train, valid, None)


def _held_out(pairs: Pairs, seed: int) -> Splits:
    """Whole sources are held out, with all their targets."""
    sources = sorted(set(pairs.sources))
    count = min(round(len(sources) * VALID_SHARE), MOST_VALID)
    if count < 1:
        raise InputError(
            f"{len(pairs.sources)} training pairs are too few to hold some out; "
            f"give validation data with --valid"
        )
    held = set(np.random.default_rng(seed).permutation(sources)[:count].tolist())
    sides = [
        [
            pair
            for pair in zip(pairs.sources, pairs.targets, strict=True)
            if (pair[0] in held) == out
        ]
        for out in (False, True)
    ]
    train, valid = (Pairs([s for s, _ in side], [t for _, t in side]) for side in sides)
    return Splits(train._replace(skipped=pairs.skipped), valid, None)


def _pairs_data(config: Config, splits: Splits) -> TaskData:
    data, train = config.data, splits.train
    kinds: dict[str, TokenKind] = {"source": data.source_tokens, "target": data.target_tokens}
    vocabularies = {
        side: Vocabulary.build(
            texts, kinds[side], min_count=data.min_count, subword_vocab=data.subword_vocab
        )
        for side, texts in (("source", train.sources), ("target", train.targets))
    }
    coder = build_coder(config, vocabularies)
    examples = _short_enough(encode_pairs(train, coder), data)
    lengths = examples.sources.lengths, examples.targets.lengths
    report = plan_report(*lengths, data)
    pad_id = vocabularies["target"].pad_id
    feed = BatchPlan(examples, report.shapes, pad_id, seed=config.seed)
    valid_plan = pair_batches(splits.valid, coder, report.shapes)
    longest_source, longest_target = (int(side.max()) for side in lengths)
    statistics = {
        "task": config.task,
        "fingerprint": _fingerprint((train.sources, train.targets), vocabularies),
        "train": len(lengths[0]),
        "valid": len(splits.valid.sources),
        "skipped_lines": train.skipped,
        "too_long": len(train.sources) - len(lengths[0]),
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
        + f" · {statistics['source_vocabulary']:,} source {kinds['source']}, "
        f"{statistics['target_vocabulary']:,} target {kinds['target']} · "
        f"longest {longest_source} -> {longest_target}",
        f"batches  {report.line()}",
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


def _short_enough(encoded: Examples, data: DataConfig) -> Examples:
    """Leaves out pairs with more tokens than they may have."""
    sources, targets = (side.lengths for side in encoded)
    fits = (sources <= data.max_source) & (targets - 1 <= data.max_target)
    if not fits.any():
        raise InputError(
            f"all {len(sources)} training pairs are longer than --data.max-source "
            f"{data.max_source} or --data.max-target {data.max_target}"
        )
    return encoded if fits.all() else Examples(*(side.kept(fits) for side in encoded))


def _text_splits(config: Config) -> Splits:
    if not config.train:
        if config.data.embedded != "docs":
            raise InputError(
                f"--data.embedded {config.data.embedded} is no running text; give --train FILE, "
                f"or --preset docs"
            )
        return english_manual()
    for name, paths in (("train", config.train), ("valid", config.valid)):
        if len(paths) > 1:
            raise InputError(f"--{name} of a language model is one text file, got {len(paths)}")
    train = read_text(config.train[0], lowercase=config.data.lowercase)
    if not config.valid:
        cut = train.rfind("\n", 0, int(len(train) * (1 - VALID_SHARE))) + 1
        if not cut or not train[cut:].strip():
            raise InputError(
                f"{config.train[0]}: has too few lines to hold some out; give --valid FILE"
            )
        return Splits(train[:cut], train[cut:], None)
    return Splits(train, read_text(config.valid[0], lowercase=config.data.lowercase), None)


def _text_data(config: Config, splits: Splits) -> TaskData:
    kind: TokenKind = config.data.target_tokens
    vocabulary = Vocabulary.build(
        [splits.train],
        "text_words" if kind == "words" else kind,
        min_count=config.data.min_count,
        subword_vocab=config.data.subword_vocab,
    )
    feed = text_windows(splits.train, vocabulary, config)
    valid = text_windows(splits.valid, vocabulary, config)
    statistics = {
        "task": config.task,
        "fingerprint": _fingerprint(([splits.train],), {"text": vocabulary}),
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
        {"text": vocabulary},
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


def _fingerprint(texts: Iterable[list[str]], vocabularies: dict[str, Vocabulary]) -> str:
    """SHA-256 of training texts and vocabularies: two runs with the same one read the same."""
    digest = hashlib.sha256()
    for side in texts:
        for text in side:
            digest.update(text.encode("utf-8", "surrogatepass") + b"\0")
    for name in sorted(vocabularies):
        digest.update(vocabularies[name].fingerprint().encode())
    return digest.hexdigest()

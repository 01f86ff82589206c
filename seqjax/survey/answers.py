"""What is right without a model: the most frequent target, the source itself, what train had."""

import collections
from collections.abc import Mapping, Sequence

import numpy as np

from seqjax.metrics.edit import edit_distance
from seqjax.survey.corpus import Split
from seqjax.survey.finding import Finding, percent
from seqjax.survey.tokens import Side

MEASURED = 500
"""Answers whose edits are counted."""
GOOD = 0.5


def simple_answers(
    splits: Mapping[str, Split], target: Side, ways: Sequence[str] = ("majority", "copy", "lookup")
) -> list[Finding]:
    """Returns how right the simplest answers are, for each of valid and test (train without them).

    Every pair counts by itself. What is looked up is the most frequent target that train has for
    the source; for a source that it has not, the most frequent target of all.

    Args:
      splits: At least train.
      target: How targets are cut.
      ways: Those of the three that make sense.
    """
    train = splits["train"]
    majority = usual_target(train)
    known = usual_targets(train)
    findings = []
    for name, split in splits.items():
        if name == "train" and len(splits) > 1:
            continue
        answers = {
            "majority": [majority] * len(split.targets),
            "copy": split.sources,
        }
        if name != "train":
            answers["lookup"] = [known.get(text, majority) for text in split.sources]
        answers = {way: said for way, said in answers.items() if way in ways}
        exact = {
            word: sum(a == t for a, t in zip(said, split.targets, strict=True))
            for word, said in answers.items()
        }
        whole = len(split.targets)
        rates = {word: _token_error_rate(said, split, target) for word, said in answers.items()}
        told = " · ".join(
            f"{word} {percent(count, whole)} ({_errors(rates[word])} token errors)"
            for word, count in exact.items()
        )
        found = "lookup" in answers and sum(text in known for text in split.sources)
        seen = f"; {percent(found, whole)} of sources stand in train" if found else ""
        findings.append(
            Finding(
                "SJ-D20",
                "warning" if max(exact.values()) >= GOOD * whole else "info",
                f"exact match on {name} without a model: {told}{seen}",
                max(exact.values()),
                mend="a model must beat these",
                numbers={
                    "split": name,
                    "exact_match": {word: count / whole for word, count in exact.items()},
                    "token_error_rate": rates,
                    "sources_in_train": int(found),
                },
            )
        )
    return findings


def copied_tokens(splits: Mapping[str, Split], source: Side, target: Side, least: int) -> Finding:
    """Returns how many target tokens stand in their source, and of those that are unknown."""
    name = next((name for name in ("valid", "test") if name in splits), "train")
    sources, targets = source.rows[name], target.rows[name]
    number = {token: place for place, token in enumerate(source.types)}
    same = np.array([number.get(token, -1) for token in target.types], np.int64)
    wide = len(source.types) + 1
    there = np.unique(sources.row_of * wide + sources.values)
    wanted = targets.row_of * wide + same[targets.values]
    hit = np.isin(wanted, there) & (same[targets.values] >= 0)
    unknown = target.counts("train")[targets.values] < least
    whole, lacking = len(hit), int(unknown.sum())
    helped = int((hit & unknown).sum())
    numbers = {
        "split": name,
        "share": float(hit.mean()) if whole else 0.0,
        "unknown": lacking,
        "unknown_in_source": helped,
    }
    said = f"{percent(int(hit.sum()), whole)} of {name} target tokens stand in their source"
    if not lacking:
        told = "; none is unknown, so that nothing needs to be copied"
    else:
        told = f"; of {lacking:,} unknown ones {percent(helped, lacking)}"
    can_copy = source.kind == target.kind != "subwords"
    mend = "--model.copying would help" if can_copy and helped > 0.005 * whole else ""
    return Finding("SJ-D23", "info", said + told, helped, mend=mend, numbers=numbers)


def suited_tokens(splits: Mapping[str, Split], sides: Mapping[str, Side]) -> Finding:
    """Returns sides whose token kind gives one token a text, or cuts symbols apart."""
    told = []
    train = splits["train"]
    for word, side in sides.items():
        texts = train.sources if word == "source" else train.targets
        lengths = side.rows["train"].lengths
        alone = int((lengths == 1).sum())
        letters = sum(map(len, texts)) / len(texts)
        distinct = len(set(texts))
        if side.kind == "words" and 2 * alone > len(texts) and letters > 2 and distinct > 100:
            told.append(
                f"{percent(alone, len(texts))} of {word}s are one word, {distinct:,} different "
                f"ones: --data.{word}-tokens chars?"
            )
        if side.kind == "chars" and _looks_spaced(texts):
            told.append(
                f"{word}s look like symbols with blanks between: --data.{word}-tokens words?"
            )
    if not told:
        kinds = ", ".join(f"{word} {side.kind}" for word, side in sides.items())
        return Finding("SJ-D19", "ok", f"the tokens suit the texts: {kinds}")
    return Finding("SJ-D19", "warning", "; ".join(told), len(told))


def _looks_spaced(texts: Sequence[str], most: int = 400) -> bool:
    """Whether texts are symbols of a small set, most with blanks between them."""
    probed = texts[:: -(-len(texts) // 2_000)]
    words = collections.Counter(word for text in probed for word in text.split())
    spaced = sum(" " in text for text in probed) > 0.8 * len(probed)
    return spaced and len(words) <= most and words.total() > 20 * len(words)


def _errors(rate: float) -> str:
    return f"{100 * rate:.0f} %" if rate < 10 else "over 1,000 %"


def usual_target(split: Split) -> str:
    """Returns the most frequent target; of equals the first in the alphabet."""
    counts = collections.Counter(split.targets)
    most = max(counts.values())
    return min(target for target, count in counts.items() if count == most)


def usual_targets(split: Split) -> dict[str, str]:
    """Returns the most frequent target of each source; of equals the first in the file."""
    answers: dict[str, str] = {}
    several: dict[str, collections.Counter] = {}
    for source, target in zip(split.sources, split.targets, strict=True):
        first = answers.setdefault(source, target)
        if first != target and source not in several:
            several[source] = collections.Counter()
    for source, target in zip(split.sources, split.targets, strict=True):
        if source in several:
            several[source][target] += 1
    return answers | {source: counts.most_common(1)[0][0] for source, counts in several.items()}


def _token_error_rate(answers: Sequence[str], split: Split, target: Side) -> float:
    cut = list if target.kind == "chars" else str.split
    step = -(-len(answers) // MEASURED)
    edits = tokens = 0
    for answer, wanted in zip(answers[::step], split.targets[::step], strict=True):
        reference = cut(wanted)
        edits += edit_distance(cut(answer), reference)
        tokens += len(reference)
    return edits / max(tokens, 1)

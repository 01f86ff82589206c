"""Tags of tokens: lines that have not one for each, and what a token alone tells of its tag."""

import collections
from collections.abc import Iterator, Mapping

from seqjax.data.tagging import token_and_tag_counts
from seqjax.data.vocabulary import TokenKind, Vocabulary
from seqjax.errors import InputError
from seqjax.metrics.spans import evaluate_tags
from seqjax.survey.ambiguity import Answers, answers_of, ceiling
from seqjax.survey.answers import GOOD
from seqjax.survey.corpus import BadLine, Split
from seqjax.survey.finding import Finding, percent, several, shown

PROBED = 2_000
"""Lines that are looked at to guess what a tag belongs to."""


def guess_tagged(split: Split) -> TokenKind:
    """Returns whether tags belong to the words or to the characters of most lines.

    >>> guess_tagged(Split("train", ("t",), ["a b", "cd"], ["X Y", "Z"], [1, 2], [], []))
    'words'
    """
    rows = range(0, len(split.targets), -(-len(split.targets) // PROBED))
    chars = len([row for row in rows if not _uneven(split, row, "chars")])
    words = len([row for row in rows if not _uneven(split, row, "words")])
    return "chars" if chars > words else "words"


def uneven_rows(split: Split, kind: TokenKind) -> list[int]:
    """Returns the lines that have not as many tags as tokens."""
    return [row for row in range(len(split.targets)) if _uneven(split, row, kind)]


def evenly_tagged(split: Split, kind: TokenKind) -> Split:
    """Returns the split with lines of another number of tags among those that cannot be used.

    Raises:
      InputError: If no other line is left.
    """
    uneven = uneven_rows(split, kind)
    bad = [BadLine(split.place(row), _uneven(split, row, kind)) for row in uneven]
    gone = set(uneven)
    kept = [row for row in range(len(split.targets)) if row not in gone]
    if not kept:
        first = bad[0]
        raise InputError(
            f"{split.paths[0]}: no line of it has as many tags as {kind}; line {first.place.line} "
            f"{first.why}; --data.source-tokens says what a tag belongs to"
        )
    lines = sorted([*split.bad, *bad], key=lambda line: line.place.line)
    return split.kept(kept)._replace(bad=lines)


def ambiguous_tokens(splits: Mapping[str, Split], kind: TokenKind) -> Finding:
    """Returns how right the best tag of each token is, whatever stands beside it."""
    found = {name: ceiling(_tags_of(split, kind)) for name, split in splits.items()}
    answers, train = _tags_of(splits["train"], kind), found["train"]
    numbers = {
        name: {**bound._asdict(), "ceiling": bound.right / bound.pairs}
        for name, bound in found.items()
    }
    if not train.ambiguous:
        return Finding("SJ-D39", "ok", "every token of train has one tag", numbers=numbers)
    several_tags = [(token, counts) for token, counts in answers.items() if len(counts) > 1]
    several_tags.sort(key=lambda entry: -(sum(entry[1].values()) - max(entry[1].values())))
    told = several(
        (f"{shown(token, 16)} {'/'.join(_first(counts))}" for token, counts in several_tags), 3
    )
    bounds = ", ".join(f"{percent(b.right, b.pairs)} on {name}" for name, b in found.items())
    return Finding(
        "SJ-D39",
        "info",
        f"{train.ambiguous:,} of {train.sources:,} different tokens of train "
        f"({percent(train.ambiguous, train.sources)}) have more than one tag ({told}); who looks "
        f"at a token alone is right about at most {bounds}",
        train.ambiguous,
        mend="what goes beyond it must come of the neighbours",
        numbers=numbers,
    )


def tag_answers(splits: Mapping[str, Split], kind: TokenKind) -> list[Finding]:
    """Returns how right the simplest answers are, for each of valid and test (train without them).

    They are the most frequent tag of train, and the most frequent one that train has for the token
    (for a token that it has not, the most frequent one of all); of equals the first in the file.
    """
    known = {token: _first(counts)[0] for token, counts in _tags_of(splits["train"], kind).items()}
    counts = collections.Counter(tag for _, tag in _tagged(splits["train"], kind))
    usual = counts.most_common(1)[0][0]
    findings = []
    for name, split in splits.items():
        if name == "train" and len(splits) > 1:
            continue
        wanted = [target.split() for target in split.targets]
        cut = Vocabulary(kind, ()).cut
        answers = {
            "majority": [[usual] * len(tags) for tags in wanted],
            "usual": [[known.get(token, usual) for token in cut(text)] for text in split.sources],
        }
        scores = {way: evaluate_tags(said, wanted) for way, said in answers.items()}
        tags = scores["usual"]["tags"]
        spans = f" and span F1 {scores['usual']['span_f1']:.2f}" if _has_spans(counts) else ""
        new = sum(token not in known for token, _ in _tagged(split, kind))
        lines = scores["usual"]["exact_match"]
        findings.append(
            Finding(
                "SJ-D20",
                "warning" if lines >= GOOD else "info",
                f"accuracy on {name} without a model: always {shown(usual, 16)} "
                f"{percent(scores['majority']['accuracy'], 1)} · the usual tag of each token "
                f"{percent(scores['usual']['accuracy'], 1)} ({percent(lines, 1)} of lines{spans}); "
                f"{percent(new, tags)} of tokens are new",
                round(tags * scores["usual"]["accuracy"]),
                mend="a model must beat these",
                numbers={"split": name, "new_tokens": new, **scores},
            )
        )
    return findings


def _uneven(split: Split, row: int, kind: TokenKind) -> str:
    """Why a line cannot be used; empty if it can."""
    tokens, tags = token_and_tag_counts(split.sources[row], split.targets[row], kind)
    if tokens == tags:
        return ""
    return f"has {'fewer' if tags < tokens else 'more'} tags than {kind}"


def _tagged(split: Split, kind: TokenKind) -> Iterator[tuple[str, str]]:
    cut = Vocabulary(kind, ()).cut
    for source, target in zip(split.sources, split.targets, strict=True):
        yield from zip(cut(source), target.split(), strict=True)


def _tags_of(split: Split, kind: TokenKind) -> Answers:
    tokens, tags = zip(*_tagged(split, kind), strict=True)
    return answers_of(tokens, tags)


def _first(counts: Mapping[str, int]) -> list[str]:
    """Tags, the most frequent first; of equals the first in the file."""
    return sorted(counts, key=lambda tag: -counts[tag])


def _has_spans(tags: Mapping[str, int]) -> bool:
    return any(tag[:2] in ("B-", "I-") for tag in tags)

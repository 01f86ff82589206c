"""What mending a finding changes, and which rows it takes out."""

import re
from collections.abc import Callable, Mapping

from seqjax.config import Config
from seqjax.data.vocabulary import TokenKind
from seqjax.survey.ambiguity import repeated_rows
from seqjax.survey.corpus import Split
from seqjax.survey.labels import usual_spellings
from seqjax.survey.leakage import rows_in_both, rows_in_conflict
from seqjax.survey.nearness import marks_of, near_rows
from seqjax.survey.repeats import is_long, rows_repeated, rows_shared
from seqjax.survey.suspects import copied_rows, looped_rows, misaligned_rows
from seqjax.survey.tags import uneven_rows
from seqjax.survey.tokens import cut_sides, guess_kind
from seqjax.survey.writing import BROKEN, foreign_rows, normalised, plain, restored

Splits = Mapping[str, Split]


def without_ends(text: str) -> str:
    """Returns the text without what is taken for a byte order mark or a line end when it is read.

    >>> without_ends("\\ufeffa\\r")
    'a'
    """
    return text.lstrip("\ufeff").rstrip("\r")


TEXT_CHANGES: dict[str, Callable[[str], str]] = {
    "SJ-D11": without_ends,
    "SJ-D27": restored,
    "SJ-D10": normalised,
    "SJ-D12": plain,
}


def changed_splits(splits: Splits, code: str, config: Config) -> dict[str, tuple[Split, int]]:
    """Returns the splits whose texts a code changes, with the number of texts."""
    if code == "SJ-D37":
        changes = (str, _usual_fn(splits, config))
    elif code in TEXT_CHANGES:
        changes = (TEXT_CHANGES[code], TEXT_CHANGES[code])
    else:
        return {}
    found = {}
    for name, split in splits.items():
        texts = zip(changes, (split.sources, split.targets), strict=True)
        sides = [[change(text) for text in side] for change, side in texts]
        before = (split.sources, split.targets)
        count = sum(
            new != old
            for side, old_side in zip(sides, before, strict=True)
            for new, old in zip(side, old_side, strict=True)
        )
        if count:
            found[name] = split._replace(sources=sides[0], targets=sides[1]), count
    return found


def unwanted_rows(splits: Splits, code: str, config: Config) -> dict[str, list[int]]:
    """Returns the rows of each split that a code takes out."""
    found = _rows_of(splits, code, config)
    if config.task != "tag" or code not in TEXT_CHANGES:
        return found
    uneven = {name: uneven_rows(s, config.data.source_tokens) for name, s in splits.items()}
    return {name: [*found.get(name, ()), *rows] for name, rows in uneven.items()}


def _usual_fn(splits: Splits, config: Config) -> Callable[[str], str]:
    """What writes labels, or each of some tags, as they are usually written."""
    kind = "label" if config.task == "classify" else "tags"
    usual = usual_spellings(cut_sides(splits, {"target": kind}, 0)["target"])
    if kind == "label":
        return lambda label: usual.get(label, label)
    return lambda tags: re.sub(r"\S+", lambda tag: usual.get(tag[0], tag[0]), tags)


def _rows_of(splits: Splits, code: str, config: Config) -> dict[str, list[int]]:
    train, data = splits["train"], config.data
    match code:
        case "SJ-D02" | "SJ-D03":
            other = splits.get("test" if code == "SJ-D02" else "valid")
            return {"train": rows_in_both(train, other)} if other else {}
        case "SJ-D26":
            both = "valid" in splits and "test" in splits
            return {"valid": rows_in_both(splits["valid"], splits["test"])} if both else {}
        case "SJ-D05":
            sources = {
                other.sources[row]
                for name, other in splits.items()
                if name != "train"
                for row in rows_in_conflict(other, train)
            }
            return {"train": [row for row, text in enumerate(train.sources) if text in sources]}
        case "SJ-D04":
            return {"train": _near_train_rows(splits)}
        case "SJ-D06" | "SJ-D16":
            kinds: dict[str, TokenKind] = {
                "source": data.source_tokens,
                "target": data.target_tokens,
            }
            sides = cut_sides(splits, kinds, data.subword_vocab)
            if code == "SJ-D16":
                return {n: looped_rows(rows).tolist() for n, rows in sides["target"].rows.items()}
            off, _, _ = misaligned_rows({word: side.lengths for word, side in sides.items()})
            return {name: rows.tolist() for name, rows in off.items()}
        case "SJ-D14":
            return {name: repeated_rows(split) for name, split in splits.items()}
        case "SJ-D15":
            return {name: copied_rows(split) for name, split in splits.items()}
        case "SJ-D17":
            texts = splits
            if config.task in ("classify", "tag"):
                texts = {name: split.texts_of("source") for name, split in splits.items()}
            found, _ = foreign_rows(texts)
            return {name: [row for row, _ in rows] for name, rows in found.items()}
        case "SJ-D27":
            return {
                name: _rows(split, lambda text: BROKEN in text) for name, split in splits.items()
            }
        case "SJ-D11" | "SJ-D12" if train.sources:
            return {
                name: _rows(split, lambda text: not text.strip()) for name, split in splits.items()
            }
        case "SJ-D30":
            rows = {
                row
                for name, other in splits.items()
                if name != "train"
                for row in rows_shared(train, other)
            }
            return {"train": [row for row in rows if is_long(train.targets[row])]}
        case "SJ-D31":
            return {"train": rows_repeated(train)}
    return {}


def _rows(split: Split, unwanted: Callable[[str], bool]) -> list[int]:
    sides = [side for side in (split.sources, split.targets) if side]
    return [row for row, texts in enumerate(zip(*sides, strict=True)) if any(map(unwanted, texts))]


def _near_train_rows(splits: Splits) -> list[int]:
    """Train rows with a neighbour in valid or test, one that train does not have itself."""
    train = splits["train"]
    of_words = guess_kind(train.sources) == "words"
    known = set(train.sources)
    others = [
        source
        for name, split in splits.items()
        if name != "train"
        for source in split.sources
        if source not in known
    ]
    ours, theirs = (marks_of(texts, of_words=of_words) for texts in (train.sources, others))
    return list(near_rows(ours, theirs))

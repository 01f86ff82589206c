"""A copy of the data in which findings are mended. The files that were given are left alone.

Mending one thing can bring another to light (without its invisible characters a text may be one
that was there before), so that all that is asked for is done again until nothing changes. A second
mending of the copy therefore changes nothing.
"""

import collections
import gzip
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from seqjax.config import DataConfig
from seqjax.errors import InputError
from seqjax.files import write_bytes
from seqjax.survey.ambiguity import repeated_rows
from seqjax.survey.corpus import Form, Split
from seqjax.survey.leakage import rows_in_both, rows_in_conflict
from seqjax.survey.nearness import marks_of, near_rows
from seqjax.survey.pairs import cut_pairs
from seqjax.survey.repeats import is_long, rows_repeated, rows_shared
from seqjax.survey.suspects import copied_rows, looped_rows, misaligned_rows
from seqjax.survey.tokens import guess_kind
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
ORDER = (
    *(
        "SJ-D11",
        "SJ-D27",
        "SJ-D10",
        "SJ-D12",
        "SJ-D17",
        "SJ-D06",
        "SJ-D15",
        "SJ-D16",
        "SJ-D14",
        "SJ-D31",
    ),
    *("SJ-D26", "SJ-D02", "SJ-D03", "SJ-D05", "SJ-D30", "SJ-D04"),
)
"""Texts are changed before they are compared, and noise leaves before leaks are looked for."""
OF_PAIRS = (
    "SJ-D02",
    "SJ-D03",
    "SJ-D04",
    "SJ-D05",
    "SJ-D06",
    "SJ-D14",
    "SJ-D15",
    "SJ-D16",
    "SJ-D26",
)
OF_TEXTS = ("SJ-D30", "SJ-D31")


class Repair(NamedTuple):
    """What was done to one split for one code.

    Attributes:
      code: Of the finding.
      split: train, valid or test.
      changed: Texts, or line ends, that are others now.
      removed: Pairs or lines that are gone.
    """

    code: str
    split: str
    changed: int
    removed: int


def mend(splits: Splits, codes: Sequence[str], data: DataConfig) -> tuple[Splits, list[Repair]]:
    """Returns the splits without what the codes name, and what was done.

    What leaks is taken out of train (out of valid, if it stands in test), what looks wrong out of
    every split. Lines that cannot be used are always left out.

    Raises:
      InputError: If a code is one of the other task, a split has two files of different length, or
        nothing would be left.
    """
    _check(splits, codes)
    tally: dict[tuple[str, str], list[int]] = collections.defaultdict(lambda: [0, 0])
    for name, split in splits.items():
        tally["SJ-D01", name][1] += len(split.bad)
        if "SJ-D11" in codes:
            tally["SJ-D11", name][0] += sum(f.carriage_returns + f.mark for f in split.forms)
    splits = {name: split._replace(bad=[]) for name, split in splits.items()}
    # A copy can only hold what comes back when it is read.
    order = [code for code in ORDER if code in codes or code == "SJ-D11"]
    changing = True
    while changing:
        changing = False
        for code in order:
            for name, (split, changed) in _changed(splits, code).items():
                splits = {**splits, name: split}
                tally[code, name][0] += changed
                changing |= changed > 0
            for name, rows in _unwanted(splits, code, data).items():
                split = splits[name]
                gone = set(rows)
                kept = [row for row in range(len(split.targets)) if row not in gone]
                if not any(split.targets[row].strip() for row in kept):
                    raise InputError(f"{split.paths[0]}: nothing of it is left after {code}")
                splits = {**splits, name: split.kept(kept)}
                tally[code, name][1] += len(gone)
                changing |= bool(gone)
    splits = {name: split._replace(forms=_plain_forms(split)) for name, split in splits.items()}
    repairs = [Repair(*key, *counts) for key, counts in tally.items() if any(counts)]
    return splits, sorted(repairs, key=lambda repair: repair.code)


def write_copy(splits: Splits, directory: Path) -> list[Path]:
    """Writes all splits under the names of their files, as UTF-8 with LF; returns the paths.

    Raises:
      InputError: If the directory holds something, or two files have one name.
    """
    names = [Path(path).name for split in splits.values() for path in split.paths]
    twice = [name for name, count in collections.Counter(names).items() if count > 1]
    if twice:
        raise InputError(f"--out: two of the files are named {twice[0]}; rename one of them")
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise InputError(f"--out {directory}: is not a new or empty directory; give another one")
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--out {directory}: {error.strerror or error}") from None
    written = []
    for split in splits.values():
        for path, lines in zip(split.paths, _files(split), strict=True):
            content = "".join(f"{line}\n" for line in lines).encode()
            target = directory / Path(path).name
            # Without the time in it, the same content is the same file.
            packed = gzip.compress(content, mtime=0) if target.suffix == ".gz" else content
            write_bytes(target, packed)
            written.append(target)
    return written


def _check(splits: Splits, codes: Sequence[str]) -> None:
    running = not splits["train"].sources
    for code in codes:
        if code in (OF_PAIRS if running else OF_TEXTS):
            task = "text-to-text" if running else "language-model"
            raise InputError(f"--fix: {code} is a finding of --task {task}")
    for split in splits.values():
        if len({form.lines for form in split.forms}) > 1:
            raise InputError(
                f"{' and '.join(split.paths)} differ in their number of lines (SJ-D18): nothing "
                f"can be mended before line n of one goes with line n of the other"
            )


def _plain_forms(split: Split) -> list[Form]:
    return [Form(path, len(split.targets), 0, False, True) for path in split.paths]


def _files(split: Split) -> list[Iterable[str]]:
    """The lines of each file of a split."""
    if not split.sources:
        return [split.targets]
    pairs = list(zip(split.sources, split.targets, strict=True))
    if split.records:
        return [
            [
                json.dumps({**record, "source": source, "target": target}, ensure_ascii=False)
                for record, (source, target) in zip(split.records, pairs, strict=True)
            ]
        ]
    if len(split.paths) == 1:
        return [[f"{source}\t{target}" for source, target in pairs]]
    return [split.sources, split.targets]


def _changed(splits: Splits, code: str) -> dict[str, tuple[Split, int]]:
    """The splits whose texts a code changes, with the number of texts."""
    change = TEXT_CHANGES.get(code)
    if change is None:
        return {}
    found = {}
    for name, split in splits.items():
        sides = [[change(text) for text in side] for side in (split.sources, split.targets)]
        before = (split.sources, split.targets)
        count = sum(
            new != old
            for side, old_side in zip(sides, before, strict=True)
            for new, old in zip(side, old_side, strict=True)
        )
        if count:
            found[name] = split._replace(sources=sides[0], targets=sides[1]), count
    return found


def _unwanted(splits: Splits, code: str, data: DataConfig) -> dict[str, list[int]]:
    """The rows of each split that a code takes out."""
    train = splits["train"]
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
            sides = cut_pairs(splits, (data.source_tokens, data.target_tokens), data.subword_vocab)
            if code == "SJ-D06":
                return {name: rows.tolist() for name, rows in misaligned_rows(*sides)[0].items()}
            return {name: looped_rows(sides.target.rows[name]).tolist() for name in splits}
        case "SJ-D14":
            return {name: repeated_rows(split) for name, split in splits.items()}
        case "SJ-D15":
            return {name: copied_rows(split) for name, split in splits.items()}
        case "SJ-D17":
            found, _ = foreign_rows(splits)
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

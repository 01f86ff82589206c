"""Writes splits into a directory of their own, in the form in which they were given."""

import collections
import gzip
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from seqjax.errors import InputError
from seqjax.files import write_bytes
from seqjax.survey.corpus import Split

Splits = Mapping[str, Split]


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

"""What was made of files once and is kept in a directory, until files or settings change."""

import json
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from seqjax.data.lines import opened
from seqjax.errors import InputError
from seqjax.files import digest, parse_json, read_bytes, synchronise, writing

FORMAT_VERSION = 1
MANIFEST = "manifest.json"
_FIELDS = {"format_version", "sources", "settings", "notes", "files"}
_OF_A_SOURCE, _OF_A_FILE = ("path", "size", "changed_ns", "sha256"), ("size", "sha256")


def stored(
    directory: str | Path,
    sources: Sequence[str | Path],
    settings: dict[str, Any],
    make_fn: Callable[[Path], dict[str, Any]],
) -> dict[str, Any]:
    """Returns what `make_fn` noted about the files that it wrote into `directory`.

    What is there is used again if the settings are the same and so is each source: its path, size
    and time of change, or else its content. Otherwise all is made anew in a directory beside it,
    which then takes its place: whoever reads the old files goes on reading them.

    Args:
      directory: Missing, empty, or a store.
      sources: Files that the content is made of.
      settings: Whatever else decides the content; plain JSON.
      make_fn: Writes files into the directory that it is given; returns plain JSON.

    Raises:
      InputError: If `directory` is no store or a damaged one, cannot be written, or a source
        changes while it is read.
    """
    directory = Path(directory)
    manifest = _read(directory)
    if manifest is not None and _fits(manifest, sources, settings):
        _refuse_damaged(directory, manifest["files"])
        return manifest["notes"]
    before = [_identity(source) for source in sources]
    # The process id keeps two runs that make the same store out of each other's way.
    fresh, old = (
        directory.with_name(f".{directory.name}.{name}.{os.getpid()}") for name in ("new", "old")
    )
    with writing(directory):
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
    try:
        with writing(directory):
            notes = make_fn(fresh)
        for source, identity in zip(sources, before, strict=True):
            if _identity(source) != identity:
                raise InputError(f"{source}: changed while it was read; run the same command again")
        with writing(directory):
            _seal(fresh, before, settings, notes)
            if directory.exists():
                os.rename(directory, old)
            os.rename(fresh, directory)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
    return notes


def _seal(directory: Path, sources: list, settings: dict[str, Any], notes: dict[str, Any]) -> None:
    """Writes the manifest after all files are on the disk."""
    paths = sorted(path for path in directory.rglob("*") if path.is_file())
    document = {
        "format_version": FORMAT_VERSION,
        "sources": sources,
        "settings": settings,
        "notes": notes,
        "files": {
            path.relative_to(directory).as_posix(): dict(zip(_OF_A_FILE, digest(path), strict=True))
            for path in paths
        },
    }
    manifest = directory / MANIFEST
    manifest.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    for path in (*paths, manifest, directory):
        synchronise(path)


def _read(directory: Path) -> dict[str, Any] | None:
    """Returns the manifest of a store, None where there is nothing yet or of another version."""
    try:
        if not directory.exists() or not any(directory.iterdir()):
            return None
        document = parse_json(read_bytes(directory / MANIFEST))
    except OSError as error:
        raise InputError(
            f"{directory}: is no token store ({MANIFEST}: {error.strerror or error}); give another "
            f"directory, or delete this one to have it made anew"
        ) from None
    except ValueError:
        raise _damaged(directory, f"{MANIFEST} is not JSON") from None
    if not isinstance(document, dict) or "format_version" not in document:
        raise _damaged(directory, f"{MANIFEST} has no format_version")
    if document["format_version"] != FORMAT_VERSION:
        return None
    if not _is_whole(document):
        raise _damaged(directory, f"{MANIFEST} lacks something, or holds too much")
    return document


def _is_whole(document: dict[str, Any]) -> bool:
    if set(document) != _FIELDS:
        return False
    sources, files, notes = document["sources"], document["files"], document["notes"]
    if not (isinstance(sources, list) and isinstance(files, dict) and isinstance(notes, dict)):
        return False
    expected = [(entry, _OF_A_SOURCE) for entry in sources]
    expected += [(entry, _OF_A_FILE) for entry in files.values()]
    return all(isinstance(entry, dict) and set(entry) == set(names) for entry, names in expected)


def _fits(
    manifest: dict[str, Any], sources: Sequence[str | Path], settings: dict[str, Any]
) -> bool:
    before = manifest["sources"]
    same = manifest["settings"] == settings and len(before) == len(sources)
    return same and all(map(_is_as_it_was, sources, before))


def _refuse_damaged(directory: Path, files: dict[str, Any]) -> None:
    for name, expected in files.items():
        path = directory / name
        if Path(name).is_absolute() or ".." in Path(name).parts or path.is_symlink():
            raise _damaged(directory, f"{name!r} lies outside")
        if not path.is_file():
            raise _damaged(directory, f"{name} is missing")
        if dict(zip(_OF_A_FILE, digest(path), strict=True)) != expected:
            raise _damaged(directory, f"{name} changed since it was written")


def _damaged(directory: Path, why: str) -> InputError:
    return InputError(
        f"{directory}: the token store is damaged ({why}); delete it to have it made anew"
    )


def _identity(source: str | Path) -> dict[str, Any]:
    status = _status(source)
    return {
        "path": os.path.abspath(source),
        "size": status.st_size,
        "changed_ns": status.st_mtime_ns,
        "sha256": digest(Path(source))[1],
    }


def _is_as_it_was(source: str | Path, before: dict[str, Any]) -> bool:
    status = _status(source)
    if status.st_size != before["size"]:
        return False
    if (os.path.abspath(source), status.st_mtime_ns) == (before["path"], before["changed_ns"]):
        return True
    return digest(Path(source))[1] == before["sha256"]


def _status(source: str | Path) -> os.stat_result:
    with opened(Path(source)):  # or it says why not
        return os.stat(source)

"""How a side is read, kept beside a run as one small JSON document."""

import hashlib
import json
from pathlib import Path
from typing import Any

from seqjax.errors import InputError
from seqjax.files import parse_json, read_text


def digest(document: dict[str, Any]) -> str:
    """Returns the SHA-256 of a document, in hexadecimal."""
    return hashlib.sha256(json.dumps(document).encode()).hexdigest()


def write_document(document: dict[str, Any], directory: Path, name: str) -> None:
    """Writes `<name>.json` into `directory`, with its format version."""
    text = json.dumps({"format_version": 1, **document}) + "\n"
    (directory / f"{name}.json").write_text(text, encoding="utf-8")


def read_document(path: Path) -> Any:
    """Reads what `write_document` wrote; what it must hold is the caller's to say.

    Raises:
      InputError: If it is not JSON.
    """
    try:
        return parse_json(read_text(path))
    except ValueError as error:
        raise InputError(f"{path}: broken JSON ({error}); restore the file") from None

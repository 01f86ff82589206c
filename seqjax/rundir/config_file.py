"""`config.json`: a `Config` as JSON, read back without guessing."""

import dataclasses
import difflib
import importlib.metadata
import json
import math
import types
import typing
from pathlib import Path
from typing import Any, Literal

from seqjax.config import Config
from seqjax.errors import InputError
from seqjax.files import parse_json, read_text, write_text

FORMAT_VERSION = 2
"""It changes when a reader of the older format would misread the newer one."""


def write_config(path: Path, config: Config) -> None:
    """Stores `config` at `path`. Its `run_dir` is left out, so that a moved run stays true.

    Raises:
      InputError: If it cannot be written.
    """
    document = {
        "format_version": FORMAT_VERSION,
        "seqjax": importlib.metadata.version("seqjax"),
        "config": dataclasses.asdict(dataclasses.replace(config, run_dir=None)),
    }
    write_text(path, json.dumps(document, indent=2) + "\n")


def read_config(path: Path) -> Config:
    """Returns the config that `write_config` stored, with `run_dir=None`.

    Every field must be there, have its type (`true` is no integer, but `1` is a number) and a value
    that `Config` accepts.

    Raises:
      InputError: With the file and the field, at the first thing that is not so.
    """
    text = read_text(path)
    try:
        document = parse_json(text)
    except ValueError as error:
        raise InputError(f"{path}: broken JSON ({error}); restore the file") from None
    if not isinstance(document, dict) or "format_version" not in document:
        raise InputError(f"{path}: not a config of seqjax (it has no format_version)")
    found = document["format_version"]
    if type(found) is not int or found != FORMAT_VERSION:
        older = type(found) is int and found < FORMAT_VERSION
        hint = (
            "train again, or use the seqjax that wrote it: what it saved is not read any more"
            if older
            else f"it was written by seqjax {str(document.get('seqjax'))[:40]}, which can read it"
        )
        raise InputError(
            f"{path}: format_version must be {FORMAT_VERSION}, got {str(found)[:40]}; {hint}"
        )
    try:
        return _checked(Config, document.get("config"), "config")
    except ValueError as error:
        raise InputError(f"{path}: {error}; correct it or restore the file") from None


def _checked(kind: Any, value: Any, name: str) -> Any:
    """Returns `value` as the `kind` that a field is annotated with, or raises ValueError."""
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return _checked_record(kind, value, name)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        inner = next(argument for argument in arguments if argument is not types.NoneType)
        return None if value is None else _checked(inner, value, name)
    if origin is tuple:
        if not isinstance(value, list):
            raise ValueError(f"{name} must be a list, got {value!r}")
        return tuple(_checked(arguments[0], item, name) for item in value)
    if origin is Literal:
        if not isinstance(value, str) or value not in arguments:
            raise ValueError(f"{name} must be one of {', '.join(arguments)}, got {value!r}")
        return value
    if kind is float and type(value) is int:
        value = float(value) if abs(value) < 2**53 else math.inf
    if type(value) is not kind or (kind is float and not math.isfinite(value)):
        words = {int: "an integer", float: "a finite number", bool: "true or false", str: "a text"}
        raise ValueError(f"{name} must be {words[kind]}, got {value!r}")
    return value


def _checked_record(kind: type, value: Any, name: str) -> Any:
    if not isinstance(value, dict):
        raise ValueError(f"{name} must be an object, got {value!r}")
    hints = typing.get_type_hints(kind)
    prefix = "" if kind is Config else f"{name}."
    for key in value:
        if key not in hints:
            near = difflib.get_close_matches(key, hints, n=1)
            hint = f", did you mean {prefix}{near[0]}?" if near else ""
            raise ValueError(f"unknown setting {prefix}{key}{hint}")
    for key in hints:
        if key not in value:
            raise ValueError(f"{prefix}{key} is missing")
    return kind(**{key: _checked(hint, value[key], prefix + key) for key, hint in hints.items()})

"""Words of a command line -> values for the fields of a dataclass, and the help on them.

tyro writes the help. The reading is done here, so that every mistake comes out as one line that
says what the flag takes and what it got. A flag is a field's name, dotted where it stands in a part
of `Config` (`--model.hidden-size`); a part of the flags themselves that is annotated with an empty
name adds nothing.
"""

import ast
import contextlib
import dataclasses
import difflib
import inspect
import math
import re
import sys
import textwrap
import types
import typing
from collections.abc import Iterator
from typing import Annotated, Any, Literal, NamedTuple, TypeVar

import tyro

from seqjax.config.words import ANY_NUMBER
from seqjax.errors import InputError

Record = TypeVar("Record")

MOST_FILES = 2
"""A flag that takes files takes one, or a source and a target: what follows has a place of its own.
A tuple that is marked with `ANY_NUMBER` takes all words up to the next flag."""


(_POSITIONAL,) = typing.get_args(tyro.conf.Positional[str])[1:]


class Flag(NamedTuple):
    """What one flag stands for."""

    name: str
    """Of the field, dotted: `model.hidden_size`."""
    kind: Any
    """What the field is annotated with."""
    switch: bool | None = None
    """What a flag without a value stands for."""
    most: int = 1
    """Words that it takes."""


def unset(kind: type) -> type:
    """Returns a dataclass with the fields of `kind` and their help, each None unless given."""
    (body,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    assert isinstance(body, ast.ClassDef)
    fields = []
    for entry, text in zip(body.body, body.body[1:], strict=False):
        if isinstance(entry, ast.AnnAssign) and isinstance(text, ast.Expr):
            name = ast.unparse(entry.target)
            words = " ".join(ast.literal_eval(text.value).split())
            hint = kind.__annotations__[name] | None
            shown = tyro.conf.arg(help=words, help_behavior_hint="(default: as in the run)")
            fields.append((name, Annotated[hint, shown], dataclasses.field(default=None)))
    return dataclasses.make_dataclass(kind.__name__, fields, frozen=True)


def read_flags(kind: type[Record], tokens: list[str]) -> Record:
    """Returns the dataclass `kind` as `tokens` say; what they leave out has its default.

    Raises:
      InputError: If a flag is unknown, a value is missing or impossible, or a word is left over.
    """
    values = read_values(kind, tokens)
    given = {}
    for entry in dataclasses.fields(kind):  # pyright: ignore[reportArgumentType]
        if dataclasses.is_dataclass(entry.default_factory):
            given[entry.name] = fill(entry.default_factory(), values)
        elif entry.name in values:
            given[entry.name] = values[entry.name]
    try:
        return kind(**given)
    except ValueError as error:
        raise InputError(str(error)) from None


def read_values(kind: type, tokens: list[str]) -> dict[str, Any]:
    """Returns `{dotted field name: value}` of all that `tokens` give, of the fields' types.

    `--flag value`, `--flag=value`, `--switch` and `--no-switch` are understood; a flag given twice
    has its last value. A field without a default, or marked `tyro.conf.Positional`, is given by its
    position; if it is a tuple, it takes all words that are left.

    Raises:
      InputError: As `read_flags`, but for values that only the dataclass itself can refuse.
    """
    flags = known_flags(kind)
    hints = typing.get_type_hints(kind)
    waiting = {
        entry.name: hints[entry.name] for entry in dataclasses.fields(kind) if _has_a_place(entry)
    }
    values: dict[str, Any] = {}
    tokens, place = list(tokens), ""
    while tokens:
        word, equals, value = tokens.pop(0).partition("=")
        if not _is_flag(word):
            name = next((name for name in waiting if name not in values), None)
            name = name or next((name for name, hint in waiting.items() if _is_tuple(hint)), None)
            if name is None:
                raise InputError(f"nothing takes {word + equals + value!r}{place}; see --help")
            whole = word + equals + value
            several = (*values.get(name, ()), whole) if _is_tuple(waiting[name]) else whole
            values[name] = several
            continue
        place = f" after {word}"
        flag = flags.get(word.replace("_", "-"))
        if flag is None:
            raise InputError(f"unknown flag {word}{_suggest_flag(word, flags)}")
        if flag.switch is not None:
            if equals:
                raise InputError(f"{word} takes no value, got {value!r}; there is a --no- form")
            values[flag.name] = flag.switch
            continue
        several = _is_tuple(flag.kind)
        given = [value] if equals else []
        while tokens and not _is_flag(tokens[0]) and len(given) < flag.most:
            given.append(tokens.pop(0))
        if not given:
            dashed = tokens and tokens[0].partition("=")[0] not in flags
            hint = f"; to give it {tokens[0]}, write {word}={tokens[0]}" if dashed else ""
            raise InputError(f"{word} needs a value{hint}")
        values[flag.name] = tuple(given) if several else _value(word, flag.kind, given[0])
    for entry in dataclasses.fields(kind):
        if _required(entry) and entry.name not in values:
            name = entry.name
            raise InputError(f"{name} is missing; give it right after the command")
    return values


def fill(record: Record, values: dict[str, Any], prefix: str = "") -> Record:
    """Returns `record` with those of the `values` in place that name a field of it or of a part.

    Raises:
      InputError: If the dataclass refuses a value.

    >>> from seqjax.config import Config
    >>> fill(Config(), {"model.dropout": 0.5}).model.dropout
    0.5
    """
    changes = {}
    for entry in dataclasses.fields(record):  # pyright: ignore[reportArgumentType]
        value, name = getattr(record, entry.name), prefix + entry.name
        if dataclasses.is_dataclass(value):
            changes[entry.name] = fill(value, values, f"{name}.")
        elif name in values:
            changes[entry.name] = values[name]
    try:
        return dataclasses.replace(record, **changes)  # pyright: ignore[reportArgumentType]
    except ValueError as error:
        raise InputError(str(error)) from None


def known_flags(kind: type) -> dict[str, Flag]:
    """Returns every flag of the dataclass `kind` under its spelling, `--no-switch` included."""
    return dict(_flags(kind))


def print_help(kind: type, program: str) -> None:
    """Prints what `kind` and its fields say about themselves."""
    markers = (tyro.conf.PositionalRequiredArgs, tyro.conf.PositionalMetavarFromFieldName)
    with contextlib.suppress(SystemExit):
        tyro.cli(kind, prog=program, args=["--help"], config=markers)


def did_you_mean(word: str, known: dict[str, str]) -> str:
    """Returns `, did you mean X?`, X the value of the nearest key, or nothing if none is near."""
    near = difflib.get_close_matches(word, known, n=1)
    return f", did you mean {known[near[0]]}?" if near else ""


def _suggest_flag(word: str, flags: dict[str, Flag]) -> str:
    # Without the dashes, which all flags share and which would make any two of them look alike.
    last_parts = {flag.split(".")[-1].removeprefix("--"): flag for flag in flags}
    whole = {flag.removeprefix("--"): flag for flag in flags}
    return did_you_mean(word.lstrip("-"), {**last_parts, **whole}) or "; see --help"


def _flags(kind: Any, prefix: str = "", depth: int = 0) -> Iterator[tuple[str, Flag]]:
    hints, marked = typing.get_type_hints(kind), typing.get_type_hints(kind, include_extras=True)
    for entry in dataclasses.fields(kind):
        hint, name = hints[entry.name], prefix + entry.name
        if dataclasses.is_dataclass(hint):
            nameless = depth == 0 and typing.get_origin(marked[entry.name]) is Annotated
            yield from _flags(hint, "" if nameless else f"{name}.", depth + 1)
        elif hint is bool:
            yield _written(prefix, entry.name), Flag(name, hint, switch=True)
            yield _written(prefix, f"no_{entry.name}"), Flag(name, hint, switch=False)
        elif not _has_a_place(entry):
            yield _written(prefix, entry.name), Flag(name, hint, most=_most(entry, hint))


def _most(entry: dataclasses.Field, hint: Any) -> int:
    if ANY_NUMBER in _marks(entry):
        return sys.maxsize
    return MOST_FILES if _is_tuple(hint) else 1


def _marks(entry: dataclasses.Field) -> tuple:
    return getattr(entry.type, "__metadata__", ())


def _is_tuple(hint: Any) -> bool:
    return typing.get_origin(hint) is tuple


def _written(prefix: str, name: str) -> str:
    return "--" + (prefix + name).replace("_", "-")


def _required(entry: dataclasses.Field) -> bool:
    missing = dataclasses.MISSING
    return entry.default is missing and entry.default_factory is missing


def _has_a_place(entry: dataclasses.Field) -> bool:
    """Says whether a word is the field's value by where it stands, without a flag."""
    return _required(entry) or _POSITIONAL in _marks(entry)


def _is_flag(word: str) -> bool:
    """Says whether `word` begins a flag: a dash and more, but not a negative number."""
    return len(word) > 1 and word[0] == "-" and not re.match(r"-\.?\d", word)


def _value(flag: str, kind: Any, text: str) -> Any:
    arguments = typing.get_args(kind)
    if typing.get_origin(kind) in (types.UnionType, typing.Union):
        if text == "None":
            return None
        kind = next(argument for argument in arguments if argument is not types.NoneType)
        arguments = typing.get_args(kind)
    if typing.get_origin(kind) is Literal:
        if text not in arguments:
            hint = did_you_mean(text, {argument: argument for argument in arguments})
            raise InputError(f"{flag} must be one of {', '.join(arguments)}, got {text!r}{hint}")
        return text
    words = {int: "an integer", float: "a finite number", str: "a text"}
    try:
        value = kind(text)
    except ValueError:
        value = math.nan
    if kind is not str and not math.isfinite(value):
        raise InputError(f"{flag} must be {words[kind]}, got {text!r}")
    return value

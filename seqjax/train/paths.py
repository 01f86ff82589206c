"""Weights by their paths: the names of nested dicts joined by "/", as weights are stored."""

import difflib
import fnmatch
from collections.abc import Callable, Sequence
from typing import Any

import jax


def map_with_paths(function: Callable[..., Any], tree: Any, *others: Any) -> Any:
    """Returns the tree with `function(path, leaf)` in place of each leaf.

    Leaves of other trees of the same structure are further arguments.

    >>> map_with_paths(lambda path, leaf: path, {"encoder": {"bias": 0}})
    {'encoder': {'bias': 'encoder/bias'}}
    """
    return jax.tree_util.tree_map_with_path(
        lambda keys, *leaves: function(
            jax.tree_util.keystr(keys, simple=True, separator="/"), *leaves
        ),
        tree,
        *others,
    )


def flat(tree: Any) -> dict[str, Any]:
    """Returns the leaves by their paths.

    >>> flat({"decoder": {"kernel": 1}, "bias": 2})
    {'bias': 2, 'decoder/kernel': 1}
    """
    found: dict[str, Any] = {}
    map_with_paths(found.__setitem__, tree)
    return found


def named(path: str, patterns: Sequence[str]) -> bool:
    """Whether one of the patterns means this weight: its path, a beginning of it, or with * both.

    >>> [named("encoder/embedding/embedding", [p]) for p in ("encoder", "enc", "enc*", "*/embed*")]
    [True, False, True, True]
    """
    return any(fnmatch.fnmatchcase(path, each) for p in patterns for each in (p, f"{p}/*"))


def check_patterns(tree: Any, patterns: Sequence[str], setting: str) -> None:
    """Raises ValueError if one of the patterns means no weight; it names what is nearest."""
    paths = list(flat(tree))
    for pattern in patterns:
        if not any(named(path, [pattern]) for path in paths):
            parts = {"/".join(path.split("/")[: n + 1]) for path in paths for n in range(9)}
            near = difflib.get_close_matches(pattern, sorted(parts), n=1, cutoff=0.0)
            raise ValueError(f"{setting} must name weights, {pattern!r} is none: {near[0]} is near")

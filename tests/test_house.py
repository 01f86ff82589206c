"""The order of the house, read from the source."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "seqjax"

# A room imports from rooms to its left and from itself. Rooms on one line are siblings: they never
# import one another.
ORDER = (
    ("errors",),
    ("types",),
    ("config",),
    ("masking",),
    ("cells",),
    ("attention",),
    ("unroll",),
    ("models", "losses", "metrics", "decode", "data", "baselines", "interop"),
    ("rundir",),
    ("train", "report"),
    ("record",),
    ("presets",),
    ("build",),
    ("predict",),
    ("measure",),
    ("road", "conclude"),
    ("together",),
    ("diagnose",),
    ("cli",),
)
FLOOR = {room: floor for floor, rooms in enumerate(ORDER) for room in rooms}
FILES = sorted(path for path in ROOT.rglob("*.py") if path != ROOT / "__init__.py")


def imported_rooms(source: str) -> set[str]:
    """Returns the rooms of seqjax that a module imports, anywhere in it.

    >>> sorted(imported_rooms("import seqjax.a.x\\nfrom seqjax import b\\nimport numpy"))
    ['a', 'b']
    """
    names = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports name the whole path"
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return {name.split(".")[1] for name in names if name.startswith("seqjax.")}


def test_there_are_files_to_look_at():
    assert len(FILES) > 20


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_only_go_down(path):
    room = path.relative_to(ROOT).parts[0].removesuffix(".py")
    assert room in FLOOR, f"{room} is a new room: give it a place in ORDER"
    for other in imported_rooms(path.read_text(encoding="utf-8")) - {room}:
        assert FLOOR[other] < FLOOR[room], f"{room} stands left of {other}, or beside it"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_annotations_are_there_at_run_time(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        assert not (isinstance(node, ast.ImportFrom) and node.module == "__future__")


DOCUMENTS = sorted((ROOT.parent / "docs").rglob("*.md"))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_test_that_the_documentation_names_is_there(document):
    tests = Path(__file__).parent
    named = re.findall(r"`(?:([\w/]+\.py)?(::))?(test_\w+)`", document.read_text(encoding="utf-8"))
    assert len(named) > 40 or document.name == "decoding.md"
    place = ""
    for path, colons, name in named:
        place = path or (place if colons else "test_laws.py")
        assert f"\ndef {name}(" in (tests / place).read_text(encoding="utf-8"), f"{place}::{name}"

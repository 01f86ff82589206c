"""The order of the house, read from the source."""

import ast
import fnmatch
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "seqjax"

# A room imports from rooms above it and from itself. Rooms on one line are siblings: they never
# import one another. Inside `runs`, which goes the whole road, every file is a room.
ORDER = (
    ("errors", "codes"),
    ("files",),
    ("types",),
    ("config",),
    ("masking",),
    ("cells",),
    ("attention",),
    ("unroll",),
    ("lattice",),
    ("models", "losses", "metrics", "decode", "data", "baselines", "interop"),
    ("rundir",),
    ("train", "report", "watch", "survey"),
    ("presets",),
    ("build",),
    ("predict",),
    ("tasks",),
    (
        *("runs.spectator", "runs.setup"),
        *("runs.facts", "runs.going_on", "runs.profile"),
    ),
    ("runs.measure", "runs.fitted"),
    ("runs.record",),
    ("runs.watching", "runs.trained"),
    ("runs.road", "runs.fitting", "runs.rehearse", "runs.conclude"),
    ("runs.listening", "runs.average"),
    ("runs.together",),
    ("runs.hearing",),
    ("runs.diagnose",),
    ("cli",),
    ("__main__",),
)
FLOOR = {room: floor for floor, rooms in enumerate(ORDER) for room in rooms}
FILES = sorted(path for path in ROOT.rglob("*.py") if path != ROOT / "__init__.py")


def room_of(name: str) -> str:
    """Returns the room that a dotted name below `seqjax` stands in.

    >>> room_of("runs.road.train"), room_of("data.readers")
    ('runs.road', 'data')
    """
    parts = name.split(".")
    return ".".join(parts[: 2 if parts[0] == "runs" else 1])


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
    return {room_of(name.removeprefix("seqjax.")) for name in names if name.startswith("seqjax.")}


def test_there_are_files_to_look_at():
    assert len(FILES) > 20


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_only_go_down(path):
    room = room_of(".".join(path.relative_to(ROOT).with_suffix("").parts))
    if room == "runs.__init__":
        return
    assert room in FLOOR, f"{room} is a new room: give it a place in ORDER"
    for other in imported_rooms(path.read_text(encoding="utf-8")) - {room}:
        assert FLOOR[other] < FLOOR[room], f"{room} stands left of {other}, or beside it"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_annotations_are_there_at_run_time(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        assert not (isinstance(node, ast.ImportFrom) and node.module == "__future__")


def test_no_folder_of_tests_is_passed_over(pytestconfig):
    """pytest has a list of names, `build` among them, that it does not look into."""
    tests = Path(__file__).parent
    folders = {path.parent for path in tests.rglob("test_*.py")}
    left_out = pytestconfig.getini("norecursedirs")
    parts = {part for folder in folders for part in folder.relative_to(tests).parts}
    assert not [part for part in parts if any(fnmatch.fnmatch(part, name) for name in left_out)]


DOCUMENTS = sorted((ROOT.parent / "docs").rglob("*.md"))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_test_that_the_documentation_names_is_there(document):
    tests = Path(__file__).parent
    named = re.findall(r"`(?:([\w/]+\.py)?(::))?(test_\w+)`", document.read_text(encoding="utf-8"))
    few = {
        "decoding.md": 0,
        "data.md": 5,
        "baselines.md": 10,
        "scaling.md": 9,
        "watching.md": 10,
    }
    least = 1 if document.parent.name == "tasks" else few.get(document.name, 20)
    assert len(named) >= least
    place = ""
    for path, colons, name in named:
        place = path or (place if colons else "test_laws.py")
        assert f"\ndef {name}(" in (tests / place).read_text(encoding="utf-8"), f"{place}::{name}"

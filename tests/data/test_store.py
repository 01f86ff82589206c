"""A store is made once, used again, made anew when it must be, and refused when it is damaged."""

import json
import os
import shutil

import pytest

from seqjax.data.store import MANIFEST, stored
from seqjax.errors import InputError


class Maker:
    """Writes what the source holds, twice; counts how often."""

    def __init__(self, source):
        self.source, self.made = source, 0

    def __call__(self, folder):
        self.made += 1
        (folder / "ids").write_bytes(2 * self.source.read_bytes())
        return {"size": self.source.stat().st_size}


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "corpus.txt"
    path.write_bytes(b"abc")
    return path


def use(tmp_path, source, maker, **settings):
    notes = stored(tmp_path / "deep" / "store", [source], settings, maker)
    return notes, (tmp_path / "deep" / "store" / "ids").read_bytes()


def test_what_is_there_is_used_again(tmp_path, source):
    maker = Maker(source)
    for _ in range(3):
        assert use(tmp_path, source, maker, kind="chars") == ({"size": 3}, b"abcabc")
    os.utime(source, ns=(1, 1))  # touched, but the same: its content says so
    use(tmp_path, source, maker, kind="chars")
    copy = shutil.copy(source, tmp_path / "elsewhere.txt")
    use(tmp_path, copy, maker, kind="chars")
    assert maker.made == 1
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["store"]


def test_other_files_or_settings_make_it_anew(tmp_path, source):
    maker = Maker(source)
    use(tmp_path, source, maker, kind="chars")
    source.write_bytes(b"xyz")  # of the same size
    os.utime(source, ns=(5, 5))
    assert use(tmp_path, source, maker, kind="chars") == ({"size": 3}, b"xyzxyz")
    use(tmp_path, source, maker, kind="words")
    assert maker.made == 3
    manifest = tmp_path / "deep" / "store" / MANIFEST
    manifest.write_text(manifest.read_text().replace('"format_version": 1', '"format_version": 0'))
    use(tmp_path, source, maker, kind="words")
    assert maker.made == 4


def test_who_reads_the_old_one_goes_on(tmp_path, source):
    maker = Maker(source)
    use(tmp_path, source, maker)
    with (tmp_path / "deep" / "store" / "ids").open("rb") as file:
        source.write_bytes(b"longer")
        assert use(tmp_path, source, maker)[1] == b"longerlonger"
        assert file.read() == b"abcabc"


def test_a_store_that_was_not_finished_is_none(tmp_path, source):
    def broken(folder):
        (folder / "ids").write_bytes(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(InputError, match="store: cannot be written .No space left on device"):
        use(tmp_path, source, broken)
    assert list((tmp_path / "deep").iterdir()) == []
    maker = Maker(source)
    use(tmp_path, source, maker)
    with pytest.raises(InputError):
        use(tmp_path, source, broken, other="settings")
    assert use(tmp_path, source, maker)[1] == b"abcabc" and maker.made == 1


def test_a_source_that_changes_meanwhile_is_said(tmp_path, source):
    def slow(folder):
        source.write_bytes(b"grown meanwhile")
        return {}

    with pytest.raises(InputError, match=r"corpus.txt: changed while it was read"):
        use(tmp_path, source, slow)
    with pytest.raises(InputError, match=r"corpus.tx: no such file; did you mean"):
        use(tmp_path, source.with_suffix(".tx"), Maker(source))


@pytest.mark.parametrize(
    ("damage", "why"),
    (
        (lambda store: (store / "ids").unlink(), "ids is missing"),
        (lambda store: (store / "ids").write_bytes(b"abcab"), "ids changed"),
        (lambda store: (store / "ids").write_bytes(b"abcabd"), "ids changed"),
        (lambda store: (store / MANIFEST).write_text("{"), "not JSON"),
        (lambda store: (store / MANIFEST).write_text("[]"), "no format_version"),
        (lambda store: (store / MANIFEST).write_text('{"format_version": 1}'), "lacks something"),
        (lambda store: (store / MANIFEST).unlink(), "is no token store"),
    ),
)
def test_a_damaged_store_is_refused_in_one_line(tmp_path, source, damage, why):
    use(tmp_path, source, Maker(source))
    damage(tmp_path / "deep" / "store")
    with pytest.raises(InputError, match=f"store: .*{why}.*delete") as caught:
        use(tmp_path, source, Maker(source))
    assert "\n" not in str(caught.value)


def test_nothing_outside_is_looked_at(tmp_path, source):
    use(tmp_path, source, Maker(source))
    manifest = tmp_path / "deep" / "store" / MANIFEST
    document = json.loads(manifest.read_text())
    document["files"]["../../corpus.txt"] = document["files"].pop("ids")
    manifest.write_text(json.dumps(document))
    with pytest.raises(InputError, match="lies outside"):
        use(tmp_path, source, Maker(source))


def test_a_directory_of_something_else_is_left_alone(tmp_path, source):
    (tmp_path / "deep" / "store").mkdir(parents=True)
    (tmp_path / "deep" / "store" / "thesis.tex").write_text("years of work")
    with pytest.raises(InputError, match="is no token store"):
        use(tmp_path, source, Maker(source))
    assert (tmp_path / "deep" / "store" / "thesis.tex").exists()

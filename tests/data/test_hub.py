"""Data sets by name: with a stand-in for `datasets`, and with the real one where it is."""

import importlib.util
import json
import sys
import types

import numpy as np
import pytest

from seqjax.build.splits import pair_splits, text_splits
from seqjax.config import Config, DataConfig
from seqjax.data.hub import field_of, open_hub
from seqjax.errors import InputError
from seqjax.tasks.choose import build_task

REAL = importlib.util.find_spec("datasets") is not None
ROWS = [{"id": n, "translation": {"de": f"Haus {n}", "en": f"House {n}"}} for n in range(40)]


class Stand(types.ModuleType):
    """Keeps what it is asked for."""

    def __init__(self, splits):
        super().__init__("datasets")
        self.splits, self.asked = splits, []

    def load_dataset(self, *arguments, **settings):
        self.asked.append((arguments, settings))
        if isinstance(self.splits, Exception):
            raise self.splits
        return self.splits


def config(task="text-to-text", **settings):
    fields = {"source_field": "translation.de", "target_field": "translation.en"}
    data = DataConfig(**({"hub": "owner/set", "hub_config": "de-en"} | fields | settings))
    return Config(task=task, data=data)


@pytest.fixture
def hub(monkeypatch):
    def install(splits):
        stand = Stand(splits)
        monkeypatch.setitem(sys.modules, "datasets", stand)
        return stand

    return install


def test_fields_within_fields_and_splits_are_found(hub):
    stand = hub({"train": ROWS[:30], "validation": ROWS[30:35], "test": ROWS[35:]})
    splits = pair_splits(config(lowercase=True))
    assert splits.train.sources[:2] == ["haus 0", "haus 1"]
    assert splits.valid.targets == [f"house {n}" for n in range(30, 35)]
    assert len(splits.test.sources) == 5
    assert stand.asked == [(("owner/set", "de-en"), {})]  # trust_remote_code is never set
    data = build_task(config(batch_size=4)).data()
    assert data.statistics["train"] == 30 and data.example.inputs.values.shape[0] == 4


def test_without_a_validation_split_some_is_held_out(hub):
    hub({"train": ROWS})
    splits = pair_splits(config())
    assert len(splits.train.sources) == 38 and len(splits.valid.sources) == 2
    assert splits.test is None


def test_a_field_is_a_running_text_for_a_language_model(hub):
    hub({"train": [{"text": "one\n"}, {"text": ""}, {"text": "Two\nthree"}]})
    text = config(task="language-model", target_field="text")
    splits = text_splits(text)
    assert splits.train + splits.valid == "one\n\nTwo\nthree\n"
    with pytest.raises(InputError, match=r"set\[train\]:1: has no field 'body' .there is: text"):
        text_splits(config(task="language-model", target_field="body"))


@pytest.mark.parametrize(
    ("row", "message"),
    (
        ({"translation": {"de": "x"}}, "has no field 'translation.en' .there is: de"),
        ({"other": 1}, "has no field 'translation.de' .there is: other"),
        ({"translation": {"de": 3, "en": "x"}}, "'translation.de' must be a text, got 3"),
        ({"translation": {"de": "a\nb", "en": "x"}}, "a NUL or a line feed"),
        ({"translation": {"de": "a", "en": " "}}, "the target is empty"),
    ),
)
def test_reading_stays_strict(hub, row, message):
    hub({"train": [*ROWS, row]})
    with pytest.raises(InputError, match=rf"owner/set\[train\]:41: .*{message}"):
        pair_splits(config())
    assert pair_splits(config(on_bad_line="skip")).train.skipped == 1


def test_what_cannot_be_opened_is_one_line(hub, monkeypatch):
    hub(FileNotFoundError("Couldn't find it\nanywhere"))
    with pytest.raises(InputError, match=r"owner/set: cannot be opened .Couldn't find it.;"):
        open_hub("owner/set")
    hub({"all": ROWS})
    with pytest.raises(InputError, match="no split train .its splits: all"):
        open_hub("owner/set")
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(InputError, match="is not installed; pip install datasets"):
        open_hub("owner/set")


def test_a_column_with_a_dot_in_its_name_is_itself():
    assert field_of({"a.b": "one", "a": {"b": "two"}}, "a.b") == "one"
    with pytest.raises(ValueError, match="data.hub must be None when files are given"):
        Config(train=("x.tsv",), data=DataConfig(hub="owner/set"))


@pytest.mark.skipif(not REAL, reason="datasets is not installed")
@pytest.mark.filterwarnings("ignore")
def test_the_library_itself_reads_what_lies_on_disk(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    import datasets  # pyright: ignore[reportMissingImports]

    files = tmp_path / "files"
    files.mkdir()
    for split, rows in (("train", ROWS[:30]), ("validation", ROWS[30:])):
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (files / f"{split}.jsonl").write_text(lines)
    saved = tmp_path / "saved"
    datasets.load_dataset(str(files)).save_to_disk(str(saved))
    batches = []
    for directory in (files, saved):
        data = build_task(config(hub=str(directory), hub_config=None, batch_size=4)).data()
        assert data.statistics["train"] == 30 and data.statistics["valid"] == 10
        batches.append(next(data.feed.batches(0, 0)).inputs.values)
    np.testing.assert_array_equal(*batches)

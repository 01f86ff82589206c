"""`seqjax inspect --data` for labels, tags, recordings and arrays, as a user types it."""

import json

import numpy as np
import pytest
from cli.commands import one_line_error, seqjax

from seqjax.cli.explain import KNOWN as KNOWN_CODES
from seqjax.config import Config, DataConfig, ModelConfig
from seqjax.errors import InputError
from seqjax.survey.choose import KNOWN, read_splits, survey_of, usable, with_guessed_tokens
from seqjax.tasks.choose import build_task
from seqjax.tasks.task import sizes_of


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    generator = np.random.default_rng(0)
    words = [" ".join(generator.choice(list("abcdefgh"), 4)) for _ in range(60)]
    (tmp_path / "labels.tsv").write_text("".join(f"{one}\tl{one[0]}\n" for one in words))
    tags = [f"{one}\t{' '.join('XY'[w < 'd'] for w in one.split())}\n" for one in words]
    (tmp_path / "tags.tsv").write_text("".join(tags))
    for number in range(8):
        np.save(tmp_path / f"{number}.npy", generator.normal(size=(12 + number, 3)))
    (tmp_path / "arrays.tsv").write_text("".join(f"{n}.npy\tabc\n" for n in range(8)))
    return tmp_path


def test_names_of_files_are_never_lowered(here, capsys):
    np.save(here / "UPPER.npy", np.ones((12, 3)))
    (here / "upper.tsv").write_text("UPPER.npy\tABC\n")
    words = ("--task", "describe", "--data", "arrays.tsv", "--valid", "upper.tsv", "--json")
    assert seqjax("inspect", *words, "--data.lowercase") == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["count"] for one in found["findings"] if one["code"] == "SJ-D09"] == [0]
    assert seqjax("inspect", *words) == 3  # training has no upper case


FILES = {"classify": "labels.tsv", "tag": "tags.tsv", "describe": "arrays.tsv"}


@pytest.mark.parametrize(
    "task, tokens",
    [
        ("classify", {"source": "words", "target": "label"}),
        ("tag", {"source": "words", "target": "tags"}),
        ("describe", {"source": "arrays", "target": "chars"}),
    ],
)
def test_everything_is_there_for_machines(here, capsys, task, tokens):
    file = FILES[task]
    assert seqjax("inspect", "--task", task, "--data", file, "--valid", file, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["task"], found["tokens"]) == (task, tokens)  # tokens are guessed
    assert {f["code"] for f in found["findings"]} >= {"SJ-D01", "SJ-D03", "SJ-D08", "SJ-D21"}
    assert {f["code"] for f in found["findings"]} <= set(KNOWN_CODES)
    assert found["numbers"]["Cost of a model"]["parameters"] > 0


@pytest.mark.parametrize("task", FILES)
@pytest.mark.parametrize("limit", [200, 15])
def test_sizes_and_batches_are_those_that_training_makes(here, task, limit):
    files = {"train": (FILES[task],), "valid": (FILES[task],)}
    data = DataConfig(buckets=2, batch_size=8, max_source=limit)
    model = ModelConfig(decoder="ctc") if task == "describe" else ModelConfig()
    config = Config(task=task, **files, data=data, model=model)
    raw = read_splits(config, ())
    config = with_guessed_tokens(config, raw["train"])
    survey = survey_of(usable(raw, config), config)
    built = build_task(config).data()
    assert survey.sizes == sizes_of(built.vocabularies)
    (plan,) = [f.numbers for f in survey.findings if f.code == "SJ-D21"]
    assert plan["shapes"] == built.statistics["shapes"]
    (long,) = [f for f in survey.findings if f.code == "SJ-D08"]
    assert long.numbers.get("source", 0) == built.statistics["too_long"]


def test_a_page_tells_of_labels_and_a_copy_is_mended(here, capsys):
    with (here / "labels.tsv").open("a") as file:
        file.write("q r s t\tLA\n")
    words = ("inspect", "--task", "classify", "--data", "labels.tsv")
    assert seqjax(*words) == 0
    page = capsys.readouterr().out
    assert "⚠ SJ-D37  labels that differ in case or blanks alone: 'LA' beside 'la'" in page
    assert "--task classify --fix SJ-D14,SJ-D37 --out DIR" in page
    assert seqjax(*words, "--fix", "SJ-D37", "--out", "copy") == 0
    assert "SJ-D37  train  1 text changed" in capsys.readouterr().out
    assert (here / "copy" / "labels.tsv").read_text().endswith("q r s t\tla\n")


def test_what_is_to_be_copied_has_the_settings_that_were_given(here, capsys):
    settings = (
        "--model.decoder ctc --model.pyramid --model.encoder-layers 4 --data.target-tokens chars"
    )
    words = f"inspect --data arrays.tsv --task describe {settings}".split()
    assert seqjax(*words) == 3
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "all its places" in line]
    again = line.split("seqjax ")[1].split()
    assert again[-2:] == ["--show", "SJ-D43"]
    assert seqjax(*again) == 3
    assert "arrays.tsv:1" in capsys.readouterr().out


def test_lines_without_a_tag_for_each_word_are_told_and_left_out(here, capsys):
    with (here / "tags.tsv").open("a") as file:
        file.write("a b\tX\n")
    words = ("inspect", "--task", "tag", "--data", "tags.tsv")
    assert seqjax(*words, "--show", "SJ-D01") == 3
    assert capsys.readouterr().out.splitlines()[-1] == "tags.tsv:61\ta b  →  X"
    assert seqjax(*words, "--fix", "SJ-D01", "--out", "copy") == 0
    assert "SJ-D01  train  1 line taken out" in capsys.readouterr().out


def test_what_cannot_be_found_or_mended_beside_recordings(here, capsys):
    with (here / "arrays.tsv").open("a") as file:
        file.write("none.npy\tabc\n")
    words = ("inspect", "--task", "describe", "--data", "arrays.tsv")
    assert seqjax(*words) == 3
    page = capsys.readouterr().out
    assert "✘ SJ-D40  1 source cannot be read: no such file (1)" in page
    assert "arrays.tsv:9  none.npy" in page and "--fix" not in page
    answer = one_line_error(capsys, *words, "--fix", "SJ-D14", "--out", "copy")
    assert "a copy in another directory would not find" in answer
    assert not (here / "copy").exists()


@pytest.mark.parametrize(
    "words, answer",
    [
        ("--task tag --data labels.tsv", "no line of it has as many tags as words; line 1 has"),
        ("--task describe --data labels.tsv", "nothing that it names can be read; line 1"),
        ("--task classify --data labels.tsv --show SJ-D38", "is no finding of --task classify"),
        ("--task classify --data labels.tsv --fix d06 --out o", "SJ-D06 is a finding of --task"),
        ("--task clasify --data labels.tsv", "did you mean classify?"),
        ("--preset parts --data tags.tsv --data.target-tokens words", "data.target_tokens must be"),
        (
            "--task music --data tags.tsv",
            "--task music: its files cannot be looked at with inspect",
        ),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(here, capsys, words, answer):
    assert answer in one_line_error(capsys, "inspect", *words.split())


def test_a_task_that_no_survey_knows_is_refused_in_one_line():
    config = Config(train=("x.tsv",))
    object.__setattr__(config, "task", "painting")
    with pytest.raises(InputError, match=r"^--task painting: its files cannot be looked at.*$"):
        read_splits(config, ())
    assert set(FILES) | {"transcribe"} < set(KNOWN)

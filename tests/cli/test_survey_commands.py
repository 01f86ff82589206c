"""`seqjax inspect --data` and `seqjax explain` as a user types them."""

import json
import re
from pathlib import Path

import pytest
from cli.commands import SMALL, one_line_error, seqjax

from seqjax.cli.explain import KNOWN
from seqjax.survey.codes import CODES, FIXABLE

TRAIN = "".join(f"word{n}\tw o r d {n % 5}\n" for n in range(60))


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.tsv").write_text(TRAIN)
    (tmp_path / "v.tsv").write_text("word1\tw o r d 1\nother\to t h e r\n")
    (tmp_path / "clean.tsv").write_text("xylem\tw o r d 2\n")
    (tmp_path / "t.txt").write_text("the cat sat\non the mat\n" * 9)
    (tmp_path / "v.txt").write_text("the dog\n")
    return tmp_path


def test_a_page_tells_the_worst_first_and_leaves_with_3(here, capsys):
    code = seqjax("inspect", "--data", "t.tsv", "--test", "v.tsv", "--data.target-tokens", "words")
    page = capsys.readouterr().out
    assert code == 3
    assert "1 of 2 test pairs (50.0 %) also stand in train" in page
    assert "v.tsv:1  word1  →  w o r d 1" in page
    assert page.index("✘ SJ-D02") < page.index("⚠ SJ-D24")
    assert "exit code 3" in page
    given = "--data t.tsv --test v.tsv --data.target-tokens words"
    assert f"seqjax inspect {given} --fix SJ-D02 --out DIR" in page
    commands = ("  all its places", "  a mended copy")  # which are to be copied whole
    assert max(len(l) for l in page.splitlines() if not l.startswith(commands)) <= 100


def test_what_is_ignored_or_only_a_warning_is_no_failure(here, capsys):
    words = ("inspect", "--data", "t.tsv", "--test", "v.tsv", "--preset", "short")
    assert seqjax(*words, "--ignore", "SJ-D02") == 3  # test has symbols that train has not
    assert seqjax(*words, "--ignore", "d02,SJ-D09") == 0
    assert "(3 ignored)" in capsys.readouterr().out
    assert seqjax("inspect", "--data", "t.tsv", "--valid", "clean.tsv", "--preset", "short") == 0


def test_json_holds_everything_under_keys_that_stay(here, capsys):
    assert seqjax("inspect", "--data", "t.tsv", "--valid", "v.tsv", "--json") == 3
    found = json.loads(capsys.readouterr().out)
    assert set(found) == {
        *("task", "tokens", "data", "exit_code", "counts", "ignored", "findings", "numbers"),
    }
    assert found["tokens"] == {"source": "chars", "target": "words"}  # guessed
    assert found["exit_code"] == 3
    keys = {"code", "kind", "says", "count", "places", "mend", "numbers", "section"}
    assert all(set(finding) == keys for finding in found["findings"])
    (leak,) = [finding for finding in found["findings"] if finding["code"] == "SJ-D03"]
    assert leak["count"] == 1
    assert leak["places"] == [{"path": "v.tsv", "line": 1, "text": "word1  →  w o r d 1"}]
    assert {finding["code"] for finding in found["findings"]} <= set(KNOWN)
    assert found["numbers"]["Cost of a model"]["parameters"] > 0


def test_texts_are_looked_at_in_lower_case_if_training_reads_them_so(here, capsys):
    (here / "upper.tsv").write_text("WORD1\tw o r d 1\n")
    leaks = []
    for more in ((), ("--data.lowercase",)):
        seqjax("inspect", "--data", "t.tsv", "--valid", "upper.tsv", "--json", *more)
        found = json.loads(capsys.readouterr().out)
        leaks.append([one["count"] for one in found["findings"] if one["code"] == "SJ-D03"])
    assert leaks == [[0], [1]]


def test_the_cost_is_that_of_the_model_that_training_makes(run, files, capsys):
    pairs = ("--data", files / "pairs.tsv", "--valid", files / "valid.tsv")
    assert seqjax("inspect", *pairs, *SMALL[:8], "--data.source-tokens", "chars", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    cost = found["numbers"]["Cost of a model"]
    assert seqjax("inspect", run, "--json") == 0
    trained = json.loads(capsys.readouterr().out)
    assert cost["parameters"] == trained["parameters"]
    assert cost["weight_bytes"] == 4 * cost["parameters"] < cost["state_bytes"]
    (plan,) = [each["numbers"] for each in found["findings"] if each["code"] == "SJ-D21"]
    assert plan["shapes"] == trained["data"]["shapes"]


def test_all_places_of_one_finding_are_lines_for_other_programs(here, capsys):
    assert seqjax("inspect", "--data", "t.tsv", "--valid", "v.tsv", "--show", "d07") == 0
    lines = capsys.readouterr().out.splitlines()
    places = [line for line in lines if re.fullmatch(r"t\.tsv:\d+\t.*", line)]
    assert len(places) == 60


def test_a_mended_copy_is_written_beside_and_told(here, capsys):
    words = ("inspect", "--data", "t.tsv", "--valid", "v.tsv", "--fix", "SJ-D03", "--out", "copy")
    assert seqjax(*words) == 3  # symbols that train never shows are left
    page = capsys.readouterr().out
    assert "SJ-D03  train  1 pair taken out" in page
    assert "written: copy/t.tsv copy/v.tsv" in page
    assert "✘ SJ-D09" in page and "SJ-D03  1 of" not in page
    assert (here / "copy" / "t.tsv").read_text() == TRAIN.replace("word1\tw o r d 1\n", "")
    assert (here / "t.tsv").read_text() == TRAIN
    assert "copy: is not a new or empty directory" in one_line_error(capsys, *words)


def test_a_running_text_is_looked_at_as_one(here, capsys):
    words = ("inspect", "--task", "language-model", "--data", "t.txt", "--valid", "v.txt")
    assert seqjax(*words, "--data.min-count", "1") == 0
    page = capsys.readouterr().out
    assert "33.3 % of valid tokens do not occur at all in train" in page  # of three, with \n


@pytest.mark.parametrize(
    "words, answer",
    [
        ("--data missing.tsv", "missing.tsv: no such file"),
        ("--data .", ".: is a directory; give a file in it"),
        ("--data t.tsv --ignore SJ-D99", "--ignore: no finding is named SJ-D99"),
        ("--data t.tsv --show x", "--show: no finding is named x"),
        ("--data t.tsv --show SJ-D30", "--show: SJ-D30 is no finding of --task text-to-text"),
        ("--data t.tsv --fix SJ-D13 --out o", "--fix: SJ-D13 cannot be mended by itself"),
        ("--data t.tsv --fix SJ-D30 --out o", "SJ-D30 is a finding of --task language-model"),
        ("--data t.tsv --fix SJ-D14", "fix and out must be given together, got one of them"),
        ("--data t.tsv --out o", "fix and out must be given together, got one of them"),
        ("--task language-model --data t.txt v.txt", "a running text is one file, got 2"),
        ("--data t.tsv --preset shirt", "did you mean short?"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(here, capsys, words, answer):
    assert answer in one_line_error(capsys, "inspect", *words.split())
    assert not (here / "o").exists()


def test_every_code_is_explained(capsys):
    assert seqjax("explain") == 0
    listed = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0] for line in listed] == list(KNOWN)
    assert seqjax("explain", *KNOWN) == 0
    page = capsys.readouterr().out
    assert max(map(len, page.splitlines())) <= 100
    for entry in KNOWN.values():
        assert f"{entry.code}  {entry.says}\n" in page
    assert len(CODES) >= 15 and set(FIXABLE) < {entry.code for entry in CODES}
    assert "did you mean SJ-D" in one_line_error(capsys, "explain", "SJ-D0")


def test_the_documentation_lists_every_code_as_it_is():
    page = (Path(__file__).parents[2] / "docs" / "data.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (SJ-D\d\d) \| (.*) \| (yes|) \|$", page, re.MULTILINE)
    assert rows == [(e.code, e.says, "yes" if e.code in FIXABLE else "") for e in CODES]

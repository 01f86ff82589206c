"""Baselines from the command line: files in, the metrics of networks out."""

import functools
import json
import math
import sys

import numpy as np
import pytest
from cli.commands import PAIRS, fed, one_line_error, seqjax

from seqjax.baselines.ngram import train_ngram
from seqjax.build import splits
from seqjax.cli import train as train_command
from seqjax.config.by_task import RULED
from seqjax.data.readers import Pairs, Splits
from seqjax.rundir import load_weights, save_weights
from seqjax.runs.fitted import KIND
from seqjax.runs.trained import load
from seqjax.tasks.arrays import from_words
from seqjax.tasks.plain import RULES

LABELS = "".join(
    f"{a} {b}\t{'z' if a in 'ab' else 'y' if b != 'd' else 'x'}\n" for a in "abcd" for b in "abcd"
)
KINDS = {
    "ngram": ("language-model", "text.txt"),
    "lexicon": ("text-to-text", "pairs.tsv"),
    "usual": ("text-to-text", "pairs.tsv"),
    "copy": ("text-to-text", "pairs.tsv"),
    "majority": ("classify", "labels.tsv"),
    "bag_of_words": ("classify", "labels.tsv"),
}
TOKENS = {
    "language-model": ("--data.target-tokens", "words"),
    "text-to-text": (),
    "classify": ("--data.source-tokens", "words"),
}


def fitted(files, run, kind, *more):
    task, name = KINDS[kind]
    return seqjax(
        *("train", "--task", task, "--model.kind", kind, "--train", files / name),
        *("--valid", files / f"valid.{name}", *TOKENS[task], "--run-dir", run, *more),
    )


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    folder = tmp_path_factory.mktemp("baselines")
    texts = {
        "text.txt": "the cat sat on the mat\nthe dog sat on the log\n" * 20,
        "pairs.tsv": PAIRS,
        "labels.tsv": LABELS,
    }
    valid = {"text.txt": "the cat sat on a log\n", "pairs.tsv": PAIRS[:80], "labels.tsv": LABELS}
    for name in texts:
        (folder / name).write_text(texts[name])
        (folder / f"valid.{name}").write_text(valid[name])
    return folder


@pytest.fixture(scope="module")
def runs(places):
    """Runs by kind, each made when it is asked for first."""
    made = {}

    def run_of(kind):
        if kind not in made:
            pytest.importorskip("sklearn") if kind == "bag_of_words" else None
            made[kind] = places / kind
            order = ("--model.ngram-order", "3") if kind in ("ngram", "lexicon") else ()
            assert fitted(places, made[kind], kind, *order) == 0
        return made[kind]

    return run_of


def scores_of(capsys, run, *words):
    capsys.readouterr()
    assert seqjax("evaluate", run, "--json", *words) == 0
    return json.loads(capsys.readouterr().out)


def printed(capsys, *words):
    capsys.readouterr()
    assert seqjax(*words) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_fitted_and_measured_by_its_task(runs, capsys, kind):
    run = runs(kind)
    stored = json.loads((run / "results.json").read_text())
    again = scores_of(capsys, run)
    timed = ("split", "spent", "seconds", "sentences_per_second")
    assert again and {name: stored[name] for name in again if name not in timed} == {
        name: value for name, value in again.items() if name not in timed
    }
    assert stored["spent"].keys() == {"fit"} and "method" not in stored
    expected = {"ngram": "perplexity", "majority": "accuracy", "bag_of_words": "accuracy"}
    assert expected.get(kind, "exact_match") in again


def test_the_loss_of_ngrams_is_that_of_the_model_itself(runs, places, capsys):
    run = runs("ngram")
    vocabulary = load(str(run)).vocabularies["text"]
    train, valid = (
        np.array(vocabulary.encode((places / name).read_text()))
        for name in ("text.txt", "valid.text.txt")
    )
    log_probs = train_ngram([train], order=3, vocab_size=len(vocabulary)).log_probs(valid)
    scores = scores_of(capsys, run)
    assert scores["loss"] == pytest.approx(-log_probs.mean(), rel=1e-12)
    assert scores["perplexity"] == pytest.approx(math.exp(scores["loss"]), rel=1e-12)
    assert scores["bits_per_token"] == pytest.approx(scores["loss"] / math.log(2), rel=1e-12)
    assert scores["tokens"] == len(valid) == 7


def test_labels_have_the_likelihood_of_their_shares(runs, capsys):
    counts = {"z": 8, "y": 6, "x": 2}
    assert {line.split("\t")[1] for line in LABELS.splitlines()} == counts.keys()
    wanted = -sum(count * math.log(count / 16) for count in counts.values()) / 16
    scores = scores_of(capsys, runs("majority"))
    assert scores["loss"] == pytest.approx(wanted, rel=1e-12)
    assert scores["tokens"] == 16 and scores["accuracy"] == 0.5


def test_bags_are_stored_as_they_were_fitted(runs, capsys):
    run = runs("bag_of_words")
    arrays, _ = load_weights(run / "best.safetensors")
    scores = scores_of(capsys, run)
    assert scores["accuracy"] == pytest.approx(float(arrays["valid_accuracy"]))
    out = printed(
        capsys, "predict", run, "--input", run.parent / "texts.txt", "--probs", "--n-best", "3"
    )
    shown = [line.split("\t") for line in out.splitlines()]
    assert [len(line) for line in shown] == [3, 1, 3] and shown[1] == [" 1.0000"]
    probs = [float(answer.split()[1]) for answer in shown[0]]
    assert sum(probs) == pytest.approx(1.0, abs=2e-4) and probs == sorted(probs, reverse=True)
    assert shown[0][0].split()[0] == "z" and shown[2][0].split()[0] == "y"


@pytest.fixture(autouse=True)
def texts(places):
    (places / "texts.txt").write_text("a b\n\nd a\n")
    (places / "sources.txt").write_text("abc\n\nqq\n")


def test_majorities_are_told_with_their_shares(runs, places, capsys):
    out = printed(
        *(capsys, "predict", runs("majority"), "--input", places / "texts.txt"),
        *("--probs", "--n-best", "2"),
    )
    assert out == "z 0.5000\ty 0.3750\n 1.0000\nz 0.5000\ty 0.3750\n"


@pytest.mark.parametrize(
    ("kind", "expected"), [("copy", ["abc", "", "qq"]), ("usual", ["cba", "", "aaa"])]
)
def test_a_line_in_is_a_line_out(runs, places, capsys, kind, expected):
    out = printed(capsys, "decode", runs(kind), "--input", places / "sources.txt")
    assert out.split("\n") == [*expected, ""]


def test_a_lexicon_answers_as_the_translator_that_was_learnt(runs, places, capsys):
    """Letter for letter, in the order of the source; what it has never seen is copied."""
    out = printed(capsys, "decode", runs("lexicon"), "--input", places / "sources.txt")
    answers = out.split("\n")
    model = load(str(runs("lexicon"))).weights
    assert answers[0] == "".join(model.translate(list("abc")))
    assert answers[1] == "" and answers[2] == "qq" and len(answers) == 4


def test_rules_read_dates_and_nothing_else(tmp_path, places, capsys, monkeypatch):
    few = Pairs(["en March 3, 1999", "en 12/31/70"], ["1999-03-03", "1970-12-31"])
    monkeypatch.setattr(splits, "make_dates", lambda examples, seed: Splits(few, few, few))
    run = tmp_path / "run"
    made = ("train", "--model.kind", "rules", "--data.examples", "40", "--run-dir", run)
    assert seqjax(*made) == 0
    assert json.loads((run / "results.json").read_text())["exact_match"] == 1.0
    fed(monkeypatch, "de 3. März 1999\n".encode())
    assert printed(capsys, "decode", run) == "1999-03-03\n"
    file = places / "pairs.tsv"
    told = one_line_error(capsys, *made, "--train", file)
    assert "model.kind must be another than rules for data other than the built-in dates" in told


def test_rules_say_numbers(tmp_path, capsys, monkeypatch):
    few = functools.partial(splits.make_numbers, held_out=20)
    monkeypatch.setattr(splits, "make_numbers", few)
    run = tmp_path / "run"
    made = ("train", "--model.kind", "rules", "--preset", "numbers", "--data.examples", "40")
    assert seqjax(*made, "--run-dir", run) == 0
    assert json.loads((run / "results.json").read_text())["exact_match"] == 1.0
    fed(monkeypatch, b"7019\nseven\n")
    assert printed(capsys, "decode", run) == "seven thousand and nineteen\n\n"


def test_rules_inflect(tmp_path, capsys, monkeypatch):
    run = tmp_path / "run"
    made = ("train", "--model.kind", "rules", "--preset", "inflection", "--data.examples", "40")
    assert seqjax(*made, "--run-dir", run) == 0
    assert json.loads((run / "results.json").read_text())["exact_match"] == 1.0
    fed(monkeypatch, "göz PL;PSS2P;GEN\ngöz\n".encode())
    assert printed(capsys, "decode", run) == "gözlerinizin\n\n"


def test_what_has_rules_is_what_may_ask_for_them():
    assert tuple(RULES) == RULED


def test_a_second_text_and_a_prompt_that_is_none_are_refused(runs, places, capsys):
    text = places / "text.txt"
    told = one_line_error(capsys, "evaluate", runs("ngram"), "--data", text, text)
    assert "the data of a language model is one text file, got 2" in told
    told = one_line_error(capsys, "generate", runs("ngram"), "--prompt", "the \udcff")
    assert "--prompt: is not UTF-8" in told


def test_ngrams_go_on_from_a_prompt(runs, capsys):
    run = runs("ngram")
    words = ("generate", run, "--prompt", "the cat", "--max-length", "6", "--n-best", "2")
    once = printed(capsys, *words, "--seed", "3", "--json")
    rows = [json.loads(line) for line in once.splitlines()]
    assert [len(row["tokens"]) for row in rows] == [6, 6]
    assert rows[0]["log_prob"] >= rows[1]["log_prob"]
    assert printed(capsys, *words, "--seed", "3", "--json") == once
    assert printed(capsys, *words, "--seed", "4", "--json") != once
    model = load(str(run))
    ids = model.vocabularies["text"].ids
    said, before = (
        np.array([ids[token] for token in tokens]) for tokens in (rows[0]["tokens"], ["the", "cat"])
    )
    said = model.weights.log_probs(said, before)
    assert rows[0]["log_prob"] == pytest.approx(said.sum())
    cold = printed(capsys, *words[:-2], "--temperature", "0.01")
    assert cold == "the cat sat on the mat\nthe\n"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("generate", "--beam-size", "3"), "--beam-size is of searches"),
        (("generate", "--forbid", "x"), "--forbid is of searches"),
        (("decode",), "is a language-model run, which gives no texts; use seqjax generate"),
        (("predict",), "is a language-model run, which gives no labels"),
        (("inspect",), "is of model.kind ngram; this takes a network"),
        (("features", "--output", "x.npy"), "is of model.kind ngram; this takes a network"),
        (("evaluate", "--method", "beam"), "--method is of networks; leave it out with ngram"),
        (("evaluate", "--report"), "--report is of encoder-decoders"),
    ],
)
def test_what_ngrams_have_no_use_for_is_refused(runs, capsys, words, why):
    assert why in one_line_error(capsys, words[0], runs("ngram"), *words[1:])


def test_nothing_has_a_say_beside_a_baseline_and_it_has_none_itself(runs, capsys):
    copy, ngram = runs("copy"), runs("ngram")
    assert "answers alone" in one_line_error(capsys, "decode", copy, copy)
    assert "answers alone" in one_line_error(capsys, "evaluate", copy, copy)
    told = one_line_error(capsys, "decode", copy, "--language-model", ngram)
    assert "--language-model is of networks" in told
    assert "a baseline knows no --prefix" in one_line_error(capsys, "decode", copy, "--prefix", "x")


@pytest.mark.parametrize(
    ("kind", "task", "known"),
    [
        ("ngram", "text-to-text", "network, lexicon, rules, usual, copy"),
        ("copy", "language-model", "network, ngram"),
        ("lexicon", "classify", "network, bag_of_words, majority"),
        ("majority", "tag", "network, usual"),
    ],
)
def test_a_kind_is_of_a_task(tmp_path, capsys, kind, task, known):
    told = one_line_error(
        *(capsys, "train", "--task", task, "--model.kind", kind, "--run-dir", tmp_path / "run")
    )
    assert f"model.kind must be one of {known} for {task}, got {kind}" in told


@pytest.mark.parametrize(
    ("flags", "why"),
    [
        (("--dry-run",), "--dry-run is of networks"),
        (("--profile-steps", "1:2"), "--profile-steps is of networks"),
        (("--model.ngram-order", "3"), "model.ngram_order must be 5 when model.kind is copy"),
        (("--start-from", "x"), "start_from must be left out when model.kind is copy"),
        (("--resume", "must"), "--resume must, but copy is fitted in one go"),
    ],
)
def test_what_a_baseline_cannot_do_is_refused(places, tmp_path, capsys, flags, why):
    words = ("--train", places / "pairs.tsv", "--run-dir", tmp_path / "run")
    assert why in one_line_error(capsys, "train", "--model.kind", "copy", *words, *flags)


def test_a_fit_that_fails_leaves_nothing_that_stands_in_the_way(places, tmp_path, capsys):
    pytest.importorskip("sklearn")
    (tmp_path / "one.tsv").write_text("a b\tz\nc d\tz\n")
    run = tmp_path / "run"
    words = ("train", "--task", "classify", "--model.kind", "bag_of_words", "--run-dir", run)
    one = ("--train", tmp_path / "one.tsv", "--valid", tmp_path / "one.tsv")
    assert "all are 'z'" in one_line_error(capsys, *words, *one)
    assert not (run / "config.json").exists()


def test_what_is_done_is_not_done_again_unless_that_is_asked_for(places, tmp_path, capsys):
    run = tmp_path / "run"
    assert fitted(places, run, "usual") == 0
    before = (run / "results.json").read_bytes(), (run / "best.safetensors").stat().st_mtime_ns
    capsys.readouterr()
    assert fitted(places, run, "usual") == 0
    assert "done     already" in capsys.readouterr().err
    after = (run / "results.json").read_bytes(), (run / "best.safetensors").stat().st_mtime_ns
    assert after == before
    words = ("train", "--train", places / "pairs.tsv", "--run-dir", run, "--model.kind")
    assert "begun with other settings" in one_line_error(capsys, *words, "copy")
    assert "a run is there already" in one_line_error(capsys, *words, "usual", "--resume", "never")
    gone = ("train", "--train", places / "gone.tsv", "--run-dir", run, "--model.kind", "copy")
    assert "no such file" in one_line_error(capsys, *gone, "--overwrite")
    assert (run / "results.json").read_bytes() == before[0]
    assert fitted(places, run, "copy", "--overwrite") == 0
    assert not (run / "trainer.lock").exists()
    assert load(str(run)).decode(["new"]) == ["new"]


def test_without_scikit_learn_one_line_says_so(places, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.feature_extraction.text", None)
    words = ("--task", "classify", "--train", places / "labels.tsv", "--valid")
    told = one_line_error(
        *(capsys, "train", "--model.kind", "bag_of_words", *words, places / "labels.tsv"),
        *("--run-dir", tmp_path / "run"),
    )
    assert "pip install 'seqjax[baselines]'" in told


def _first_key_lost(arrays):
    arrays["2.keys"] = arrays["2.keys"][1:]


def _turned(arrays):
    arrays["2.keys"] = arrays["2.keys"][::-1].copy()


def _of_single_precision(arrays):
    arrays["1.gains"] = arrays["1.gains"].astype(np.float32)


def _of_another_shape(arrays):
    arrays["1.backoffs"] = arrays["1.backoffs"][None]


def _of_unknown_beginning(arrays):
    arrays["3.keys"] = arrays["3.keys"] + 10**9


def _endless(arrays):
    arrays["1.gains"] = arrays["1.gains"] + np.inf


def _of_another_vocabulary(arrays):
    arrays["vocab_size"] = arrays["vocab_size"] + 1


def _with_nothing_left(arrays):
    arrays["1.backoffs"] = 0 * arrays["1.backoffs"]


def _without_an_order(arrays):
    for name in ("keys", "gains", "backoffs"):
        del arrays[f"3.{name}"]


def _nested(arrays):
    arrays["1.keys"] = {"1.keys": arrays["1.keys"]}


def refused(capsys, run, arrays, kind):
    before = (run / "best.safetensors").read_bytes()
    save_weights(run / "best.safetensors", arrays, {KIND: kind})
    try:
        return one_line_error(capsys, "evaluate", run)
    finally:
        (run / "best.safetensors").write_bytes(before)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (_first_key_lost, "2.gains must be float64 of shape"),
        (_turned, "2.keys must ascend"),
        (_of_single_precision, "1.gains must be float64 of shape"),
        (
            _of_another_shape,
            "1.backoffs must be float64 of shape (1,), got",
        ),
        (_of_unknown_beginning, "3.keys must be in [0, "),
        (_endless, "1.gains must be finite"),
        (_of_another_vocabulary, "vocab_size must be in ["),
        (_with_nothing_left, "1.backoffs must be in ["),
        (_without_an_order, "the file lacks '3.backoffs'"),
        (_nested, "1.keys must be an array"),
    ],
)
def test_arrays_that_were_never_counted_are_refused(runs, capsys, change, why):
    run = runs("ngram")
    arrays, _ = load_weights(run / "best.safetensors")
    change(arrays)
    told = refused(capsys, run, arrays, "ngram")
    assert why in told and "restore config.json, vocabulary and weights" in told


def flat(arrays, prefix=""):
    found = {}
    for name, value in arrays.items():
        path = f"{prefix}{name}"
        found |= flat(value, path + "/") if isinstance(value, dict) else {path: value}
    return found


def nested(arrays):
    found = {}
    for path, value in arrays.items():
        *parents, name = path.split("/")
        inner = found
        for parent in parents:
            inner = inner.setdefault(parent, {})
        inner[name] = value
    return found


def _lost(arrays, name):
    return {other: arrays[other] for other in arrays if other != name}


def _single(arrays, name):
    return arrays | {name: arrays[name].astype(np.float32)}


def _deeper(arrays, name):
    return arrays | {name: arrays[name][None]}


def _shorter(arrays, name):
    return arrays | {name: np.atleast_1d(arrays[name])[:-1]}


def every_array_is_looked_at(run):
    """Each is left out, cut short, given another dtype and another rank, one after the other."""
    arrays, _ = load_weights(run / "best.safetensors")
    baseline, vocabularies = load(str(run)).baseline, load(str(run)).vocabularies
    baseline.model(arrays, vocabularies)
    for name in flat(arrays):
        for change in (_lost, _single, _deeper, _shorter):
            changed = change(dict(flat(arrays)), name)
            with pytest.raises(ValueError):
                baseline.model(nested(changed), vocabularies)
    return arrays


@pytest.mark.parametrize("kind", ["lexicon", "usual", "copy", "majority", "bag_of_words"])
def test_no_array_of_any_kind_is_taken_on_trust(runs, capsys, kind):
    run = runs(kind)
    arrays = every_array_is_looked_at(run)
    assert "the file has 'stranger'" in refused(
        capsys, run, arrays | {"stranger": np.zeros(1)}, kind
    )


def test_tokens_have_their_usual_tags(tmp_path, monkeypatch, capsys):
    run = tmp_path / "run"
    (tmp_path / "train.tsv").write_text(
        "the owl walks\tD N V\nthe walks\tD N\nthe cat walks\tD N V\n"
    )
    (tmp_path / "valid.tsv").write_text("the cat walks\tD N V\na walks\tD N\n")
    files = ("--train", tmp_path / "train.tsv", "--valid", tmp_path / "valid.tsv")
    words = ("--task", "tag", "--model.kind", "usual", "--data.source-tokens", "words")
    assert seqjax("train", *words, *files, "--run-dir", run) == 0
    scores = scores_of(capsys, run)
    assert scores["accuracy"] == 3 / 5 and scores["exact_match"] == 0.5 and "loss" not in scores
    fed(monkeypatch, b"the zebra walks\n\nowl\n")
    assert printed(capsys, "predict", run) == "D N V\n\nN\n"

    strange = every_array_is_looked_at(run) | {"otherwise": from_words(["ADJ"])}
    assert "training has no tag 'ADJ'" in refused(capsys, run, strange, "usual")


@pytest.mark.parametrize("kind", ["lexicon", "copy"])
def test_no_source_is_cut_and_none_is_said_to_be(tmp_path, capsys, kind):
    (tmp_path / "pairs.tsv").write_text(PAIRS)
    (tmp_path / "valid.pairs.tsv").write_text(PAIRS[:80] + "abcdabcd\tdcba\n")
    assert fitted(tmp_path, tmp_path / "run", kind, "--data.max-source", "4") == 0
    assert seqjax("evaluate", tmp_path / "run") == 0
    assert "longer than --data.max-source" not in capsys.readouterr().err


def test_a_file_cut_short_and_another_kind_are_refused(places, tmp_path, capsys):
    run = tmp_path / "run"
    assert fitted(places, run, "usual") == 0
    weights, config = run / "best.safetensors", run / "config.json"
    whole, text = weights.read_bytes(), config.read_text()
    weights.write_bytes(whole[:-3])
    assert "cannot be read as safetensors" in one_line_error(capsys, "evaluate", run)
    weights.write_bytes(whole)
    for other in ("copy", "lexicon"):
        config.write_text(text.replace('"kind": "usual"', f'"kind": "{other}"'))
        told = one_line_error(capsys, "decode", run)
        assert f"it is of model.kind usual, the run of {other}" in told
    config.write_text(text.replace('"kind": "usual"', '"kind": "network"'))
    assert "restore config.json, vocabulary and weights" in one_line_error(capsys, "decode", run)


def test_the_closing_table_is_that_of_networks(places, tmp_path, capsys):
    assert fitted(places, tmp_path / "run", "copy") == 0
    told = capsys.readouterr().err
    for word in ("data     64 train", "model    copy", "exact match", "wanted", "seqjax decode"):
        assert word in told
    assert train_command.SCORES["exact_match"] in told

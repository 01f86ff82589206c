"""What a search can be told on the command line, on a run that has hardly learnt anything."""

import json
import shutil

import jax.numpy as jnp
import numpy as np
import pytest
from cli.commands import fed, one_line_error, seqjax

from seqjax.config import DecodeConfig
from seqjax.predict.answer import Request, silent
from seqjax.rundir import load_weights, save_weights
from seqjax.runs.together import Beside, Panel
from seqjax.runs.trained import load
from seqjax.types import Padded

pytestmark = pytest.mark.standard_promotion
LINES = b"abc\ndba\n\nca\n"


def decoded(monkeypatch, capsys, *words, lines=LINES):
    fed(monkeypatch, lines)
    assert seqjax("decode", *words) == 0
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("mean", ("log_probs", pytest.param("probs", marks=pytest.mark.slow)))
def test_a_run_beside_itself_says_what_it_says_alone(run, monkeypatch, capsys, mean):
    alone = decoded(monkeypatch, capsys, run, "--scores")
    both = decoded(monkeypatch, capsys, run, run, "--scores", "--ensemble", mean)
    assert [line.split("\t")[1] for line in alone] == [line.split("\t")[1] for line in both]
    scores = [[float(line.split("\t")[0]) for line in lines] for lines in (alone, both)]
    np.testing.assert_allclose(*scores, atol=1e-4)


@pytest.mark.slow
def test_a_language_model_has_a_say(run, letters_run, monkeypatch, capsys):
    plain = decoded(monkeypatch, capsys, run, "--scores")
    words = (run, "--scores", "--language-model", letters_run)
    deaf = decoded(monkeypatch, capsys, *words, "--language-weight", "0")
    heard = decoded(monkeypatch, capsys, *words, "--language-weight", "3")
    assert deaf == plain != heard
    ranked = decoded(
        *(monkeypatch, capsys, run, "--scores", "--n-best", "3", "--keep", "1"),
        *("--rerank", letters_run, "--rerank-weight", "2"),
    )
    assert len(ranked) == 4 and ranked != plain
    again = decoded(
        *(monkeypatch, capsys, run, "--n-best", "3", "--rerank", run, "--rerank-weight", "1"),
    )
    assert again == decoded(monkeypatch, capsys, run, "--n-best", "3")


def test_answers_begin_with_and_hold_what_is_wanted(run, tmp_path, monkeypatch, capsys):
    (tmp_path / "prefix").write_text("ba\n\n\nd\n")
    (tmp_path / "phrases").write_text("cc\td\n\n\nab\n")
    for method in ("beam", "sample"):
        lines = decoded(
            *(monkeypatch, capsys, run, "--method", method, "--max-length", "9"),
            *("--prefix", tmp_path / "prefix", "--require", tmp_path / "phrases"),
        )
        assert lines[0].startswith("ba") and "cc" in lines[0] and "d" in lines[0]
        assert lines[3].startswith("d") and "ab" in lines[3]


@pytest.mark.parametrize(
    "settings",
    (
        ("--repetition-penalty", "1.4", "--min-length", "2", "--word-reward", "0.3"),
        ("--repetition-penalty", "1.4", "--normalise", "before", "--coverage-penalty", "0.4"),
    ),
    ids=("after", "before"),
)
def test_scores_of_a_search_are_those_of_its_answers(run, tmp_path, monkeypatch, capsys, settings):
    found = decoded(monkeypatch, capsys, run, "--scores", *settings)
    answers = tmp_path / "answers"
    answers.write_text("".join(line.split("\t")[1] + "\n" for line in found))
    scored = decoded(monkeypatch, capsys, run, "--targets", answers, *settings)
    for one, other in zip(found, scored, strict=True):
        assert one.split("\t")[1] == other.split("\t")[1]
        np.testing.assert_allclose(
            float(one.split("\t")[0]), float(other.split("\t")[0]), atol=1e-4
        )


def test_what_is_forbidden_is_not_said(run, tmp_path, monkeypatch, capsys):
    (tmp_path / "forbidden").write_text("a\nbc\n")
    lines = decoded(
        *(monkeypatch, capsys, run, "--forbid", tmp_path / "forbidden", "--n-best", "4"),
        *("--min-length", "3", "--max-length", "6"),
    )
    assert len(lines) == 16 and any(lines)
    assert not any("a" in line or "bc" in line for line in lines)


def test_the_answer_most_like_the_others_comes_first(run, monkeypatch, capsys):
    words = (run, "--n-best", "5", "--consensus", "edit", "--scores", "--method", "sample")
    lines = decoded(monkeypatch, capsys, *words, "--seed", "4")
    assert lines == decoded(monkeypatch, capsys, *words, "--seed", "4")
    assert lines != decoded(monkeypatch, capsys, *words, "--seed", "5")
    scores = [float(line.split("\t")[0]) for line in lines[:5]]
    assert scores == sorted(scores, reverse=True) and 0 <= scores[-1] <= scores[0] <= 1


def test_draws_of_whole_answers_differ(run, monkeypatch, capsys):
    lines = decoded(
        *(monkeypatch, capsys, run, "--method", "stochastic_beam", "--n-best", "6"), lines=b"abc\n"
    )
    assert len(set(lines)) == 6


def test_every_other_flag_is_understood_by_a_search(run, monkeypatch, capsys):
    """Each changes nothing but what it is for; here, that they go together."""
    lines = decoded(
        *(monkeypatch, capsys, run, "--beam-size", "4", "--n-best", "2", "--stop", "patience"),
        *("--patience", "1.5", "--beam-groups", "2", "--diversity", "0.5", "--exempt", "a b"),
        *("--coverage-penalty", "0.2", "--coverage-when", "each_step", "--no-repeat-ngram", "3"),
        *("--presence-penalty", "0.1", "--frequency-penalty", "0.1", "--repetition-window", "4"),
        *("--encoder-repetition-penalty", "1.1", "--encoder-no-repeat-ngram", "3"),
        *("--length-decay", "1.1", "--length-decay-start", "3", "--max-length-ratio", "0.5"),
        *("--first-token", "a", "--last-token", "EOS", "--unknown", "forbid"),
        *("--length-penalty-kind", "gnmt", "--repetition-meaning", "normalized"),
        *("--repetition-penalty", "1.1", "--coverage-kind", "summary", "--normalise", "before"),
    )
    assert len(lines) == 8
    assert all(line.startswith("a") for number, line in enumerate(lines) if number not in (4, 5))
    lines = decoded(
        *(monkeypatch, capsys, run, "--method", "sample", "--temperature", "0.9", "--top-k", "3"),
        *("--top-p", "0.9", "--min-p", "0.01", "--typical-p", "0.95", "--epsilon-cutoff", "0.001"),
        *("--eta-cutoff", "0.001"),
    )
    assert len(lines) == 4


def test_a_report_says_whether_it_is_the_search_or_the_model(run, files, capsys):
    assert seqjax("evaluate", run, "--data", files / "valid.tsv", "--report", "--json") == 0
    report = json.loads(capsys.readouterr().out)["report"]
    assert set(report) == {"answers", "greedy", "references"}
    for measures in report.values():
        for name, interval in measures.items():
            if not name.startswith("distinct"):
                assert interval["low"] <= interval["value"] <= interval["high"]
    answers, references = report["answers"], report["references"]
    assert references["length_ratio"]["value"] == 1.0
    # A wide beam of a model that has learnt nothing finds likelier answers than the right ones.
    assert answers["log_prob"]["value"] > references["log_prob"]["value"]
    assert answers["search_errors"]["value"] <= 0.2


def test_unknown_tokens_are_replaced_by_what_was_looked_at(run, tmp_path):
    """A run that can say nothing but the unknown token."""
    path = tmp_path / "run"
    shutil.copytree(run, path)
    params, metadata = load_weights(path / "best.safetensors")
    params["decoder"]["output_bias"][3] = 100.0
    save_weights(path / "best.safetensors", params, metadata)
    trained = load(str(path))
    settings = DecodeConfig(unknown="replace", max_length=3)
    panel = Panel([trained], settings, Beside(lexicon={"a": "x"}))
    plain = Panel([trained], DecodeConfig(max_length=3))
    for text in ("abc", "bcd", "dd"):
        ((answer,),), ((unknown,),) = panel([text]), plain([text])
        assert set(unknown.tokens) == {"\N{REPLACEMENT CHARACTER}"}
        looked = [text[place] for place in _looked_at(trained, text, len(answer.tokens))]
        assert list(answer.tokens) == [{"a": "x"}.get(token, token) for token in looked]
    texts = ["abc", "bcd", "dd", "ca"]
    assert [found[0].text for found in panel(texts)] == [panel([t])[0][0].text for t in texts]


def _looked_at(trained, text, count):
    coder = trained.task.coder(trained.vocabularies)
    source = np.array([coder.source_ids(text)])
    said = np.full((1, count), 3)
    pair = [
        Padded(jnp.asarray(ids, jnp.int32), jnp.array([ids.shape[1]])) for ids in (source, said)
    ]
    _, weights = trained.learner.model.apply({"params": trained.params}, *pair)
    return np.argmax(np.asarray(weights)[0], axis=-1)


def test_an_answer_is_streamed_as_it_is_said(run):
    trained = load(str(run))
    answerer = trained.answer_fn(DecodeConfig(method="sample", seed=3, temperature=2.0))
    ((answer,),) = answerer(trained.weights, ["abca"])
    assert tuple(answerer.stream(trained.weights, "abca")) == answer.tokens
    assert list(answerer.stream(trained.weights, "")) == []
    with pytest.raises(ValueError, match="Greedy or Sample to be streamed, got Beam"):
        list(trained.answer_fn(DecodeConfig()).stream(trained.weights, "abc"))


@pytest.mark.slow
def test_an_answer_does_not_depend_on_what_others_must_hold(run):
    trained = load(str(run))
    panel = Panel([trained], DecodeConfig(n_best=2, batch_size=2))
    asked = [Request("abc", required=("dd",)), Request("dc", prefix="a"), Request("bca")]
    asked += [Request("ab" * n) for n in range(1, 9)]  # blocks in which nobody wants anything
    together = panel(asked)
    for number in (0, 2):
        request, expected = asked[number], together[number]
        (alone,) = panel([request])
        assert [answer.text for answer in alone] == [answer.text for answer in expected]


def test_a_line_is_given_back_as_it_came_whatever_is_read_of_it(run, tmp_path, monkeypatch, capsys):
    path = tmp_path / "run"
    shutil.copytree(run, path)
    config = (path / "config.json").read_text()
    (path / "config.json").write_text(config.replace('"lowercase": false', '"lowercase": true'))
    (row,) = map(
        json.loads, decoded(monkeypatch, capsys, path, "--output", "jsonl", lines=b"ABC\n")
    )
    assert row["source"] == "ABC"
    (text,) = decoded(monkeypatch, capsys, run, lines=b"abc\n")
    assert row["answers"][0]["text"] == text


def test_an_ensemble_reads_as_far_as_its_shortest_reader_and_says_so(
    run, files, tmp_path, monkeypatch, capsys
):
    short, sources = tmp_path / "short", b"abcd\nabc\nab\n"
    shutil.copytree(run, short)
    config = (short / "config.json").read_text()
    assert '"max_source": 200' in config
    (short / "config.json").write_text(config.replace('"max_source": 200', '"max_source": 2'))
    note = "2 of 3 lines are longer than --data.max-source 2, cut"
    words = ("--method", "greedy")
    for runs in ((run, short), (short, run)):
        fed(monkeypatch, sources)
        assert seqjax("decode", *runs, *words) == 0
        assert note in capsys.readouterr().err
    (tmp_path / "pairs").write_text("abcd\tab\nabc\tab\nab\tab\n")
    assert seqjax("evaluate", run, short, "--data", tmp_path / "pairs", *words) == 0
    assert note in capsys.readouterr().err
    (tmp_path / "targets").write_text("ab\n" * 3)
    for runs, expected in (((run,), False), ((short,), True), ((run, short), True)):
        fed(monkeypatch, sources)
        assert seqjax("decode", *runs, "--targets", tmp_path / "targets") == 0
        assert (note in capsys.readouterr().err) == expected


def test_an_ensemble_is_not_measured_by_the_likelihood_of_one(run, files, capsys):
    words = ("--data", files / "valid.tsv", "--limit", "4", "--json", "--method", "greedy")
    assert seqjax("evaluate", run, run, *words) == 0
    assert "loss" not in json.loads(capsys.readouterr().out)


# What is wrong is answered in one line


WRONG_FILES = (
    ("--require", "zz\n\n\n\n", ":1: the phrase 'zz' has 'z', which the target vocabulary lacks"),
    ("--require", "\n", "has 1 lines and the input 4; one is needed each"),
    ("--require", "\nab\t\n\n\n", ":2: a phrase is empty"),
    ("--require", f"{'ab' * 30}\n\n\n\n", ":1: it needs 61 tokens, EOS counted, and there is room"),
    ("--prefix", "a\nz\n\n\n", ":2: the prefix 'z' has 'z', which"),
    ("--targets", "a\n", "has 1 lines and the input 4"),
    ("--forbid", "a\n\nb\n", ":2: the line is empty"),
    ("--lexicon", "a\tb\nc d\n", ":2: a line must be a source token, a tab and a target token"),
    ("--lexicon", "a\tb\na\tc\n", ":2: 'a' is 'b' further up; keep one"),
)


@pytest.mark.parametrize(("flag", "content", "message"), WRONG_FILES)
def test_files_that_cannot_be_meant_are_refused(
    run, tmp_path, monkeypatch, capsys, flag, content, message
):
    path = tmp_path / "wrong"
    path.write_text(content)
    fed(monkeypatch, LINES)
    error = one_line_error(capsys, "decode", run, flag, path)
    assert message in error and str(path) in error


def test_what_is_wanted_and_forbidden_is_refused(run, tmp_path, monkeypatch, capsys):
    (tmp_path / "forbidden").write_text("ab\nc\n")
    (tmp_path / "phrases").write_text("dab\n\n\n\n")
    words = ("decode", run, "--forbid", tmp_path / "forbidden")
    fed(monkeypatch, LINES)
    error = one_line_error(capsys, *words, "--require", tmp_path / "phrases")
    assert "phrases:1: the phrase 'dab' is forbidden, too" in error
    (tmp_path / "prefix").write_text("d\nc\n\n\n")
    (tmp_path / "phrases").write_text("d\n\n\n\n")
    fed(monkeypatch, LINES)
    both = ("--require", tmp_path / "phrases", "--prefix", tmp_path / "prefix")
    error = one_line_error(capsys, *words, *both)
    assert "prefix:2: the prefix 'c' is forbidden, too" in error
    error = one_line_error(capsys, *words, "--first-token", "c")
    assert "decode.first_token 'c' is forbidden too" in error


def test_runs_that_do_not_go_together_are_refused(
    run, language_run, files, tmp_path, monkeypatch, capsys
):
    fed(monkeypatch, LINES)
    assert "use seqjax generate" in one_line_error(capsys, "decode", run, language_run)
    error = one_line_error(capsys, "decode", run, "--language-model", run)
    assert "must be a language model to be listened to" in error
    error = one_line_error(capsys, "decode", run, "--language-model", language_run)
    assert "its tokens are text_words, those of the answers chars" in error
    other = tmp_path / "other"
    shutil.copytree(run, other)
    vocabulary = load(str(run)).vocabularies["target"]
    type(vocabulary)("chars", ("a", "b", "c", "x")).save(other / "vocabulary", "target")
    error = one_line_error(capsys, "decode", run, other)
    assert "its target vocabulary is not that of" in error and "'d' is in one of them only" in error
    error = one_line_error(capsys, "decode", run, "--n-best", "2", "--keep", "3")
    assert "keep must be at most decode.n_best (2), got 3" in error
    error = one_line_error(capsys, "evaluate", language_run, "--keep", "1")
    assert "searches for no answers" in error
    error = one_line_error(capsys, "decode", run, "--exempt", "a zz")
    assert "decode.exempt must name tokens of the vocabulary of answers" in error


@pytest.mark.parametrize(
    "settings",
    (
        {"beam_size": 3, "n_best": 2, "coverage_penalty": 0.3, "repetition_penalty": 1.2},
        pytest.param({"method": "greedy", "no_repeat_ngram": 2}, marks=pytest.mark.slow),
        pytest.param({"method": "sample", "n_best": 2, "temperature": 1.5}, marks=pytest.mark.slow),
    ),
    ids=("beam", "greedy", "sample"),
)
def test_trained_models_answer_alone_as_in_any_batch(run, settings):
    trained = load(str(run))
    texts = ["abc", "d", "bcdabcdabcdabcdabcd", "", "dd", "abcdabcdabcdabcdabcdabc", "abab"]
    whole = trained.answer_fn(DecodeConfig(batch_size=4, **settings))
    together = whole(trained.weights, texts)
    order = np.random.default_rng(0).permutation(len(texts))
    if settings.get("method") != "sample":  # draws follow the number of a line
        shuffled = whole(trained.weights, [texts[number] for number in order])
        for place, number in enumerate(order):
            assert [a.text for a in shuffled[place]] == [a.text for a in together[number]]
    for number, text in enumerate(texts):
        (alone,) = whole(trained.weights, [text], first=number)
        assert [a.text for a in alone] == [a.text for a in together[number]]
        np.testing.assert_allclose(
            [a.score for a in alone], [a.score for a in together[number]], atol=1e-5
        )


def test_nothing_is_compiled_after_the_first_batches(run):
    trained = load(str(run))
    compiled = []

    def announce(what):
        compiled.append(what)
        return silent(what)

    answerer = trained.answer_fn(DecodeConfig(beam_size=2, batch_size=4), announce)
    texts = ["abcd" * n for n in (1, 1, 2, 3, 1, 2, 5, 5, 6, 5, 6, 5, 1, 2, 3)]
    answerer(trained.weights, texts)
    searches = [what for what in compiled if what.startswith("beam search")]
    assert len(searches) == len(set(searches)) == 2  # of 16 and 24 source positions
    count = len(compiled)
    answerer(trained.weights, texts[::-1])
    assert len(compiled) == count


def test_a_search_can_listen_to_ngrams_alone(run, tmp_path, capsys, monkeypatch):
    """Weighed so that nothing else counts, greedy answers are the n-grams' own."""
    text = tmp_path / "letters.txt"
    text.write_text("cab\ncad\n" * 4 + "cab\nbad\ncab\ncad\n")
    ngram = tmp_path / "ngram"
    code = seqjax(
        *("train", "--task", "language-model", "--model.kind", "ngram", "--train", text),
        *("--valid", text, "--data.target-tokens", "chars", "--model.ngram-order", "3"),
        *("--run-dir", ngram),
    )
    assert code == 0
    fitted_run = load(str(ngram))
    vocabulary, model = fitted_run.vocabularies["text"], fitted_run.weights
    said = vocabulary.encode("\n")
    while len(said) == 1 or said[-1] != said[0]:
        said.append(int(model.next_distribution(said).argmax()))
    fed(monkeypatch, b"abc\nbb\n")
    capsys.readouterr()
    listening = ("--language-model", ngram, "--language-weight", "10000")
    assert seqjax("decode", run, *listening, "--method", "greedy") == 0
    out = capsys.readouterr().out
    expected = vocabulary.decode(said[1:-1])
    assert out == f"{expected}\n{expected}\n" and len(expected) > 1


def test_a_network_counts_the_tokens_that_ngrams_count(language_run, files, capsys):
    """Of the same file, whose tokens are the same."""
    capsys.readouterr()
    ngram = files / "ngram_words"
    words = ("train", "--task", "language-model", "--model.kind", "ngram", "--train")
    code = seqjax(
        *(*words, files / "text.txt", "--data.target-tokens", "words", "--data.min-count", "1"),
        *("--run-dir", ngram),
    )
    assert code == 0
    tokens = []
    for run in (language_run, ngram):
        capsys.readouterr()
        assert seqjax("evaluate", run, "--data", files / "text.txt", "--json") == 0
        tokens.append(json.loads(capsys.readouterr().out)["tokens"])
    assert tokens[0] == tokens[1] == 120 * 7

"""Music, as a user meets it."""

import json
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from cli.commands import fed, one_line_error, seqjax

from seqjax.config import Config
from seqjax.data.batching import pad
from seqjax.data.chords import heard_before, read_piece, to_roll
from seqjax.rundir import load_weights
from seqjax.runs.trained import load
from seqjax.tasks.music import Music

SMALL = (
    *("--model.embedding-size", "8", "--model.hidden-size", "16", "--data.batch-size", "8"),
    *("--data.buckets", "1", "--optimizer.warmup-steps", "2", "--model.dropout", "0"),
    *(
        "--optimizer.learning-rate",
        "0.02",
        "--optimizer.schedule",
        "constant",
        "--epochs",
        "250",
        "--validation.every",
        "250",
    ),
)
# What follows 60+64 depends on what came before it: the last chord does not tell.
UP, DOWN = "40 60+64 -", "50 60+64 70+74"
LINES = [" ".join([*part]) + "\n" for part in ([UP, UP], [DOWN, UP], [UP, DOWN, DOWN], [DOWN])]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A network and the two baselines that have learnt what there is to learn."""
    folder = tmp_path_factory.mktemp("music")
    (folder / "pieces.txt").write_text("".join(LINES * 4))
    sets = {name: [[[60, 64], []]] for name in ("train", "valid", "test")}
    (folder / "sets.json").write_text(json.dumps(sets))
    for kind in ("network", "usual", "markov"):
        code = seqjax(
            *("train", "--task", "music", "--train", folder / "pieces.txt", "--valid"),
            *(folder / "pieces.txt", "--model.kind", kind, "--run-dir", folder / kind, *SMALL),
        )
        assert code == 0
    return folder


def scores_of(capsys, run, *words):
    capsys.readouterr()
    assert seqjax("evaluate", run, "--json", *words) == 0
    return json.loads(capsys.readouterr().out)


def test_what_was_heard_earlier_tells_more_than_the_last_chord_and_that_more_than_nothing(
    trained, capsys
):
    found = {kind: scores_of(capsys, trained / kind) for kind in ("network", "markov", "usual")}
    losses = [found[kind]["loss_after_first"] for kind in ("network", "markov", "usual")]
    assert losses[0] < losses[1] / 2 < losses[2] / 4
    assert found["network"]["frame_f1"] > found["markov"]["frame_f1"] > found["usual"]["frame_f1"]
    assert all(one["steps"] == 4 * 24 for one in found.values())
    assert found["network"].keys() == found["markov"].keys() == found["usual"].keys()


def test_the_loss_is_that_of_every_piece_by_itself(trained, capsys):
    """By the step function, chord by chord: no padding, and no neighbour."""
    run = load(str(trained / "network"))
    model, params = run.learner.model, {"params": run.params}
    total, steps = 0.0, 0
    for line in LINES:
        roll = to_roll(read_piece(line))
        carry = model.initial_carry(1)
        for heard, sounds in zip(heard_before(roll), roll, strict=True):
            carry, logits = model.apply(params, carry, jnp.array(heard[None]), method="step")
            probs = 1 / (1 + np.exp(-np.asarray(logits[0], np.float64)))
            total, steps = total - np.log(np.where(sounds, probs, 1 - probs)).sum(), steps + 1
    scores = scores_of(capsys, trained / "network")
    assert scores["loss"] == pytest.approx(total / steps, rel=1e-5)


def test_padding_changes_no_logit_and_no_gradient(trained):
    run = load(str(trained / "network"))
    rolls = [to_roll(read_piece(line)) for line in LINES]
    found = []
    for width, filling in ((9, 0), (12, np.nan)):
        inputs, targets = (
            pad(side, len(rolls), width, 0) for side in (list(map(heard_before, rolls)), rolls)
        )
        for side in (inputs, targets):
            side.values[np.arange(width)[None] >= side.lengths[:, None]] = filling
        batch = Music(Config(task="music")).example({})._replace(inputs=inputs, targets=targets)
        found.append(gradient_of(run, jax.device_put(batch)))
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def gradient_of(run, batch):
    def loss_fn(params):
        loss, _ = run.learner.loss_fn(params, (), batch, jax.random.key(0), 0, train=False)
        return loss.total

    return jax.tree.leaves(jax.value_and_grad(loss_fn)(run.params))


@pytest.mark.parametrize("kind", ["network", "markov"])
def test_a_piece_goes_on_as_was_learnt_and_draws_are_of_their_seed(
    trained, monkeypatch, capsys, kind
):
    def said(*words):
        fed(monkeypatch, b"50 60+64\n\n40 60+64\n")
        capsys.readouterr()
        command = ("generate", trained / kind, "--temperature", "0.05", "--max-length", "1")
        assert seqjax(*command, *words) == 0
        return capsys.readouterr().out

    lines = said().splitlines()
    assert len(lines) == 3
    if kind == "network":
        assert (lines[0], lines[2]) == ("50 60+64 70+74", "40 60+64 -")
    warm = ("--temperature", "3", "--max-length", "5")
    assert said(*warm) == said(*warm) != said(*warm, "--seed", "1")
    rows = [json.loads(line) for line in said(*warm, "--n-best", "3", "--json").splitlines()]
    assert len(rows) == 9 and all(len(row["tokens"]) == 5 for row in rows)
    assert len({row["text"] for row in rows}) == 9
    assert [row["log_prob"] for row in rows[:3]] == sorted(
        (row["log_prob"] for row in rows[:3]), reverse=True
    )


def test_draws_are_as_likely_as_the_model_says(trained):
    """What is drawn with its log-probability has just that in the model."""
    run = load(str(trained / "network"))
    (found,) = run.continuer()(run.params, ["50"])
    piece = read_piece("50 " + found[0].text)
    roll = to_roll(piece)
    both = (pad([side], 1, len(roll), 0) for side in (heard_before(roll), roll))
    inputs, targets = jax.device_put(tuple(both))
    _, logits = run.learner.model.apply(
        {"params": run.params}, inputs, run.learner.model.initial_carry(1)
    )
    costs = np.logaddexp(0, np.asarray(logits[0], np.float64)) - np.asarray(
        targets.values[0]
    ) * np.asarray(logits[0], np.float64)
    assert found[0].log_prob == pytest.approx(-costs[1:].sum(), rel=1e-4)


def test_features_are_what_the_output_layer_reads(trained, tmp_path, monkeypatch, capsys):
    run = load(str(trained / "network"))
    fed(monkeypatch, b"50 60+64\n")
    command = ("features", trained / "network", "--output", tmp_path / "x.npy")
    assert seqjax(*command, "--pool", "last") == 0
    kernel, bias = (np.asarray(run.params["output_map"][name]) for name in ("kernel", "bias"))
    logits = np.load(tmp_path / "x.npy") @ kernel + bias
    cold = replace(run.config.decode, max_length=1, temperature=0.01)
    (found,) = run.continuer(cold)(run.params, ["50 60+64"])
    assert (to_roll(read_piece(found[0].text))[0] > 0).tolist() == (logits[0] > 0).tolist()
    fed(monkeypatch, b"50\n60+200\n")
    assert "chord 1: 200 is no pitch" in one_line_error(capsys, *command)


def test_one_json_has_all_sets(trained, tmp_path, capsys):
    command = ("train", "--task", "music", "--train", trained / "sets.json", *SMALL)
    assert seqjax(*command, "--model.kind", "usual", "--run-dir", tmp_path / "run") == 0
    stored = json.loads((tmp_path / "run" / "results.json").read_text())
    assert stored["split"] == "test" and stored["steps"] == 2
    assert scores_of(capsys, tmp_path / "run")["steps"] == 2
    told = one_line_error(
        *(capsys, *command, "--valid", trained / "pieces.txt", "--run-dir", tmp_path / "other")
    )
    assert "holds valid data itself; leave --valid out" in told
    scores = scores_of(capsys, trained / "usual", "--data", trained / "sets.json")
    assert scores["steps"] == 2
    assert scores_of(capsys, trained / "usual", "--limit", "1")["steps"] == 6


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("60 200\n", "odd.txt:1: chord 2: 200 is no pitch of a piano"),
        ("60\n\n", "odd.txt:2: the piece is empty"),
        ("60 C4\n", "odd.txt:1: chord 2: 'C4' is not a whole number"),
    ],
)
def test_what_is_no_piece_is_told_in_one_line(
    trained, tmp_path, monkeypatch, capsys, content, message
):
    (tmp_path / "odd.txt").write_text(content)
    told = one_line_error(capsys, "evaluate", trained / "usual", "--data", tmp_path / "odd.txt")
    assert message in told
    train = ("train", "--task", "music", "--train", tmp_path / "odd.txt", "--run-dir")
    assert message in one_line_error(capsys, *train, tmp_path / "run", *SMALL)
    if "\n\n" not in content:
        fed(monkeypatch, content.encode())
        told = one_line_error(capsys, "generate", trained / "network")
        assert message.replace("odd.txt:1:", "prompt 1:") in told


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("decode",), "only encoder-decoders answer together; use seqjax generate"),
        (("predict",), "is a music run, which gives no labels"),
        (("generate", "--top-p", "0.9"), "--top-p is of searches for texts; use --n-best, --seed"),
        (("generate", "--forbid", "x"), "--forbid is of searches for texts"),
    ],
)
def test_other_commands_say_which_one_is_meant(trained, monkeypatch, capsys, words, message):
    fed(monkeypatch, b"60\n")
    command, *more = words
    assert message in one_line_error(capsys, command, trained / "network", *more)


def test_settings_that_music_has_no_use_for_are_refused(capsys):
    for setting in (
        "--model.attention=dot",
        "--data.window=3",
        "--data.lowercase",
        "--objective.label-smoothing=0.1",
        "--decode.top-k=3",
    ):
        told = one_line_error(capsys, "train", "--task", "music", setting)
        assert "for music, which has no use for it" in told
    told = one_line_error(capsys, "train", "--task", "music", "--model.kind=ngram")
    assert "model.kind must be one of network, usual, markov for music" in told
    told = one_line_error(capsys, "train", "--task", "music", "--validation.metric=bleu")
    assert "validation.metric must be one of loss, loss_after_first" in told


def test_counts_of_strangers_are_held_against_what_they_must_be(trained):
    run = load(str(trained / "markov"))
    arrays, _ = load_weights(trained / "markov" / "best.safetensors")
    run.baseline.model(arrays, {})
    doubled = {name: np.concatenate([arrays[name]] * 2) for name in ("chords", "after")}
    for change in (
        *({name: arrays[name][:-1]} for name in arrays),
        *({name: arrays[name].astype(np.float32)} for name in arrays),
        *({name: arrays[name] * 0 + 2} for name in arrays),
        {"first": np.zeros(88)},
        doubled,
    ):
        with pytest.raises(ValueError):
            run.baseline.model(arrays | change, {})
    with pytest.raises(ValueError, match="lacks 'own'"):
        run.baseline.model({name: arrays[name] for name in arrays if name != "own"}, {})

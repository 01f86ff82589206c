"""Recordings and arrays into text, as a user meets them."""

import itertools
import json
import wave

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from cli.commands import fed, one_line_error, seqjax

from seqjax.runs.trained import load
from seqjax.types import Padded

pytestmark = pytest.mark.standard_promotion

RATE = 8_000
PITCHES = {"a": 400, "b": 900, "c": 1_800}
SMALL = (
    *("--model.no-pyramid", "--model.encoder-layers", "1", "--epochs", "500"),
    *("--optimizer.schedule", "inverse_sqrt"),
    *("--model.embedding-size", "16", "--model.hidden-size", "16", "--data.batch-size", "8"),
    *("--data.buckets", "1", "--optimizer.warmup-steps", "2", "--model.dropout", "0"),
    *("--optimizer.learning-rate", "0.03", "--optimizer.average-decay", "0.5"),
    *("--validation.metric", "exact_match", "--validation.every", "60"),
)
WORDS = ["ab", "ba", "ac", "ca", "bc", "cb", "aab", "abb", "cca", "bcc", "abc", "cab"]


def record(path, word, rate=RATE):
    """Writes a recording in which each letter is a tone of its own, 80 ms long, 40 ms apart."""
    time = np.arange(int(0.08 * rate)) / rate
    quiet = np.zeros(int(0.04 * rate))
    parts = [np.concatenate([0.5 * np.sin(2 * np.pi * PITCHES[one] * time), quiet]) for one in word]
    samples = np.round(32_000 * np.concatenate([quiet, *parts])).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())


@pytest.fixture(scope="module")
def tones(tmp_path_factory):
    """A run that hears letters in tones, and the recordings that it has learnt them from."""
    folder = tmp_path_factory.mktemp("tones")
    (folder / "wav").mkdir()
    for word in WORDS:
        record(folder / "wav" / f"{word}.wav", word)
    (folder / "index.tsv").write_text("".join(f"wav/{word}.wav\t{word}\n" for word in WORDS))
    code = seqjax(
        *("train", "--task", "transcribe", "--model.decoder", "ctc", "--data.mel-bands", "16"),
        *("--train", folder / "index.tsv", "--valid", folder / "index.tsv"),
        *("--run-dir", folder / "run", "--steps", "240", *SMALL),
    )
    assert code == 0
    return folder


def test_letters_are_heard(tones, capsys):
    assert seqjax("evaluate", tones / "run", "--json") == 0
    scores = json.loads(capsys.readouterr().out)
    assert scores["exact_match"] >= 0.9 and scores["impossible"] == 0
    assert "attention_spread" not in scores


def test_where_no_target_fits_its_frames_there_is_no_loss(tones, capsys):
    """It was 0, as if all had been heard."""
    long = "".join(f"wav/{word}.wav\t{'abc' * 40}\n" for word in WORDS[:3])
    (tones / "long.tsv").write_text(long)
    assert seqjax("evaluate", tones / "run", "--data", tones / "long.tsv", "--json") == 0
    scores = json.loads(capsys.readouterr().out)
    assert scores["impossible"] == 1 and scores["loss"] is None and scores["tokens"] == 0


def test_names_are_answered_line_by_line_and_have_their_scores(tones, monkeypatch, capsys):
    pytest.importorskip("soundfile")
    monkeypatch.chdir(tones)
    fed(monkeypatch, b"wav/abc.wav\n\nwav/cca.wav\nmorse:EE\n")
    assert seqjax("decode", "run", "--output", "jsonl", "--n-best", "2") == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["answers"][0]["text"] for row in rows][:3] == ["abc", "", "cca"]
    assert len(rows) == 4
    best, second = rows[0]["answers"]
    assert best["log_prob"] > second["log_prob"] and best["text"] != second["text"]


def said_by_frames(log_probs, labels):
    """Returns the log-probability of labels, frame by frame: what has been said, and how it ends.

    `log_probs` is `[time, labels]`, the blank first.
    """
    ends = {(0, True): 0.0}  # labels said so far, whether a blank was last -> log-probability
    for frame in log_probs:
        new = {}
        for (count, blank), value in ends.items():
            follows = [((count, True), frame[0])]
            if not blank:
                follows.append(((count, False), frame[labels[count - 1]]))
            if count < len(labels) and (blank or labels[count] != labels[count - 1]):
                follows.append(((count + 1, False), frame[labels[count]]))
            for state, gain in follows:
                new[state] = np.logaddexp(new.get(state, -np.inf), value + gain)
        ends = new
    return np.logaddexp(*(ends.get((len(labels), blank), -np.inf) for blank in (True, False)))


def test_what_is_heard_and_what_ngrams_say_are_added_up(tones, tmp_path, monkeypatch, capsys):
    (tmp_path / "text.txt").write_text("cab\ncab\nacb\ncaab\nbb\n" * 3)
    ngrams = ("--task", "language-model", "--model.kind", "ngram", "--model.ngram-order", "3")
    code = seqjax(
        *("train", *ngrams, "--train", tmp_path / "text.txt", "--valid", tmp_path / "text.txt"),
        *("--data.target-tokens", "chars", "--data.min-count", "1", "--run-dir", tmp_path / "lm"),
    )
    assert code == 0
    language, run = load(str(tmp_path / "lm")), load(str(tones / "run"))
    monkeypatch.chdir(tones)
    frames = run.vocabularies["source"].encode("wav/cab.wav")
    steps = Padded(jnp.asarray(frames[None]), jnp.array([len(frames)]))
    said = run.learner.model.apply({"params": run.params}, steps)
    heard = np.asarray(jax.nn.log_softmax(said.logits[0]), np.float64)
    weight, ids = 1.5, language.vocabularies["text"].ids

    def by_hand(text):
        labels = [run.vocabularies["target"].ids[one] for one in text]
        line = np.array([ids[one] for one in text + "\n"])
        spoken = said_by_frames(heard, labels)
        return spoken, spoken + weight * language.weights.log_probs(line, [ids["\n"]]).sum()

    fed(monkeypatch, b"wav/cab.wav\n")
    capsys.readouterr()
    listening = ("--language-model", tmp_path / "lm", "--language-weight", str(weight))
    code = seqjax(
        *("decode", "run", *listening, "--beam-size", "160", "--n-best", "6", "--output", "jsonl"),
    )
    assert code == 0
    found = json.loads(capsys.readouterr().out)["answers"]
    texts = ["".join(word) for n in range(5) for word in itertools.product("abc", repeat=n)]
    best = sorted(texts, key=lambda text: -by_hand(text)[1])[:6]
    assert [answer["text"] for answer in found] == best
    for answer in found:
        wanted = by_hand(answer["text"])
        np.testing.assert_allclose((answer["log_prob"], answer["score"]), wanted, atol=2e-3)


@pytest.mark.slow
def test_a_language_model_has_a_say(tones, tmp_path, monkeypatch, capsys):
    """One that has only read `cab` outweighs what is heard if it is heard loudly enough."""
    (tmp_path / "text.txt").write_text("cab\n" * 400)
    code = seqjax(
        *("train", "--task", "language-model", "--train", tmp_path / "text.txt", "--steps", "120"),
        *("--valid", tmp_path / "text.txt", "--data.target-tokens", "chars", "--data.window", "8"),
        *("--data.min-count", "1", "--data.batch-size", "4", "--model.hidden-size", "16"),
        *("--model.embedding-size", "8", "--model.decoder-layers", "1", "--model.dropout", "0"),
        *("--optimizer.learning-rate", "0.03", "--optimizer.warmup-steps", "2"),
        *("--run-dir", tmp_path / "lm"),
    )
    assert code == 0
    capsys.readouterr()
    monkeypatch.chdir(tones)
    found = []
    for weight in ("0", "20"):
        fed(monkeypatch, b"wav/ca.wav\n")
        listening = ("--language-model", tmp_path / "lm", "--language-weight", weight)
        assert seqjax("decode", "run", *listening) == 0
        found.append(capsys.readouterr().out.strip())
    assert found == ["ca", "cab"]


def test_what_cannot_be_heard_is_told_in_one_line(tones, tmp_path, capsys):
    record(tmp_path / "fast.wav", "ab", rate=16_000)
    (tmp_path / "text.wav").write_text("no sound at all")
    record(tmp_path / "slow.wav", "ab", rate=50)
    soundfile = pytest.importorskip("soundfile")
    soundfile.write(tmp_path / "short.wav", np.zeros(20), RATE)
    soundfile.write(tmp_path / "nan.wav", np.full(4_000, np.nan), RATE, subtype="FLOAT")
    for name, why in (
        ("text.wav", "is no recording that can be read"),
        ("none.wav", "no such file"),
        ("short.wav", "holds no sound, or less than half a frame"),
        ("nan.wav", "holds samples that are not finite"),
        ("slow.wav", "has 50 samples a second; 1,000 are needed"),
        ("some.npz#one", "is an array, no recording; --task describe reads it"),
        ("morse:a_b", "'_' has no code"),
        ("fast.wav", "has 16000 samples a second, those of training 8000"),
    ):
        (tmp_path / "odd.tsv").write_text(f"{name}\tab\n")
        told = one_line_error(capsys, "evaluate", tones / "run", "--data", tmp_path / "odd.tsv")
        assert why in told and name in told and "odd.tsv:1:" in told
    (tmp_path / "odd.tsv").write_text(f"{tones}/wav/ab.wav\tab\nfast.wav\tab\n")
    told = one_line_error(
        *(capsys, "train", "--task", "transcribe", "--train", tmp_path / "odd.tsv"),
        *("--valid", tones / "index.tsv", "--run-dir", tmp_path / "run"),
    )
    assert "odd.tsv:2:" in told and "has 16000 samples a second, those of training 8000" in told


def test_settings_of_texts_are_refused(tones, capsys):
    for setting, told in (
        ("--model.copying", "model.copying must be left at False for transcribe"),
        ("--model.decoder=ctc --model.attention=dot", "model.attention must be left at general"),
        ("--model.decoder=ctc --decode.method=sample", "decode.method must be beam or greedy"),
        ("--data.store=x", "data.store must be"),
    ):
        words = ("train", "--task", "transcribe", "--train", tones / "index.tsv", *SMALL[:3])
        assert told in one_line_error(capsys, *words, *setting.split())
    told = one_line_error(capsys, "decode", tones / "run", "--no-repeat-ngram", "2")
    assert "decode.no_repeat_ngram must be left at 0 for transcribe" in told


def numbers(folder, rows, width=4):
    """An archive of arrays: each letter is two steps of a pattern of its own."""
    generator = np.random.default_rng(0)
    patterns = {one: generator.normal(size=width) for one in "abc"}
    arrays = {
        word: np.repeat([patterns[one] for one in word], 2, axis=0).astype(np.float32)
        for word in rows
    }
    np.savez(folder / "arrays.npz", **arrays)
    (folder / "index.tsv").write_text("".join(f"arrays.npz#{word}\t{word}\n" for word in rows))


def test_an_array_of_another_width_is_told_with_its_line(tmp_path, capsys):
    numbers(tmp_path, WORDS)
    np.save(tmp_path / "wide.npy", np.zeros((3, 5), np.float32))
    with (tmp_path / "index.tsv").open("a") as file:
        file.write("wide.npy\tab\n")
    told = one_line_error(
        *(capsys, "train", "--task", "describe", "--train", tmp_path / "index.tsv"),
        *("--run-dir", tmp_path / "run"),
    )
    assert f"index.tsv:{len(WORDS) + 1}:" in told
    assert "wide.npy: has 5 features a step, those of training have 4" in told


@pytest.mark.slow
def test_arrays_are_described_by_a_decoder_that_looks_at_them(tmp_path, monkeypatch, capsys):
    numbers(tmp_path, WORDS)
    code = seqjax(
        *("train", "--task", "describe", "--train", tmp_path / "index.tsv"),
        *("--valid", tmp_path / "index.tsv", "--run-dir", tmp_path / "run", "--steps", "400"),
        *SMALL,
    )
    assert code == 0
    capsys.readouterr()
    monkeypatch.chdir(tmp_path)
    fed(monkeypatch, b"arrays.npz#abc\narrays.npz#ca\n")
    assert seqjax("decode", "run") == 0
    assert capsys.readouterr().out == "abc\nca\n"
    np.save(tmp_path / "wide.npy", np.zeros((3, 5), np.float32))
    (tmp_path / "odd.tsv").write_text("wide.npy\tab\n")
    told = one_line_error(capsys, "evaluate", tmp_path / "run", "--data", tmp_path / "odd.tsv")
    assert "wide.npy: has 5 features a step, those of training have 4" in told

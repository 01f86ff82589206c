"""Recordings and arrays: every fault is planted alone; a clean set of files has none of them."""

import numpy as np
import pytest
from survey.made import findings, write

from seqjax.config import DataConfig, ModelConfig
from seqjax.data.sound import Recording, frame_count, log_mel
from seqjax.errors import InputError
from seqjax.survey.corpus import read_pair_split
from seqjax.survey.recorded import needed_steps, survey_recorded
from seqjax.survey.recordings import listen
from seqjax.survey.speed import off_speed
from seqjax.survey.tokens import cut_side

soundfile = pytest.importorskip("soundfile")
RATE = 8_000
DATA = DataConfig(buckets=1)
CTC = ModelConfig(decoder="ctc", encoder_layers=3)
CLEAN = ("SJ-D02", "SJ-D05", "SJ-D06", "SJ-D13", "SJ-D14", "SJ-D40", "SJ-D41", "SJ-D42", "SJ-D43")


def record(path, seconds=0.5, seed=0, rate=RATE, loud=0.5):
    """Writes noise, another one for each seed."""
    samples = np.random.default_rng(seed).uniform(-loud, loud, int(seconds * rate))
    soundfile.write(path, samples, rate, subtype="PCM_16")
    return path.name


@pytest.fixture
def clean(tmp_path):
    """Folder with 40 recordings that have nothing in common, their index, and a test index."""
    for name, seeds in (("train", range(40)), ("test", range(40, 50))):
        names = [record(tmp_path / f"{n}.wav", 0.4 + 0.01 * (n % 10), n) for n in seeds]
        write(tmp_path / f"{name}.tsv", "".join(f"{one}\tabcd\n" for one in names))
    return tmp_path


def surveyed(folder, model=CTC, data=DATA, kind="sound"):
    names = [name for name in ("train", "test") if (folder / f"{name}.tsv").exists()]
    splits = {name: read_pair_split(name, [str(folder / f"{name}.tsv")]) for name in names}
    return survey_recorded(splits, data, model, kind)


def added(folder, *lines, name="train"):
    with (folder / f"{name}.tsv").open("a") as file:
        file.writelines(f"{line}\n" for line in lines)
    return folder


def found(folder, code, **more):
    (finding,) = findings(surveyed(folder, **more), code)
    return finding


def lines(finding):
    return [(place.path.rsplit("/", 1)[1], place.line) for place in finding.places]


def test_clean_recordings_have_no_fault_and_their_lengths_are_told(clean):
    survey = surveyed(clean)
    assert {f.code: f.kind for f in survey.findings if f.code in CLEAN} == dict.fromkeys(
        CLEAN, "ok"
    )
    numbers = {section.title: section.numbers for section in survey.sections}
    train = numbers["Recordings"]["train"]
    assert train["quantiles"]["min"] == 0.4 and train["quantiles"]["max"] == 0.49
    assert train["sum"] == pytest.approx(40 * 0.445) and train["rates"] == {"8000": 40}
    assert numbers["Lengths, in steps and tokens"]["train"]["source"]["max"] == 49
    assert survey.sizes == {"source": 40, "target": 4 + 4}
    codes = {finding.code for finding in survey.findings}
    assert not codes & {"SJ-D04", "SJ-D15", "SJ-D22", "SJ-D23"}


def test_what_is_not_there_or_cannot_be_read_is_told_with_its_line(clean):
    (clean / "text.wav").write_text("no sound at all")
    finding = found(added(clean, "none.wav\tx", "text.wav\tx"), "SJ-D40")
    assert (finding.kind, lines(finding)) == ("error", [("train.tsv", 41), ("train.tsv", 42)])
    assert set(finding.numbers["reasons"]) == {
        "no such file",
        "is no recording that can be read (wav, flac, ogg)",
    }
    skipping = DataConfig(buckets=1, on_bad_line="skip")
    assert found(clean, "SJ-D40", data=skipping).kind == "warning"


def test_where_nothing_can_be_read_there_is_nothing_to_look_at(tmp_path):
    write(tmp_path / "train.tsv", "none.wav\tx\n")
    with pytest.raises(InputError, match=r"nothing that it names can be read; line 1: none.wav no"):
        surveyed(tmp_path)


def test_another_sample_rate_is_an_error(clean):
    name = record(clean / "fast.wav", 0.4, 99, rate=16_000)
    finding = found(added(clean, f"{name}\tabcd", name="test"), "SJ-D41")
    assert (finding.kind, lines(finding)) == ("error", [("test.tsv", 11)])
    assert finding.numbers == {"usual": 8_000, "train": 0, "test": 1}
    assert "16,000 (1)" in finding.says


def test_silence_is_told_and_a_quiet_voice_is_none(clean):
    named = [record(clean / f"{loud}.wav", 0.4, 99, loud=loud) for loud in (0.0, 0.0005, 0.002)]
    finding = found(added(clean, *(f"{name}\tabcd" for name in named)), "SJ-D42")
    assert (finding.kind, lines(finding)) == ("warning", [("train.tsv", 41), ("train.tsv", 42)])


def test_the_same_recording_in_two_splits_is_found_in_whatever_file(clean):
    for number, name in ((3, "copy.flac"), (7, "other.wav")):
        samples, rate = soundfile.read(clean / f"{number}.wav", dtype="int16")
        soundfile.write(clean / name, samples, rate)
    added(clean, "copy.flac\tabcd", "other.wav\tdcba", name="test")
    survey = surveyed(clean)
    (leak,), (conflict,) = (findings(survey, code) for code in ("SJ-D02", "SJ-D05"))
    assert (leak.kind, lines(leak)) == ("error", [("test.tsv", 11)])
    assert leak.places[0].text == "copy.flac  →  abcd" and "--fix" not in leak.mend
    assert lines(conflict) == [("test.tsv", 12)]


def test_recordings_that_come_twice_or_say_two_things(clean):
    survey = surveyed(added(clean, "5.wav\tabcd", "6.wav\tdcba"))
    (twice,), (two,) = (findings(survey, code) for code in ("SJ-D14", "SJ-D13"))
    assert lines(twice) == [("train.tsv", 41)]
    assert (lines(two), two.places[0].text) == ([("train.tsv", 7)], "6.wav  →  abcd  |  dcba")


def test_speech_far_too_slow_or_fast_is_suspect(clean):
    slow, fast = record(clean / "slow.wav", 3.0, 90), record(clean / "fast.wav", 0.4, 91)
    finding = found(added(clean, f"{slow}\tabcd", f"{fast}\t{'abcd' * 8}"), "SJ-D06")
    assert (finding.kind, lines(finding)) == ("warning", [("train.tsv", 41), ("train.tsv", 42)])
    assert finding.numbers["median"] == pytest.approx(4 / 0.45, rel=0.05)  # tokens a second


def test_far_off_is_by_a_factor_of_three_and_four_spreads():
    usual = np.exp(np.linspace(-1, 1, 101))  # half of the logarithms are within 0.5
    rows, median, factor = off_speed(np.array([1.0, 15, 25, 1 / 25]), usual)
    assert factor == pytest.approx(np.exp(4 * 1.4826 * 0.5), rel=0.03)
    assert (rows.tolist(), median) == ([2, 3], pytest.approx(1.0))
    rows, _, factor = off_speed(np.array([2.9, 3.1]), np.ones(9))
    assert (rows.tolist(), factor) == ([1], 3.0)


@pytest.mark.parametrize("pyramid, wrong", [(False, []), (True, [2, 3])])
def test_targets_that_ctc_cannot_say_are_told(tmp_path, pyramid, wrong):
    # 40 steps; after two joinings 10.
    rows = ["abcdefghij", "abcdefghijk", "aabcdefghi"]
    for number in range(len(rows)):
        record(tmp_path / f"{number}.wav", 0.4, number)
    content = "".join(f"{number}.wav\t{text}\n" for number, text in enumerate(rows))
    write(tmp_path / "train.tsv", content)
    model = ModelConfig(decoder="ctc", encoder_layers=3, pyramid=pyramid)
    finding = found(tmp_path, "SJ-D43", model=model)
    assert [place.line for place in finding.places] == wrong
    assert finding.kind == ("error" if wrong else "ok")
    attention = ModelConfig(encoder_layers=3, pyramid=pyramid)
    assert findings(surveyed(tmp_path, model=attention), "SJ-D43") == []


def test_steps_that_ctc_needs_are_those_of_a_loop():
    texts = ["", "a", "aa", "aab", "abab", "aaaa", "baaa"]
    rows = cut_side("chars", {"train": texts}).rows["train"]
    wanted = [len(t) + sum(a == b for a, b in zip(t, t[1:], strict=False)) for t in texts]
    assert needed_steps(rows).tolist() == wanted


def test_recordings_beyond_the_limit_are_left_out_of_training_and_cut_elsewhere(clean):
    for number, name in ((80, "train"), (81, "test")):
        added(clean, f"{record(clean / f'{number}.wav', 3.0, number)}\tabcd", name=name)
    for model in (ModelConfig(decoder="ctc"), ModelConfig()):
        finding = found(clean, "SJ-D08", model=model)
        assert lines(finding) == [("train.tsv", 41), ("test.tsv", 11)]
        assert finding.mend == "--data.max-source 300 keeps all"


def test_symbols_that_training_never_shows_are_an_error(clean):
    name = record(clean / "new.wav", 0.4, 77)
    finding = found(added(clean, f"{name}\tabcé", name="test"), "SJ-D09")
    assert (finding.kind, lines(finding)) == ("error", [("test.tsv", 11)])


def test_batches_are_planned_in_frames(clean):
    assert found(clean, "SJ-D21").numbers["shapes"] == [[49, 4, 128]]
    assert found(clean, "SJ-D21", model=ModelConfig()).numbers["shapes"] == [[49, 5, 128]]  # EOS


@pytest.mark.parametrize("rate", [8_000, 11_025, 44_100])
def test_frames_are_counted_as_they_are_made(rate):
    pytest.importorskip("kaldi_native_fbank")
    half = rate // 200
    for samples in (1, half - 1, half, half + 1, 3 * half - 1, 3 * half, 3 * half + 1, rate):
        made = log_mel(Recording(np.zeros(samples, np.float32), rate), 8)
        assert len(made) == frame_count(samples, rate)


def test_arrays_of_another_width_and_those_that_never_change(tmp_path):
    generator = np.random.default_rng(0)
    arrays = [generator.normal(size=(9 + n % 3, 4)) for n in range(20)]
    arrays += [np.ones((9, 4)), generator.normal(size=(9, 5)), np.full((9, 4), np.nan), arrays[0]]
    for number, array in enumerate(arrays):
        np.save(tmp_path / f"{number}.npy", array)
    content = "".join(f"{number}.npy\tabc\n" for number in range(len(arrays)))
    write(tmp_path / "train.tsv", content + "many.npz#one\tabc\n")
    np.savez(tmp_path / "many.npz", two=arrays[1])
    survey = surveyed(tmp_path, kind="arrays")
    expected = {"SJ-D40": [23, 25], "SJ-D41": [22], "SJ-D42": [21], "SJ-D14": [24]}
    for code, wanted in expected.items():
        (finding,) = findings(survey, code)
        assert [place.line for place in finding.places] == wanted
    assert survey.sizes["source"] == 4
    (unreadable,) = findings(survey, "SJ-D40")
    assert "holds numbers that are not finite" in unreadable.numbers["reasons"]


def test_a_recording_is_read_once_however_often_it_is_named(clean, monkeypatch):
    write(clean / "train.tsv", "1.wav\ta\n1.wav\tb\n2.wav\tc\n")
    read = []
    real = soundfile.read
    monkeypatch.setattr(
        soundfile, "read", lambda path, **how: read.append(path) or real(path, **how)
    )
    heard = listen(read_pair_split("train", [str(clean / "train.tsv")]), "sound")
    assert len(read) == 2 and len(heard.heard) == 3
    assert heard.split.sources[0] == heard.split.sources[1] != heard.split.sources[2]
    assert heard.split.place(2).text == "2.wav  →  c"

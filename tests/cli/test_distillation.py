"""A teacher's answers as another run's training data."""

import pytest
from cli.commands import SMALL, seqjax

pytestmark = [pytest.mark.slow, pytest.mark.standard_promotion]


def test_a_pupil_learns_from_the_answers_of_a_teacher(files, run, tmp_path, capsys):
    pupil = tmp_path / "pupil"
    pairs = (files / "pairs.tsv").read_text().splitlines()
    source, answers = tmp_path / "train.source", tmp_path / "train.answers"
    source.write_text("".join(f"{pair.split(chr(9))[0]}\n" for pair in pairs))
    capsys.readouterr()
    assert seqjax("decode", run, "--input", source) == 0
    said = capsys.readouterr().out
    assert len(said.splitlines()) == len(pairs)
    answers.write_text(said)
    code = seqjax(
        *("train", "--train", source, answers, "--valid", files / "valid.tsv"),
        *("--run-dir", pupil, *SMALL, "--steps", "4", "--data.on-bad-line", "skip"),
    )
    assert code == 0
    assert (pupil / "best.safetensors").exists()

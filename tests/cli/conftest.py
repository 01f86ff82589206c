"""Runs that train in seconds, made once for all tests of a process."""

import pytest
from cli.commands import PAIRS, seqjax, train


@pytest.fixture(scope="session")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    (folder / "pairs.tsv").write_text(PAIRS)
    (folder / "valid.tsv").write_text(PAIRS[:160])
    (folder / "text.txt").write_text("the cat sat on the mat\nthe dog sat on the log\n" * 60)
    return folder


@pytest.fixture(scope="session")
def run(files):
    path = files / "run"
    assert train(files, path, "--steps", "12", "--validation.every", "6") == 0
    return path


@pytest.fixture(scope="session")
def language_run(files):
    path = files / "language"
    code = seqjax(
        *("train", "--task", "language-model", "--train", files / "text.txt", "--steps", "12"),
        *("--data.target-tokens", "words", "--data.min-count", "1", "--data.window", "8"),
        *("--data.batch-size", "4", "--model.hidden-size", "16", "--model.embedding-size", "8"),
        *("--model.decoder-layers", "1", "--run-dir", path),
    )
    assert code == 0
    return path


@pytest.fixture(scope="session")
def letters_run(files):
    """A language model of what `run` answers, letter by letter."""
    path, text = files / "letters", files / "letters.txt"
    text.write_text("".join(line.split("\t")[1] + "\n" for line in PAIRS.splitlines()))
    code = seqjax(
        *("train", "--task", "language-model", "--train", text, "--valid", text, "--steps", "2"),
        *("--data.target-tokens", "chars", "--data.min-count", "1", "--data.window", "8"),
        *("--data.batch-size", "4", "--model.hidden-size", "8", "--model.embedding-size", "8"),
        *("--model.decoder-layers", "1", "--run-dir", path),
    )
    assert code == 0
    return path


@pytest.fixture(autouse=True)
def standard_promotion(request):
    """Commands run optax, whose own arithmetic mixes dtypes and ranks."""
    request.node.add_marker(pytest.mark.standard_promotion)

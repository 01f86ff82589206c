"""Commands as a user types them, run in this process."""

import io
import sys

from seqjax.cli.main import main

PAIRS = "".join(f"{a}{b}{c}\t{c}{b}{a}\n" for a in "abcd" for b in "abcd" for c in "abcd")
SMALL = (
    *("--model.embedding-size", "8", "--model.hidden-size", "16", "--data.batch-size", "16"),
    *("--data.buckets", "1", "--validation.examples", "8", "--optimizer.warmup-steps", "2"),
)


def seqjax(*words):
    """Runs a command in this process; returns its exit code."""
    return main([str(word) for word in words])


def train(files, run, *more):
    return seqjax(
        *("train", "--train", files / "pairs.tsv", "--valid", files / "valid.tsv"),
        *("--run-dir", run, *SMALL, *more),
    )


def fed(monkeypatch, content):
    stream = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8")
    monkeypatch.setattr(sys, "stdin", stream)


def one_line_error(capsys, *words):
    code = seqjax(*words)
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert code == 2 and len(errors) == 1
    return errors[0]

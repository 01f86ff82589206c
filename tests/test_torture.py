"""The short form of `make torture`; see `torture.py`."""

import os

import pytest
from torture import SETTINGS, torture

LANGUAGE = (
    *("--task", "language-model", "--data.window", "4", "--data.batch-size", "4"),
    *("--data.target-tokens", "chars", "--model.embedding-size", "4", "--model.hidden-size", "4"),
    *("--model.dropout", "0.3", "--optimizer.accumulate", "2", "--optimizer.average-decay", "0.9"),
    *("--optimizer.schedule", "plateau", "--validation.every", "13", "--validation.patience", "0"),
    *("--save-every", "3"),
)


@pytest.mark.parametrize(
    ("settings", "steps", "modes"),
    (
        (LANGUAGE, 120, ("kill in a save", "term")),
        pytest.param(
            SETTINGS,
            4_000,  # a training that is over while another begins refuses it no more
            ("kill in a save", "term", "ctrl-c twice", "two at once", "kill at the start"),
            marks=pytest.mark.slow,
        ),
    ),
)
def test_a_run_that_is_killed_again_and_again_is_the_run_that_never_was(
    tmp_path, monkeypatch, settings, steps, modes
):
    """Ends of epochs, where memory begins anew, are on the way."""
    monkeypatch.setenv("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
    quickly = f"{os.environ.get('XLA_FLAGS', '')} --xla_backend_optimization_level=0"
    monkeypatch.setenv("XLA_FLAGS", quickly)
    assert "JAX_COMPILATION_CACHE_DIR" in os.environ  # else each start compiles for minutes
    (tmp_path / "text.txt").write_text("the cat sat on the mat\n" * 12)
    if settings is LANGUAGE:
        settings = ("--train", str(tmp_path / "text.txt"), *settings)
    ended, different = torture(
        *(tmp_path, len(modes), steps, 0),
        settings=settings,
        modes=modes,
        inspect=settings is SETTINGS,
    )
    assert different == [] and all(kill.code != 0 for kill in ended)

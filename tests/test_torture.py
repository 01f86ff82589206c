"""The short form of `make torture`; see `torture.py`."""

import os

import pytest
from torture import torture


@pytest.mark.parametrize(
    ("kills", "modes"),
    (
        (3, ("kill in a save", "term", "ctrl-c twice")),
        pytest.param(8, None, marks=pytest.mark.slow),
    ),
)
def test_a_run_that_is_killed_again_and_again_is_the_run_that_never_was(
    tmp_path, monkeypatch, kills, modes
):
    monkeypatch.setenv("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
    monkeypatch.setenv("XLA_FLAGS", "--xla_backend_optimization_level=0")
    assert "JAX_COMPILATION_CACHE_DIR" in os.environ  # else each start compiles for minutes
    given = {} if modes is None else {"modes": modes}
    ended, different = torture(tmp_path, kills, 40, seed=0, **given)
    assert different == [] and sum(kill.code != 0 for kill in ended) >= kills - 1

"""The doctor tells the truth about this installation."""

import json
import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import pytest

from seqjax.cli import doctor
from seqjax.cli.flags import DoctorFlags
from seqjax.cli.main import main
from seqjax.errors import InputError


def test_compiled_and_eager_numbers_are_equal():
    """As users compile, whatever flags these tests run with."""
    environment = {name: value for name, value in os.environ.items() if name != "XLA_FLAGS"}
    command = [sys.executable, "-m", "seqjax", "doctor", "--json"]
    told = subprocess.run(command, env=environment, capture_output=True, check=True).stdout
    assert json.loads(told)["wrong_canary_rows"] == 0
    assert json.loads(told)["xla_flags"] == ""


def test_the_canary_counts_the_rows_that_a_compiler_gets_wrong(monkeypatch):
    def miscompile(function):
        return lambda points: function(points).at[-1].add(1.0)

    monkeypatch.setattr(jax, "jit", miscompile)
    assert doctor.wrong_canary_rows(5) == 1


def test_a_healthy_installation_is_told_in_words_and_in_json(capsys):
    assert main(["doctor"]) == 0
    words = capsys.readouterr().out
    assert words.endswith("all is well\n")
    assert main(["doctor", "--json"]) == 0
    findings = json.loads(capsys.readouterr().out)
    assert findings["jax"] == jax.__version__
    assert findings["backend"] == jax.default_backend()
    assert findings["float"] == str(jnp.zeros(()).dtype)
    assert findings["threads"] >= 1
    assert all(name in words for name in findings)


def test_a_wrong_number_is_exit_code_1(monkeypatch, capsys):
    monkeypatch.setattr(doctor, "wrong_canary_rows", lambda rows: 1)
    assert doctor.run(DoctorFlags()) == 1
    assert "install another version of jax" in capsys.readouterr().out
    assert doctor.run(DoctorFlags(json=True)) == 1


def test_a_device_that_does_not_start_is_one_line(monkeypatch):
    def fail():
        raise RuntimeError("Unable to initialize backend 'cuda':\n no devices")

    monkeypatch.setattr(jax, "devices", fail)
    with pytest.raises(InputError, match="JAX cannot start a device: Unable to initialize backend"):
        doctor.examine()

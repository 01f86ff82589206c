"""Keras' own answers, stored; and Keras itself, on JAX, where it is installed."""

import itertools
import os

import pytest
from interop.fixtures.make_keras import STORED, Case, run_case
from interop.stacks import TOLERANCE, error_of, load_cases, weights_of

from seqjax.interop.keras import from_keras, to_keras

LIVE = [
    Case(kind, layers, bidirectional)
    for kind, layers, bidirectional in itertools.product(
        ("lstm", "gru", "gru_reset_before", "rnn", "rnn_relu"), (1, 2), (False, True)
    )
]
LIVE += [Case(kind, bias=False) for kind in ("lstm", "gru", "gru_reset_before", "rnn")]


def live(test):
    """Keras' own arithmetic mixes dtypes and ranks, and its variables warn when they are read."""
    quiet = "ignore:__array__ implementation doesn't accept:DeprecationWarning"
    return pytest.mark.standard_promotion(pytest.mark.filterwarnings(quiet)(test))


@pytest.fixture
def keras(monkeypatch, tmp_path):
    """Keras, with JAX below it and its settings out of the way."""
    monkeypatch.setitem(os.environ, "KERAS_BACKEND", "jax")
    monkeypatch.setitem(os.environ, "KERAS_HOME", str(tmp_path))
    return pytest.importorskip("keras")


def layers_of(case):
    nested = weights_of(case)
    return [[layer[str(i)] for i in range(len(layer))] for layer in nested.values()]


@pytest.mark.parametrize("name", STORED)
def test_we_answer_as_keras_did(name):
    case = load_cases("keras.npz")[name]
    kind = STORED[name].kind
    assert error_of(from_keras(layers_of(case), kind), kind, case) < TOLERANCE


@live
@pytest.mark.parametrize("case", LIVE, ids=str)
def test_we_answer_as_keras_does(case, keras):
    del keras
    found = run_case(case)
    stack = from_keras(layers_of(found), case.kind, bias=case.bias)
    assert error_of(stack, case.kind, found) < TOLERANCE


@live
@pytest.mark.parametrize("kind", ("lstm", "gru", "gru_reset_before"))
def test_keras_answers_the_same_with_what_we_write(kind, keras):
    del keras
    case = Case(kind, bidirectional=True)
    stack = from_keras(layers_of(run_case(case)), kind)
    assert error_of(stack, kind, run_case(case, written=to_keras(stack, kind))) < TOLERANCE

"""Every cell with its equations: what the laws of time are tested on."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from oracles import recurrent as oracle

from seqjax.cells.cell import RecurrentCell
from seqjax.cells.gru import GRUCell, MGUCell
from seqjax.cells.lstm import LSTMCell
from seqjax.cells.lstm_variant import VARIANTS
from seqjax.cells.minimal import MinGRUCell, MinLSTMCell
from seqjax.cells.rnn import RNNCell
from seqjax.cells.slstm import SLSTMCell

FEATURES, HIDDEN = 3, 4


class Case(NamedTuple):
    """A cell, its equations, and the ways through time that take it."""

    cell_fn: Callable[[], RecurrentCell]
    step: Callable
    methods: tuple[str, ...] = ("scan", "fused")


def lstm(**settings):
    return lambda: LSTMCell(FEATURES, HIDDEN, **settings)


CASES = {
    "lstm": Case(lstm(), oracle.lstm),
    **{
        f"lstm {name}": Case(lstm(variant=variant), oracle.lstm_variant(name))
        for name, variant in VARIANTS.items()
        if name != "standard"
    },
    "lstm projected": Case(lstm(output_size=2), oracle.lstm_projected),
    "lstm normalised": Case(lstm(normalised=True), oracle.lstm_normalised),
    "rnn": Case(lambda: RNNCell(FEATURES, HIDDEN), oracle.rnn(np.tanh)),
    "rnn relu": Case(
        lambda: RNNCell(FEATURES, HIDDEN, activation="relu"),
        oracle.rnn(lambda x: np.maximum(x, 0)),
    ),
    "gru": Case(lambda: GRUCell(FEATURES, HIDDEN), oracle.gru),
    "gru reset before": Case(
        lambda: GRUCell(FEATURES, HIDDEN, reset_after=False), oracle.gru_reset_before
    ),
    "mgu": Case(lambda: MGUCell(FEATURES, HIDDEN), oracle.mgu),
    "min gru": Case(lambda: MinGRUCell(FEATURES, HIDDEN), oracle.min_gru, ("scan", "parallel")),
    "min lstm": Case(lambda: MinLSTMCell(FEATURES, HIDDEN), oracle.min_lstm, ("scan", "parallel")),
    "slstm": Case(lambda: SLSTMCell(FEATURES, HIDDEN), oracle.slstm(1, "sigmoid")),
    "slstm heads": Case(
        lambda: SLSTMCell(FEATURES, HIDDEN, num_heads=2, forget="exponential"),
        oracle.slstm(2, "exponential"),
    ),
}
WAYS = [(name, method) for name, case in CASES.items() for method in case.methods]
